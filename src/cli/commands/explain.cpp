// SPDX-License-Identifier: Apache-2.0
// explain: the command line of a unit word by word, as systemd would make it now.
#include <vector>

#include "commands.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/discover/kubelet_version.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "records.hpp"
#include "session.hpp"

namespace kubelet_sysctl::cli {
namespace {

// The unit is read from its files, for systemd would read them too: no `systemctl show`. The manager is
// asked for what no file says, its release and, when the command names a variable that nothing sets,
// its own environment.
int run_explain(Session& session) {
  ports::Ports ports = session.host.open(session.options.root);
  discover::DiscoverOptions wanted = discover_options(session.options);
  wanted.need_process = false;
  wanted.version_from = discover::VersionFrom::kNowhere;
  std::vector<Finding> findings;  // a document of words has no place for them
  tell_open_changes(session, ports, findings);
  const auto snapshot = discover::discover(ports, wanted);
  if (!snapshot) return fail(session, snapshot.error());
  auto unit = model::resolve_command(*snapshot);
  if (!unit) return fail(session, unit.error());
  const auto command = model::kubelet_command(*snapshot, std::move(*unit));
  if (!command) return fail(session, command.error());
  const Status startable = model::check_startable(*snapshot, *command);
  // A tree of files may well lack the program: the words are what was asked for.
  if (!startable && snapshot->live && session.options.json) return fail(session, startable.error());
  print(session, session.options.json ? report::command_line_json(*command)
                                      : report::explain_text(*snapshot, *command, session.out));
  if (!startable && snapshot->live) return fail(session, startable.error());
  if (!startable) say(session, "warning: " + startable.error().message + '\n');
  return 0;
}

}  // namespace

constexpr Command kExplainCommand = {
    .bit = kExplain,
    .name = "explain",
    .title = "the kubelet's command line, each word with its file and line",
    .arguments = "",
    .about =
        "Prints the words that systemd would start the unit with now, one a line, with the file, "
        "the\n"
        "line and the variable of each. Works for any service. Where systemd would not start it,\n"
        "says why: behind the words where the program is missing, without any where the unit is "
        "broken.",
    .examples =
        "kubelet-sysctl explain\n"
        "kubelet-sysctl explain --unit containerd.service\n"
        "kubelet-sysctl explain --root /mnt/image --systemd-version 249",
    .run = run_explain};

}  // namespace kubelet_sysctl::cli
