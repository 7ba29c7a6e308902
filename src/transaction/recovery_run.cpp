// SPDX-License-Identifier: Apache-2.0
// The end of a change that was cut short: its record is closed when the kubelet was seen, and not before.
#include "recovery_run.hpp"

#include <fmt/format.h>

#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "system_log_entry.hpp"

namespace kubelet_sysctl::transaction {

RecoveryRun::RecoveryRun(ports::Ports& ports, const nodes::NodeSnapshot& snapshot,
                         const model::NodeModel& model, const planning::Plan& plan,
                         const discover::DiscoverOptions& discover, const ApplyOptions& options,
                         const Transaction& record)
    : run_(ports, snapshot, model, plan, discover, options), record_(record) {
  run_.transaction_ = record;
  run_.outcome_.transaction = record.id;
}

/// A change that was to restart the kubelet is over when a kubelet was seen after it, by its process, its
/// health and its list.
bool RecoveryRun::must_be_seen() const { return run_.snapshot_.live && record_.restart; }

/// Nothing will run before another process starts it.
bool RecoveryRun::is_stopped() const {
  return !run_.snapshot_.state || run_.snapshot_.state->active_state == "inactive";
}

/// True where the run that was cut short had restarted the kubelet: one that does not run now may be of its
/// making, and is never taken for one that an operator stopped.
bool RecoveryRun::owes_a_kubelet() const {
  return record_.state == TransactionState::kRestarted ||
         record_.state == TransactionState::kStranded;
}

/// A kubelet with the right list that is not well, after a restart of ours: it is started once more, as one
/// with another list would be.
bool RecoveryRun::must_start_again() {
  if (!must_be_seen() || !owes_a_kubelet() || !run_.options_.restart || run_.options_.dry_run) {
    return false;
  }
  return run_.snapshot_.process && !is_stopped() && !run_.is_healthy();
}

Result<Outcome> RecoveryRun::run() {
  const planning::Plan& plan = run_.plan_;
  run_.outcome_.edits = plan.edits;
  const bool restart = run_.restarts() || must_start_again();
  if (plan.edits.empty() && !restart) return nothing_to_write();
  run_.outcome_.restart = restart;
  if (run_.options_.dry_run) {
    run_.outcome_.transaction.clear();
    run_.outcome_.kind = OutcomeKind::kPlanned;
    return std::move(run_.outcome_);
  }
  if (auto status = run_.preflight(restart); !status) return std::move(status).error();
  // Where it fails, the next recovery begins where this one stopped.
  if (auto status = put_back(); !status) return std::move(status).error();
  run_.outcome_.changed = !plan.edits.empty();
  if (restart) return closed(with_restart());
  if (auto status = reload_if_needed(); !status) {
    return closed(failed(std::move(status).error(), {}));
  }
  const bool waits = plan.pending || plan.restart || !run_.snapshot_.live;
  return closed(close(waits ? OutcomeKind::kPending : OutcomeKind::kApplied));
}

/// What follows every end that is no error.
Result<Outcome> RecoveryRun::closed(Result<Outcome> outcome) {
  if (!outcome) return outcome;
  const bool undone = outcome->kind != OutcomeKind::kStranded;
  run_.finish(*outcome, undone ? "undone by recover" : name_of(outcome->kind));
  return outcome;
}

Status RecoveryRun::put_back() {
  StagedWrites staged;
  // The way back of one file must also go on a disk that is full, where replace() may write into the file
  // itself. Several are made ready first even then: half of them put back would be a mixture.
  const bool alone = run_.plan_.edits.size() == 1;
  auto ready = alone ? run_.check_not_interrupted() : run_.stage(staged);
  constexpr int kTwice = 2;
  return ready ? run_.write(staged, kTwice) : ready;
}

Status RecoveryRun::reload_if_needed() {
  return run_.snapshot_.live && run_.must_reload() ? run_.reload() : Status();
}

/// The files are as desired; what is left is a record to be closed.
Result<Outcome> RecoveryRun::nothing_to_write() {
  const OutcomeKind kind = run_.plan_.pending ? OutcomeKind::kPending : OutcomeKind::kUnchanged;
  if (run_.options_.dry_run) {
    run_.outcome_.transaction.clear();
    run_.outcome_.kind = kind;
    return std::move(run_.outcome_);
  }
  // A run that died between putting a unit file back and the reload left the new one loaded: the next
  // start by systemd itself would be with that.
  if (auto status = reload_if_needed(); !status) return std::move(status).error();
  return closed(close(kind));
}

Result<Outcome> RecoveryRun::with_restart() {
  if (run_.must_reload()) {
    if (auto status = run_.reload(); !status) return failed(std::move(status).error(), {});
  }
  constexpr bool kForward = false;
  auto seen = run_.restart_and_confirm(run_.direction(run_.plan_.after, run_.plan_.expected_argv),
                                       kForward);
  if (!seen) return failed(std::move(seen).error(), run_.invocation_now());
  if (!seen->good) return failed(*seen->failure, seen->invocation);
  run_.outcome_.evidence = seen->evidence;
  run_.outcome_.kind = OutcomeKind::kApplied;
  run_.outcome_.changed = true;
  auto status = run_.mark(TransactionState::kRolledBack);
  if (!status) return record_stays_open(status.error());
  return std::move(run_.outcome_);
}

/// Sees the kubelet that runs with the old files, where the change had to do with it, and closes the record.
Result<Outcome> RecoveryRun::close(OutcomeKind kind) {
  run_.outcome_.kind = kind;
  const bool restart = run_.options_.restart;
  if (must_be_seen() && is_stopped() && owes_a_kubelet() && restart) {
    return failed({.kind = ErrorKind::kTimeout,
                   .message = fmt::format("nothing runs: '{}' is inactive", run_.discover_.unit)},
                  run_.invocation_now());
  }
  // The start that waits for this run is the one that must be seen, by the next recovery.
  if (must_be_seen() && !restart && run_.transaction_.state == TransactionState::kStranded) {
    run_.outcome_.kind = OutcomeKind::kPending;
    return std::move(run_.outcome_);
  }
  if (must_be_seen() && !is_stopped() && restart) {
    const Direction way = run_.direction(run_.plan_.after, run_.plan_.expected_argv);
    auto wanted = run_.wanted_of(way);
    if (!wanted) return std::move(wanted).error();
    auto seen = run_.watch(way, *wanted, run_.options_.timeout);
    if (!seen) return failed(std::move(seen).error(), run_.invocation_now());
    if (!seen->good) return failed(*seen->failure, seen->invocation);
    run_.outcome_.evidence = seen->evidence;
  }
  auto status = run_.mark(TransactionState::kRolledBack);
  if (!status) return record_stays_open(status.error());
  return std::move(run_.outcome_);
}

/// The files are the old ones by now; there is nothing further back.
Result<Outcome> RecoveryRun::failed(Error cause, const std::string& invocation) {
  run_.take_last_words(invocation);
  run_.outcome_.was_down = run_.transaction_.was_down;
  if (run_.outcome_.was_down && run_.transaction_.state != TransactionState::kStranded) {
    run_.outcome_.cause = std::move(cause);
    return run_.rolled_back();
  }
  return stranded(std::move(cause), "the files are as before the change");
}

Outcome RecoveryRun::stranded(Error cause, const std::string& why) {
  run_.outcome_.changed = run_.wrote_ || run_.restarted_;
  cause.message += "; " + why;
  constexpr bool kSpareOthers = true;
  return run_.close_as_stranded(std::move(cause), kSpareOthers);
}

/// The end of a recovery whose record could not be written: nothing is lost, and the next one closes it.
Error RecoveryRun::record_stays_open(Error why) const {
  why.message = fmt::format(
      "the files are as before the change {} and the kubelet has them, but its record could not be "
      "closed: {}",
      record_.id, why.message);
  why.hint = "run 'kubelet-sysctl recover' again";
  return why;
}

/// The kubelet that runs, as the plan says that it is to run.
Result<Confirmation> RecoveryRun::watch() {
  const Direction way = run_.direction(run_.plan_.after, run_.plan_.expected_argv);
  auto wanted = run_.wanted_of(way);
  if (!wanted) return std::move(wanted).error();
  return run_.watch(way, *wanted, run_.options_.timeout);
}

Result<Outcome> RecoveryRun::watch_only() {
  Transaction& transaction = run_.transaction_;
  Outcome& outcome = run_.outcome_;
  outcome.was_down = transaction.was_down;
  auto seen = watch();
  if (!seen) return std::move(seen).error();
  outcome.before = transaction.before;
  if (!seen->good) {
    outcome.kind = OutcomeKind::kRolledBack;
    outcome.cause = seen->failure;
    return std::move(outcome);
  }
  outcome.evidence = seen->evidence;
  outcome.kind = OutcomeKind::kApplied;
  const auto end = transaction.trial ? TransactionState::kTrial : TransactionState::kConfirmed;
  if (auto status = run_.mark(end); !status) return std::move(status).error();
  if (end == TransactionState::kTrial) outcome.trial_until_ms = transaction.trial->until_ms;
  log_change(run_.ports_, transaction, "confirmed by recover", outcome);
  return std::move(outcome);
}

Result<Outcome> RecoveryRun::see_overtaken() {
  run_.outcome_.before = run_.outcome_.after = run_.plan_.after;
  auto seen = watch();
  if (!seen) return std::move(seen).error();
  if (!seen->good) {
    run_.take_last_words(seen->invocation);
    return stranded(*seen->failure, "another process changed its files, and they were left alone");
  }
  run_.outcome_.evidence = seen->evidence;
  run_.outcome_.kind = OutcomeKind::kApplied;
  return std::move(run_.outcome_);
}

}  // namespace kubelet_sysctl::transaction
