// SPDX-License-Identifier: Apache-2.0
// show: the configured and the running list, each entry with its place.
#include <algorithm>
#include <vector>

#include "cli/change.hpp"
#include "cli/commands.hpp"
#include "cli/records.hpp"
#include "cli/session.hpp"
#include "kubelet_sysctl/model.hpp"

namespace kubelet_sysctl {
namespace {

constexpr int kFound = 6;
constexpr std::size_t kMostAsked = 200;  ///< entries the kernel is asked about

/// Drift in the wide sense: the process has another list than the files, or may have; or something found
/// here is a warning or worse. A change on trial is neither, one that never came to its end is.
bool is_off(const NodeModel& model, const OpenChanges& open) {
  return model.drift || !open.unfinished.empty() ||
         std::any_of(model.findings.begin(), model.findings.end(),
                     [](const Finding& one) { return one.severity != Severity::kNote; });
}

int run_show(Session& session) {
  Ports ports = session.host.open(session.options.root);
  DiscoverOptions wanted = discover_options(session.options);
  wanted.probe_health = wanted.live;
  wanted.version_from = VersionFrom::kProgram;
  // The records are read while the manager answers: discover() takes that answer.
  if (wanted.live) ports.services.begin_show(wanted.unit);
  std::vector<Finding> findings;
  const OpenChanges open = tell_open_changes(session, ports, findings);
  auto snapshot = discover(ports, wanted);
  if (!snapshot) return fail(session, snapshot.error());
  auto model = resolve(*snapshot, Checks::kSkip);
  if (!model) return fail(session, model.error());
  // About 2 ms; a list far beyond any real one is left to `doctor`.
  const std::vector<std::string> list = texts_of(model->configured);
  if (!list.empty() && list.size() <= kMostAsked) {
    ask_kernel(session.options, ports, list, *snapshot);
  }
  model->findings = run_checks(*snapshot, *model, Audience::kShow);
  model->findings.insert(model->findings.end(), findings.begin(), findings.end());
  print(session, session.options.json ? status_json(*snapshot, *model, open)
                                      : show_text(*snapshot, *model, session.out, open));
  return session.options.exit_code && is_off(*model, open) ? kFound : 0;
}

}  // namespace

constexpr Command kShowCommand = {
    .name = "show",
    .title = "the list in force, who sets it, and whether the kubelet agrees",
    .arguments = "",
    .options = kEverywhere | kTakesUnit | kTakesExitCode | kTakesKubeletVersion,
    .about =
        "Prints the configured list (what the next start will use) with the file and line of each\n"
        "entry, lists that another one hides, the list of the running process, and whether the\n"
        "two differ; then a change on trial. Says on standard error when a change did not come to\n"
        "its end.",
    .examples =
        "kubelet-sysctl show\n"
        "kubelet-sysctl show -o json\n"
        "kubelet-sysctl show --exit-code\n"
        "kubelet-sysctl show --root /mnt/image",
    .run = run_show};

}  // namespace kubelet_sysctl
