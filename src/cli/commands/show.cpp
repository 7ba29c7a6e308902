// SPDX-License-Identifier: Apache-2.0
// show: the configured and the running list, each entry with its place.
#include <algorithm>

#include <fmt/format.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "change.hpp"
#include "commands.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/discover/health.hpp"
#include "kubelet_sysctl/discover/kubelet_version.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/report/metrics.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/transaction/lost_entries.hpp"
#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "records.hpp"
#include "session.hpp"

namespace kubelet_sysctl::cli {
namespace {

constexpr std::size_t kMostAsked = 200;  ///< entries the kernel is asked about

/// Drift in the wide sense: the process has another list than the files, or may have; or something found
/// here is a warning or worse. A change on trial is neither, one that was not finished is.
bool is_off(const model::NodeModel& model, const transaction::OpenChanges& open) {
  return model.drift || !open.unfinished.empty() ||
         std::any_of(model.findings.begin(), model.findings.end(),
                     [](const Finding& one) { return one.severity != Severity::kNote; });
}

/// Ends with `error`, after the metrics of what could be read all the same.
int fail_measured(Session& session, report::Measured measured, const Error& error) {
  if (!session.options.metrics) return fail(session, error);
  measured.model = nullptr;
  print_bytes(session, report::metrics_text(measured));
  say(session, report::error_text(error, session.err));
  return transaction::exit_code_of(error);
}

void write_report(Session& session, const report::Measured& measured,
                  const transaction::OpenChanges& open) {
  const nodes::NodeSnapshot& snapshot = *measured.snapshot;
  const model::NodeModel& model = *measured.model;
  if (session.options.metrics) return print(session, report::metrics_text(measured));
  if (session.options.json) {
    return report::write_status_json(pieces(session), snapshot, model, open);
  }
  if (session.options.quiet) {
    return print(session, fmt::format("{}\n", report::name_of(report::state_of(snapshot, model))));
  }
  report::write_show_text(pieces(session), snapshot, model, session.out, open);
}

/// True when the next start of the kubelet ends at once, whatever its list is.
bool does_not_start(const model::NodeModel& model) {
  return model.flags.fatal ||
         std::any_of(model.findings.begin(), model.findings.end(), [](const Finding& one) {
           return one.id == "config-broken" ||
                  (one.id == "default-sysctl-fatal" && one.severity == Severity::kError);
         });
}

int run_show(Session& session) {
  ports::Ports ports = session.host.open(session.options.root);
  discover::DiscoverOptions wanted = discover_options(session.options);
  wanted.version_from = discover::VersionFrom::kFile;
  wanted.ask_journal = false;
  // The records are read while the manager answers: discover() takes that answer.
  ask_early(session.options, ports);
  std::vector<Finding> findings;
  report::Measured seen;
  seen.tool_version = tool_version();
  seen.moment = moment_of(ports);
  const auto records = report_records(session, ports, seen.moment, findings);
  const transaction::OpenChanges open =
      records ? transaction::open_changes(*records, seen.moment) : transaction::OpenChanges();
  if (records) seen.records = &*records;
  auto snapshot = discover::discover(ports, wanted);
  if (!snapshot) return fail_measured(session, seen, snapshot.error());
  seen.snapshot = &*snapshot;
  auto model = model::resolve(*snapshot);
  if (!model) return fail_measured(session, seen, as_refusal(model.error()));
  seen.model = &*model;
  snapshot->health = discover::health_of(ports, *snapshot, *model);
  // About 2 ms; a list far beyond any real one is left to `doctor`.
  if (model::configured_entries(*model).size() <= kMostAsked) {
    ask_kernel(session.options, ports, model::kernel_questions(*model), *snapshot);
  }
  model->findings = checks::run_checks(*snapshot, *model, checks::Audience::kShow);
  if (auto lost = records ? transaction::lost_list(*snapshot, *model, *records) : std::nullopt) {
    findings.push_back(std::move(*lost));
  }
  model->findings.insert(model->findings.end(), findings.begin(), findings.end());
  sort_by_severity(model->findings);
  write_report(session, seen, open);
  if (does_not_start(*model)) return transaction::exit_code_of(Error{.kind = ErrorKind::kRefused});
  return session.options.exit_code && is_off(*model, open) ? kFound : 0;
}

}  // namespace

constexpr Command kShowCommand = {
    .bit = kShow,
    .name = "show",
    .title = "the list in force, where it is set, and if the kubelet has it",
    .arguments = "",
    .about =
        "Prints the configured list (what the next start will use) with the file and line of each\n"
        "entry, lists that another one hides, the list of the running process, and whether the\n"
        "two differ; then a change on trial. Says on standard error when a change was "
        "not\nfinished. With -o prometheus the same as metrics, kubelet_sysctl_up 0 where it "
        "fails.",
    .examples =
        "kubelet-sysctl show\n"
        "kubelet-sysctl show -o json\n"
        "kubelet-sysctl show -o prometheus\n"
        "kubelet-sysctl show --exit-code\n"
        "kubelet-sysctl show --root /mnt/image",
    .run = run_show};

}  // namespace kubelet_sysctl::cli
