// SPDX-License-Identifier: Apache-2.0
// doctor: all that is wrong or risky about a node's set-up, and with --fix the fixes that need no decision.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "change.hpp"
#include "commands.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/discover/health.hpp"
#include "kubelet_sysctl/discover/kubelet_version.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/lost_entries.hpp"
#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/recovery_table.hpp"
#include "options.hpp"
#include "records.hpp"
#include "session.hpp"
#include "values.hpp"

namespace kubelet_sysctl::cli {
namespace {

/// What the records of changes tell.
std::vector<transaction::Transaction> inspect_records(Session& session, ports::Ports& ports,
                                                      const transaction::Moment& moment,
                                                      std::vector<Finding>& findings,
                                                      std::vector<std::string>& not_inspected) {
  auto all = transaction::read_records(ports);
  if (!all && all.error().kind == ErrorKind::kPermission) {
    not_inspected.push_back("the records of changes: only root may read them");
    return {};
  }
  if (!all) {
    findings.push_back(
        checks::finding_of(checks::check_named("broken-record"),
                           "the records of changes cannot be read: " + all.error().message,
                           "see 'kubelet-sysctl history'"));
    findings.back().path = all.error().path;
    return {};
  }
  for (Finding& finding : broken_records(*all, session.options)) {
    findings.push_back(std::move(finding));
  }
  std::string line = transaction::unfinished_line(all->transactions, moment.now_ms, moment.boot_id);
  // What is open is in the hands of the run that is at work.
  if (line.empty() || !moment.in_progress.empty()) return std::move(all->transactions);
  const std::string& root = session.options.root;
  findings.push_back(checks::finding_of(
      checks::check_named("unfinished-change"), std::move(line),
      fmt::format("run: kubelet-sysctl recover{}{}", session.options.is_live() ? "" : " --root ",
                  session.options.is_live() ? "" : root)));
  return std::move(all->transactions);
}

/// What a finding could not be made of, and why.
void say_what_is_missing(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                         std::vector<std::string>& not_inspected) {
  if (!snapshot.live) {
    not_inspected.push_back(
        "the manager, the process and the kernel: only the node's files are here");
  }
  for (const std::string& path : snapshot.unreadable) {
    not_inspected.push_back(
        fmt::format("{}: only another user may read it, so checks that need the "
                    "whole node were left out",
                    path));
  }
  if (snapshot.doctor) {
    not_inspected.insert(not_inspected.end(), snapshot.doctor->not_inspected.begin(),
                         snapshot.doctor->not_inspected.end());
  }
  if (snapshot.live && !snapshot.kernel.why.empty() && !model::configured_entries(model).empty() &&
      !snapshot.kernel.asked) {
    not_inspected.push_back(fmt::format("what this kernel lets pods set: {}", snapshot.kernel.why));
  }
  if (!snapshot.kubelet_version && !snapshot.kubelet_version_why.empty()) {
    not_inspected.push_back(
        fmt::format("the rules of this kubelet's release: {}", snapshot.kubelet_version_why));
  }
}

int look(Session& session) {
  ports::Ports ports = session.host.open(session.options.root);
  discover::DiscoverOptions wanted = discover_options(session.options);
  wanted.version_from = discover::VersionFrom::kFile;
  ask_early(session.options, ports);
  std::vector<Finding> findings;
  std::vector<std::string> not_inspected;
  const transaction::Moment moment = moment_of(ports);
  const auto records = inspect_records(session, ports, moment, findings, not_inspected);
  auto snapshot = discover::discover(ports, wanted);
  if (!snapshot && snapshot.error().kind == ErrorKind::kPermission) {
    snapshot = discover::discover_partly(ports, wanted);
  }
  if (!snapshot) return fail(session, snapshot.error());
  const model::NodeModel model = model::resolve_partly(*snapshot);
  snapshot->health = discover::health_of(ports, *snapshot, model);
  discover::read_doctor_facts(ports, model, *snapshot);
  ask_kernel(session.options, ports, model::kernel_questions(model), *snapshot);
  if (auto lost = transaction::lost_list(*snapshot, model, records))
    findings.push_back(std::move(*lost));
  std::vector<Finding> checked = checks::run_checks(*snapshot, model, checks::Audience::kDoctor);
  findings.insert(findings.end(), std::make_move_iterator(checked.begin()),
                  std::make_move_iterator(checked.end()));
  sort_by_severity(findings);
  say_what_is_missing(*snapshot, model, not_inspected);
  if (session.options.json) {
    print(session,
          report::doctor_json(*snapshot, model, findings, not_inspected, moment.in_progress));
  } else if (!session.options.quiet) {
    print(session, report::in_progress_text(moment, session.out));
    print(session, report::doctor_text(*snapshot, model, findings, not_inspected, session.out));
  }
  return findings.empty() ? 0 : kFound;
}

int fix(Session& session) {
  const auto look_first = [&session](ports::Ports& ports, nodes::NodeSnapshot& snapshot,
                                     const model::NodeModel& model) {
    discover::read_doctor_facts(ports, model, snapshot);
    // The kernel is asked about the list as it will be.
    const auto first = planning::plan_fix(snapshot, model);
    ask_kernel(session.options, ports, first ? first->after : model::configured_texts(model),
               snapshot);
  };
  return carry_out(session, "doctor --fix", [&](ports::Ports&) -> Result<ChangeRequest> {
    return ChangeRequest{.note = "doctor --fix", .plan = planning::plan_fix, .inspect = look_first};
  });
}

int run_doctor(Session& session) { return session.options.fix ? fix(session) : look(session); }

}  // namespace

constexpr Command kDoctorCommand = {
    .bit = kDoctor,
    .name = "doctor",
    .title = "what is wrong or risky about this node's set-up, with its fix",
    .arguments = "",
    .about =
        "Prints every finding, the worst first, with its place and what to do about it, then what "
        "it\n"
        "could not inspect. Ends with 6 when there is a finding. With --fix it fixes what needs "
        "no\ndecision, in the same way as 'add': a plan, the lock, a record, a restart that is "
        "watched. The\nother options are for that. What is found: docs/checks.md.",
    .examples =
        "kubelet-sysctl doctor\n"
        "kubelet-sysctl doctor --fix --dry-run --diff\n"
        "kubelet-sysctl doctor --root /mnt/image -o json",
    .run = run_doctor};

}  // namespace kubelet_sysctl::cli
