// SPDX-License-Identifier: Apache-2.0
// What commands that only read tell of the records of changes.
#include "cli/records.hpp"

#include <utility>

#include "kubelet_sysctl/recover.hpp"

namespace kubelet_sysctl {

Moment moment_of(Ports& ports) {
  return {.now_ms = ports.clock.wall_ms(), .boot_id = boot_id_of(ports)};
}

void say_unfinished(Session& session, const std::vector<Transaction>& all, const Moment& moment) {
  if (session.options.is_for_programs()) return;
  const std::string line = unfinished_line(all, moment.now_ms, moment.boot_id);
  const std::string text = unfinished_text(line, session.options.root, session.err);
  if (!text.empty()) session.host.err(text);
}

std::optional<std::vector<Transaction>> tell_records(Session& session, Ports& ports,
                                                     const Moment& moment,
                                                     std::vector<Finding>& findings) {
  auto all = list_transactions(ports);
  if (all) {
    say_unfinished(session, *all, moment);
    return std::move(*all);
  }
  if (all.error().kind == ErrorKind::kPermission) return std::nullopt;
  Finding finding;
  finding.id = "broken-record";
  finding.severity = Severity::kWarning;
  finding.message = "the records of changes cannot be read: " + all.error().message;
  finding.path = all.error().path;
  finding.hint = "see 'kubelet-sysctl history'";
  if (session.options.is_for_programs()) {
    findings.push_back(std::move(finding));
  } else {
    session.host.err(finding_text(finding, session.err));
  }
  return std::nullopt;
}

OpenChanges tell_open_changes(Session& session, Ports& ports, std::vector<Finding>& findings) {
  const Moment moment = moment_of(ports);
  const auto all = tell_records(session, ports, moment, findings);
  return all ? open_changes(*all, moment) : OpenChanges();
}

}  // namespace kubelet_sysctl
