// SPDX-License-Identifier: Apache-2.0
// The end of a change that was cut short: its record is closed when the kubelet was seen, and not before.
#include <fmt/format.h>

#include "apply_run.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/checks/down.hpp"
#include "kubelet_sysctl/discover/health.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "system_log_entry.hpp"

namespace kubelet_sysctl::transaction {

/// A change that was to restart the kubelet is over when a kubelet was seen after it, by its process, its
/// health and its list.
bool ApplyRun::must_be_seen() const {
  return is_recovery() && snapshot_.live && options_.recovers->restart;
}

/// Nothing will run before another process starts it.
bool ApplyRun::is_stopped() const {
  return !snapshot_.state || snapshot_.state->active_state == "inactive";
}

/// True where the run that was cut short had restarted the kubelet: one that does not run now may be of its
/// making, and is never taken for one that an operator stopped.
bool ApplyRun::owes_a_kubelet() const {
  const TransactionState state = options_.recovers->state;
  return state == TransactionState::kRestarted || state == TransactionState::kStranded;
}

/// A kubelet with the right list that is not well, after a restart of ours: it is started once more, as one
/// with another list would be.
bool ApplyRun::must_start_anew() {
  if (!must_be_seen() || !owes_a_kubelet() || !options_.restart || options_.dry_run) return false;
  return snapshot_.process && !is_stopped() && !is_healthy();
}

/// "Nothing to do" is no word about a kubelet that is down: that comes first.
void ApplyRun::say_that_it_is_down() {
  if (!snapshot_.live || !snapshot_.state) return;
  std::optional<nodes::HealthSeen> health;
  if (snapshot_.process && !model_.health_address.empty()) {
    constexpr Milliseconds kDeadline{1000};
    health = discover::ask_health_of(ports_, model_.health_address, model_.health_port, kDeadline);
  }
  auto down = checks::down_finding(snapshot_, health);
  if (!down) return;
  outcome_.was_down = true;
  outcome_.findings.insert(outcome_.findings.begin(), std::move(*down));
}

/// The files are as wished; what is left is a record to be closed.
Result<Outcome> ApplyRun::nothing_to_write() {
  const OutcomeKind kind = plan_.pending ? OutcomeKind::kPending : OutcomeKind::kUnchanged;
  outcome_.kind = kind;
  if (!is_recovery()) say_that_it_is_down();
  if (!is_recovery() || options_.dry_run) return std::move(outcome_);
  transaction_ = *options_.recovers;
  outcome_.transaction = transaction_.id;
  // A run that died between putting a unit file back and the reload left the new one loaded: the next
  // start by systemd itself would be with that.
  if (snapshot_.live && must_reload()) {
    if (auto status = reload(); !status) return std::move(status).error();
  }
  auto outcome = close_recovery(kind);
  if (outcome) finish(*outcome);
  return outcome;
}

/// Sees the kubelet that runs with the old files, where the change had to do with it, and closes the record.
Result<Outcome> ApplyRun::close_recovery(OutcomeKind kind) {
  outcome_.kind = kind;
  if (must_be_seen() && is_stopped() && owes_a_kubelet() && options_.restart) {
    return roll_back({.kind = ErrorKind::kTimeout,
                      .message = fmt::format("nothing runs: '{}' is inactive", discover_.unit)},
                     invocation_now());
  }
  // The start that waits for this run is the one that must be seen, by the next recovery.
  const bool later =
      must_be_seen() && !options_.restart && transaction_.state == TransactionState::kStranded;
  if (later) {
    outcome_.kind = OutcomeKind::kPending;
    return std::move(outcome_);
  }
  if (must_be_seen() && !is_stopped() && options_.restart) {
    const Direction way = direction(plan_.after, plan_.expected_argv);
    auto wanted = wanted_of(way);
    if (!wanted) return std::move(wanted).error();
    auto seen = watch(way, *wanted, options_.timeout);
    if (!seen) return roll_back(std::move(seen).error(), invocation_now());
    if (!seen->good) return roll_back(*seen->failure, seen->invocation);
    outcome_.evidence = seen->evidence;
  }
  auto status = mark(TransactionState::kRolledBack);
  if (!status) return record_stays_open(status.error());
  return std::move(outcome_);
}

/// The end of a recovery whose record could not be written: nothing is lost, and the next one closes it.
Error ApplyRun::record_stays_open(Error why) {
  why.message = fmt::format(
      "the files are as before the change {} and the kubelet has them, but its record could not be "
      "closed: {}",
      transaction_.id, why.message);
  why.hint = "run 'kubelet-sysctl recover' again";
  return why;
}

Result<Outcome> ApplyRun::watch_only() {
  transaction_ = *options_.recovers;
  outcome_.transaction = transaction_.id;
  outcome_.was_down = transaction_.was_down;
  const Direction way = direction(plan_.after, plan_.expected_argv);
  auto wanted = wanted_of(way);
  if (!wanted) return std::move(wanted).error();
  auto seen = watch(way, *wanted, options_.timeout);
  if (!seen) return std::move(seen).error();
  outcome_.before = transaction_.before;
  if (!seen->good) {
    outcome_.kind = OutcomeKind::kRolledBack;
    outcome_.cause = seen->failure;
    return std::move(outcome_);
  }
  outcome_.evidence = seen->evidence;
  outcome_.kind = OutcomeKind::kApplied;
  const auto end = transaction_.trial ? TransactionState::kTrial : TransactionState::kConfirmed;
  if (auto status = mark(end); !status) return std::move(status).error();
  if (transaction_.state == TransactionState::kTrial) {
    outcome_.trial_until_ms = transaction_.trial->until_ms;
  }
  log_change(ports_, transaction_, "confirmed by recover", outcome_);
  return std::move(outcome_);
}

Result<Outcome> ApplyRun::see_overtaken() {
  transaction_ = *options_.recovers;
  outcome_.transaction = transaction_.id;
  outcome_.before = outcome_.after = plan_.after;
  const Direction way = direction(plan_.after, plan_.expected_argv);
  auto wanted = wanted_of(way);
  if (!wanted) return std::move(wanted).error();
  auto seen = watch(way, *wanted, options_.timeout);
  if (!seen) return std::move(seen).error();
  if (!seen->good) {
    take_last_words(seen->invocation);
    return stranded(
        *seen->failure,
        Error{.kind = ErrorKind::kTimeout,
              .message = "another process changed its files, and they were left alone"});
  }
  outcome_.evidence = seen->evidence;
  outcome_.kind = OutcomeKind::kApplied;
  return std::move(outcome_);
}

}  // namespace kubelet_sysctl::transaction
