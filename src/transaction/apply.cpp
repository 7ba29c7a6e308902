// SPDX-License-Identifier: Apache-2.0
// Carrying out a plan, step by step; what follows when its end was not seen is in rollback.cpp.
#include "kubelet_sysctl/transaction/apply.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "apply_run.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/checks/down.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/discover/health.hpp"
#include "kubelet_sysctl/discover/sockets.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "system_log_entry.hpp"

namespace kubelet_sysctl::transaction {
namespace {

constexpr Milliseconds kReloadDeadline{90000};
constexpr Milliseconds kHealthDeadline{1000};

/// True when systemd reads `file` as a drop-in of the unit, whatever else it is: a configuration of the
/// kubelet that is named *.conf and lies in 'kubelet.service.d' is both, and systemd must be informed of every
/// change of it. Source: systemd.unit(5), drop-in directories "foo.service.d", "foo-.service.d", "service.d";
/// kubernetes/website, "Set up a High Availability etcd Cluster with kubeadm".
bool is_drop_in(const nodes::NodeSnapshot& snapshot, const SourceFile& file) {
  for (const std::int32_t source : snapshot.unit.drop_ins) {
    const SourceFile& one = snapshot.files[static_cast<std::size_t>(source)];
    const bool same_real = !file.real_path.empty() && one.real_path == file.real_path;
    if (same_real || one.path == file.path) return true;
  }
  // One that does not exist yet.
  if (!file.path.ends_with(".conf")) return false;
  const std::string directory = file.path.substr(0, file.path.rfind('/'));
  return directory.ends_with("service.d") &&
         directory.find("/systemd/system/") != std::string::npos;
}

}  // namespace

ApplyRun::ApplyRun(ports::Ports& ports, const nodes::NodeSnapshot& snapshot,
                   const model::NodeModel& model, const planning::Plan& plan,
                   const discover::DiscoverOptions& discover, const ApplyOptions& options)
    : ports_(ports),
      snapshot_(snapshot),
      model_(model),
      plan_(plan),
      discover_(discover),
      options_(options) {
  outcome_.verb = plan.verb;
  outcome_.before = plan.before;
  outcome_.after = plan.after;
  outcome_.findings = plan.findings;
  outcome_.advice = plan.advice;
}

bool ApplyRun::restarts() const { return plan_.restart && options_.restart && snapshot_.live; }

Result<Outcome> ApplyRun::run() {
  outcome_.edits = plan_.edits;
  const bool restart = restarts();
  if (plan_.edits.empty() && !restart) return nothing_to_write();
  outcome_.restart = restart;
  if (options_.dry_run) {
    outcome_.kind = OutcomeKind::kPlanned;
    see_health();
    return std::move(outcome_);
  }
  if (auto status = preflight(restart); !status) return std::move(status).error();
  if (auto status = begin(restart); !status) return std::move(status).error();
  StagedWrites staged;
  if (auto ready = stage(staged); !ready) return nothing_was_written(std::move(ready).error());
  Result<Outcome> outcome = outcome_;
  constexpr int kOnce = 1;
  if (auto status = write(staged, kOnce); !status) {
    outcome = finish_failed_write(std::move(status).error());
  } else {
    // That the record lags behind is no reason to take back files that are written: recovery inspects the files.
    if (!mark(TransactionState::kWritten)) transaction_.state = TransactionState::kPlanned;
    outcome_.changed = !plan_.edits.empty();
    outcome = restart ? with_restart() : without_restart();
  }
  if (outcome) finish(*outcome, name_of(outcome->kind));
  return outcome;
}

/// For a run that restarts nothing: how the kubelet is.
std::optional<nodes::HealthSeen> ApplyRun::see_health() {
  if (!snapshot_.live || !snapshot_.state) return std::nullopt;
  auto health = discover::health_of(ports_, snapshot_, model_);
  if (health) outcome_.healthy = health->ok;
  return health;
}

/// A kubelet that is down is reported before "nothing to do".
void ApplyRun::say_that_it_is_down() {
  if (!snapshot_.live || !snapshot_.state) return;
  auto down = checks::down_finding(snapshot_, see_health());
  if (!down) return;
  outcome_.was_down = true;
  outcome_.healthy = false;
  outcome_.findings.insert(outcome_.findings.begin(), std::move(*down));
}

Result<Outcome> ApplyRun::nothing_to_write() {
  outcome_.kind = plan_.pending ? OutcomeKind::kPending : OutcomeKind::kUnchanged;
  say_that_it_is_down();
  return std::move(outcome_);
}

/// After every end that is not an error: stops the timer of a trial that is over, writes the line in the
/// log with `what` became of the change, removes old records.
void ApplyRun::finish(Outcome& outcome, std::string what) {
  say_signal(outcome);
  if (transaction_.id.empty()) return;
  // The outcome was given away: what is found from here on is carried after it.
  const bool given_away = &outcome != &outcome_;
  if (given_away) outcome_.findings.clear();
  if (transaction_.trial && transaction_.state == TransactionState::kTrial) {
    outcome.trial_until_ms = transaction_.trial->until_ms;
  } else if (transaction_.trial && transaction_.state != TransactionState::kStranded) {
    disarm(transaction_);
  }
  close_undone_trial();
  if (given_away) {
    for (Finding& finding : outcome_.findings) outcome.findings.push_back(std::move(finding));
  }
  if (!snapshot_.live) return;
  if (transaction_.state == TransactionState::kTrial) what = "applied on trial";
  log_change(ports_, transaction_, what, outcome);
  if (auto pruned = prune_transactions(ports_); !pruned) {
    outcome.findings.push_back(
        {.id = "records-not-pruned",
         .severity = Severity::kWarning,
         .message = fmt::format("old records could not be removed: {}", pruned.error().message)});
  }
}

void ApplyRun::say_signal(Outcome& outcome) {
  if (!wrote_ || !ports_.clock.interrupted()) return;
  if (outcome.cause && outcome.cause->kind == ErrorKind::kInterrupted) return;
  outcome.findings.push_back(
      {.id = "signal-after-write",
       .severity = Severity::kWarning,
       .message = "a signal came after the first write: the run was finished first"});
}

/// `done` is read when the action has ended, which may have filled it in.
Status ApplyRun::step(const std::string& what, const std::string& done, const Action& action) {
  if (options_.on_begin) options_.on_begin(what);
  const TimePoint begin = ports_.clock.now();
  Status status = action();
  Step ended;
  ended.what = what;
  ended.done = done;
  ended.milliseconds = std::chrono::duration_cast<Milliseconds>(ports_.clock.now() - begin).count();
  if (!status) ended.error = status.error();
  if (options_.on_end) options_.on_end(ended);
  outcome_.steps.push_back(std::move(ended));
  return status;
}

Status ApplyRun::check_not_interrupted() {
  if (!ports_.clock.interrupted()) return {};
  return Error{.kind = ErrorKind::kInterrupted,
               .message = "stopped by a signal, nothing was changed"};
}

/// What must hold before anything is written.
Status ApplyRun::preflight(bool restart) {
  if (auto status = check_not_interrupted(); !status) return status;
  if (!restart) return {};
  const ports::UnitState& state = *snapshot_.state;
  if (state.load_state != "loaded") {
    return Error{
        .kind = ErrorKind::kMalformed,
        .message = fmt::format("systemd has '{}' as '{}'", discover_.unit, state.load_state),
        .hint = fmt::format("see 'systemctl status {}'", discover_.unit)};
  }
  if (state.job_pending) {
    return Error{.kind = ErrorKind::kConflict,
                 .message = fmt::format("systemd has a job for '{}' in its queue", discover_.unit),
                 .hint = "wait for it, see 'systemctl list-jobs'"};
  }
  if (auto status = check_confirmable(); !status) return status;
  outcome_.was_down = !is_healthy();
  return {};
}

/// Whether health could be seen after a restart is asked before anything is written: a restart that cannot be
/// judged ends in a way back that cannot be judged either.
Status ApplyRun::check_confirmable() {
  if (model_.health_address.empty()) return {};
  constexpr std::int64_t kInit = 1;
  const std::int64_t pid = snapshot_.process ? snapshot_.process->pid : kInit;
  if (!discover::shares_network(ports_.files, pid).value_or(true)) {
    return Error{
        .kind = ErrorKind::kUnsupported,
        .message =
            "will not restart the kubelet: it is in another network namespace, and its "
            "health could not be asked from here",
        .hint = fmt::format("run it there: nsenter --net=/proc/{}/ns/net kubelet-sysctl ...", pid)};
  }
  auto asked = discover::answers_at(ports_.files, pid, model_.health_address, model_.health_port);
  if (asked) return {};
  Error error = std::move(asked).error();
  error.message = "will not restart the kubelet: whether it is healthy then could not be seen: " +
                  error.message;
  return error;
}

bool ApplyRun::is_healthy() {
  if (!snapshot_.process || snapshot_.state->active_state != "active") return false;
  if (model_.health_address.empty()) return true;
  auto seen = discover::probe_health(ports_, snapshot_.process->pid, model_.health_address,
                                     model_.health_port, kHealthDeadline);
  return seen && seen->ok;
}

bool ApplyRun::must_reload() const {
  return (snapshot_.state && snapshot_.state->needs_reload) ||
         std::any_of(plan_.edits.begin(), plan_.edits.end(),
                     [this](const planning::FileEdit& edit) {
                       return edit.daemon_reload || is_drop_in(snapshot_, edit.before);
                     });
}

/// daemon-reload exits 0 with a broken unit, so the unit is inspected afterwards.
Status ApplyRun::reload() {
  return step("daemon-reload", "reloaded systemd", [this]() -> Status {
    if (auto status = ports_.services.reload(kReloadDeadline); !status) return status;
    auto state = ports_.services.show(discover_.unit);
    if (!state) return std::move(state).error();
    if (state->load_state == "loaded") return {};
    return Error{.kind = ErrorKind::kMalformed,
                 .message = fmt::format("after the reload systemd has '{}' as '{}': {}",
                                        discover_.unit, state->load_state, state->load_error)};
  });
}

Result<Outcome> ApplyRun::without_restart() {
  if (snapshot_.live && must_reload()) {
    if (auto status = reload(); !status) return roll_back(std::move(status).error(), {});
  }
  const bool waits = plan_.pending || plan_.restart || !snapshot_.live;
  outcome_.kind = waits ? OutcomeKind::kPending : OutcomeKind::kApplied;
  if (auto status = mark(waits ? TransactionState::kPending : state_of_success()); !status) {
    return roll_back(std::move(status).error(), {});
  }
  see_health();
  if (!waits) {
    Evidence evidence;
    evidence.pid = model_.running->process.pid;
    evidence.started_at_ms = model_.running->process.started_at_ms;
    evidence.health = "not asked: nothing was restarted";
    evidence.configz = model_.running->configz;
    outcome_.evidence = evidence;
  }
  return std::move(outcome_);
}

Direction ApplyRun::direction(const EntryList& list, const std::vector<std::string>& argv) const {
  // A host adds flags of its own, so the whole command line is not known before it runs.
  const bool whole = !model_.wrapped && model::launcher_of(snapshot_) == nullptr;
  return {.list = list,
          .argv = whole ? argv : std::vector<std::string>(),
          .files_route = !model::list_in_argv(argv).has_value()};
}

/// Of the start that failed, when systemd still knows it.
std::string ApplyRun::invocation_now() {
  auto state = ports_.services.show(discover_.unit);
  return state ? state->invocation_id : std::string();
}

Result<Outcome> ApplyRun::with_restart() {
  if (must_reload()) {
    if (auto status = reload(); !status) return roll_back(std::move(status).error(), {});
  }
  forward_ = true;
  auto seen = restart_and_confirm(direction(plan_.after, plan_.expected_argv), attempted_ > 0);
  forward_ = false;
  if (!seen) return roll_back(std::move(seen).error(), invocation_now());
  if (!seen->good) return roll_back(*seen->failure, seen->invocation);
  outcome_.evidence = seen->evidence;
  outcome_.kind = OutcomeKind::kApplied;
  outcome_.changed = true;
  if (auto status = mark(state_of_success()); !status) {
    warn_record_not_closed("the change is in force, but its record", status.error());
  }
  return std::move(outcome_);
}

void ApplyRun::warn_record_not_closed(const std::string& what, const Error& error) {
  outcome_.findings.push_back(
      {.id = "record-not-closed",
       .severity = Severity::kWarning,
       .message = fmt::format("{} could not be closed: {}", what, error.message)});
}

Result<Outcome> apply(ports::Ports& ports, const nodes::NodeSnapshot& snapshot,
                      const model::NodeModel& model, const planning::Plan& plan,
                      const discover::DiscoverOptions& discover, const ApplyOptions& options) {
  discover::DiscoverOptions settled = discover;
  // The unit that was chosen once; another look might choose another.
  if (settled.unit.empty()) settled.unit = snapshot.unit.name;
  return ApplyRun(ports, snapshot, model, plan, settled, options).run();
}

}  // namespace kubelet_sysctl::transaction
