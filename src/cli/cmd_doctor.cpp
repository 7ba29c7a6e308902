// SPDX-License-Identifier: Apache-2.0
// doctor: all that is wrong or risky about a node's set-up, and with --fix the mends that need no decision.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "cli/change.hpp"
#include "cli/commands.hpp"
#include "cli/records.hpp"
#include "cli/values.hpp"
#include "kubelet_sysctl/lost_list.hpp"
#include "kubelet_sysctl/recover.hpp"

namespace kubelet_sysctl {
namespace {

constexpr int kFound = 6;

Finding finding_of(std::string_view id, std::string message, std::string hint) {
  const Check* check = find_check(id);
  if (check == nullptr) bug("doctor tells of a check that is not in the table");
  return {.id = std::string(id),
          .severity = check->severity,
          .message = std::move(message),
          .path = {},
          .line = 0,
          .hint = std::move(hint)};
}

/// What the records of changes tell.
std::vector<Transaction> look_at_records(Session& session, Ports& ports, const Moment& moment,
                                         std::vector<Finding>& findings,
                                         std::vector<std::string>& not_looked) {
  auto all = read_records(ports);
  if (!all && all.error().kind == ErrorKind::kPermission) {
    not_looked.push_back("the records of changes: only root may read them");
    return {};
  }
  if (!all) {
    findings.push_back(finding_of("broken-record",
                                  "the records of changes cannot be read: " + all.error().message,
                                  "see 'kubelet-sysctl history'"));
    findings.back().path = all.error().path;
    return {};
  }
  for (Finding& finding : broken_records(*all, session.options)) {
    findings.push_back(std::move(finding));
  }
  std::string line = unfinished_line(all->transactions, moment.now_ms, moment.boot_id);
  // What is open is in the hands of the run that is at work.
  if (line.empty() || !moment.in_progress.empty()) return std::move(all->transactions);
  const std::string& root = session.options.root;
  findings.push_back(finding_of(
      "unfinished-change", std::move(line),
      fmt::format("run: kubelet-sysctl recover{}{}", session.options.is_live() ? "" : " --root ",
                  session.options.is_live() ? "" : root)));
  return std::move(all->transactions);
}

/// What a finding could not be made of, and why.
void say_what_is_missing(const NodeSnapshot& snapshot, const NodeModel& model,
                         std::vector<std::string>& not_looked) {
  if (!snapshot.live) {
    not_looked.push_back("the manager, the process and the kernel: only the node's files are here");
  }
  for (const std::string& path : snapshot.unreadable) {
    not_looked.push_back(
        fmt::format("{}: only another user may read it, so checks that need the "
                    "whole node were left out",
                    path));
  }
  if (snapshot.doctor) {
    not_looked.insert(not_looked.end(), snapshot.doctor->not_looked.begin(),
                      snapshot.doctor->not_looked.end());
  }
  if (snapshot.live && !snapshot.kernel.why.empty() && !model.configured.empty() &&
      !snapshot.kernel.asked) {
    not_looked.push_back(fmt::format("what this kernel lets pods set: {}", snapshot.kernel.why));
  }
  if (!snapshot.kubelet_version && !snapshot.kubelet_version_why.empty()) {
    not_looked.push_back(
        fmt::format("the rules of this kubelet's release: {}", snapshot.kubelet_version_why));
  }
}

int look(Session& session) {
  Ports ports = session.host.open(session.options.root);
  DiscoverOptions wanted = discover_options(session.options);
  wanted.probe_health = wanted.live;
  wanted.version_from = VersionFrom::kFile;
  ask_early(session.options, ports);
  std::vector<Finding> findings;
  std::vector<std::string> not_looked;
  const Moment moment = moment_of(ports);
  const auto records = look_at_records(session, ports, moment, findings, not_looked);
  auto snapshot = discover(ports, wanted);
  if (!snapshot && snapshot.error().kind == ErrorKind::kPermission) {
    snapshot = discover_partly(ports, wanted);
  }
  if (!snapshot) return fail(session, snapshot.error());
  const NodeModel model = resolve_partly(*snapshot);
  look_closer(ports, model, *snapshot);
  ask_kernel(session.options, ports, texts_of(model.configured), *snapshot);
  if (auto lost = lost_list(*snapshot, model, records)) findings.push_back(std::move(*lost));
  std::vector<Finding> checked = run_checks(*snapshot, model, Audience::kDoctor);
  findings.insert(findings.end(), std::make_move_iterator(checked.begin()),
                  std::make_move_iterator(checked.end()));
  sort_by_severity(findings);
  say_what_is_missing(*snapshot, model, not_looked);
  if (session.options.json) {
    print(session, doctor_json(*snapshot, model, findings, not_looked, moment.in_progress));
  } else if (!session.options.quiet) {
    print(session, in_progress_text(moment, session.out));
    print(session, doctor_text(*snapshot, model, findings, not_looked, session.out));
  }
  return findings.empty() ? 0 : kFound;
}

int fix(Session& session) {
  const auto look_first = [&session](Ports& ports, NodeSnapshot& snapshot, const NodeModel& model) {
    look_closer(ports, model, snapshot);
    // The kernel is asked about the list as it will be.
    const auto first = plan_fix(snapshot, model);
    ask_kernel(session.options, ports, first ? first->after : texts_of(model.configured), snapshot);
  };
  return carry_out(session, "doctor --fix", [&](Ports&) -> Result<Wish> {
    return Wish{.note = "doctor --fix", .plan = plan_fix, .look = look_first};
  });
}

/// Options that change how a mend is made mean nothing where none is.
Status check_options(const Options& options) {
  if (options.fix) return {};
  const Options usual;
  const bool given[] = {options.dry_run,
                        options.diff,
                        !options.restart,
                        !options.rollback,
                        options.timeout != usual.timeout,
                        options.window != usual.window,
                        options.lock_timeout != usual.lock_timeout,
                        !options.reason.empty()};
  constexpr std::string_view kNames[] = {"--dry-run", "--diff",   "--no-restart",   "--no-rollback",
                                         "--timeout", "--window", "--lock-timeout", "--reason"};
  const auto* first = std::find(std::begin(given), std::end(given), true);
  if (first == std::end(given)) return {};
  return usage_error(fmt::format("'{}' has no meaning for 'doctor' without '--fix'",
                                 kNames[first - std::begin(given)]),
                     "without '--fix' nothing is changed");
}

int run_doctor(Session& session) {
  if (auto status = check_options(session.options); !status) return fail(session, status.error());
  return session.options.fix ? fix(session) : look(session);
}

}  // namespace

constexpr Command kDoctorCommand = {
    .name = "doctor",
    .title = "everything wrong or risky about this node's set-up, with its mend",
    .arguments = "",
    .options = kEverywhere | kForChanges | kTakesUnit | kTakesFix | kTakesKubeletVersion,
    .about =
        "Prints every finding, the worst first, with its place and what to do about it, then what "
        "it\n"
        "could not look at. Ends with 6 when there is a finding. With --fix it mends what needs "
        "no\n"
        "decision, by the way of 'add': a plan, the lock, a record, a restart that is watched. "
        "The\n"
        "other options are for that. What is found: docs/checks.md.",
    .examples =
        "kubelet-sysctl doctor\n"
        "kubelet-sysctl doctor --fix --dry-run --diff\n"
        "kubelet-sysctl doctor --root /mnt/image -o json",
    .run = run_doctor};

}  // namespace kubelet_sysctl
