// SPDX-License-Identifier: Apache-2.0
// Carrying out a plan, step by step, and putting everything back when the end was not seen.
#include "kubelet_sysctl/apply.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "engine/health.hpp"

namespace kubelet_sysctl {
namespace {

constexpr Milliseconds kReloadDeadline{90000};
/// systemd kills a process that does not stop after TimeoutStopSec, 90 s by default, and then starts.
constexpr Milliseconds kRestartDeadline{200000};
constexpr Milliseconds kHealthDeadline{1000};
/// The journal may lag behind the end of a process; longer than this is not waited for its words.
constexpr Milliseconds kJournalDeadline{2000};
constexpr Milliseconds kJournalStep{100};
constexpr int kLastWords = 15;

/// One way of the files and the process: forward with the plan, or back.
struct Direction {
  std::vector<std::string> list;
  std::vector<std::string> argv;
  bool files_route = false;   // the list comes from files, not from the arguments
};

class Run {
 public:
  Run(Ports& ports, const NodeSnapshot& snapshot, const NodeModel& model, const Plan& plan,
      const DiscoverOptions& discover, const ApplyOptions& options)
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
  }

  Result<Outcome> run() {
    outcome_.edits = plan_.edits;
    const bool restart = plan_.restart && options_.restart && snapshot_.live;
    if (plan_.edits.empty() && !restart) {
      outcome_.kind = OutcomeKind::kUnchanged;
      return std::move(outcome_);
    }
    if (restart) outcome_.restart = "restart";
    if (options_.dry_run) {
      outcome_.kind = OutcomeKind::kPlanned;
      return std::move(outcome_);
    }
    if (auto status = preflight(restart); !status) return std::move(status).error();
    if (auto status = begin(); !status) return std::move(status).error();
    if (auto status = write(); !status) return finish_failed_write(std::move(status).error());
    outcome_.changed = !plan_.edits.empty();
    if (!restart) return without_restart();
    return with_restart();
  }

 private:
  using Action = std::function<Status()>;

  Status step(const std::string& what, const Action& action) {
    if (options_.on_begin) options_.on_begin(what);
    const TimePoint begin = ports_.clock.now();
    Status status = action();
    Step done;
    done.what = what;
    done.milliseconds =
        std::chrono::duration_cast<Milliseconds>(ports_.clock.now() - begin).count();
    if (!status) done.error = status.error();
    if (options_.on_end) options_.on_end(done);
    outcome_.steps.push_back(std::move(done));
    return status;
  }

  /// What must hold before anything is written.
  Status preflight(bool restart) {
    if (ports_.clock.interrupted()) {
      return Error{.kind = ErrorKind::kInterrupted,
                   .message = "stopped by a signal, nothing was changed"};
    }
    if (!restart) return {};
    const UnitState& state = *snapshot_.state;
    if (state.load_state != "loaded") {
      return Error{.kind = ErrorKind::kMalformed,
                   .message = fmt::format("systemd has '{}' as '{}'", discover_.unit,
                                          state.load_state),
                   .hint = fmt::format("see 'systemctl status {}'", discover_.unit)};
    }
    if (state.job_pending) {
      return Error{.kind = ErrorKind::kConflict,
                   .message = fmt::format("systemd has a job for '{}' in its queue", discover_.unit),
                   .hint = "wait for it, see 'systemctl list-jobs'"};
    }
    outcome_.was_down = !is_healthy();
    return {};
  }

  bool is_healthy() {
    if (!snapshot_.process || snapshot_.state->active_state != "active") return false;
    if (model_.health_address.empty()) return true;
    auto seen = probe_health(ports_, snapshot_.process->pid, model_.health_address,
                             model_.health_port, kHealthDeadline);
    return seen && seen->ok;
  }

  Status begin() {
    if (plan_.edits.empty()) return {};
    transaction_.verb = plan_.verb;
    transaction_.unit = discover_.unit;
    transaction_.at_ms = ports_.clock.wall_ms();
    transaction_.uid = options_.author.uid;
    transaction_.sudo_user = options_.author.sudo_user;
    transaction_.reason = options_.author.reason;
    transaction_.tool_version = options_.author.tool_version;
    transaction_.before = plan_.before;
    transaction_.after = plan_.after;
    transaction_.undoes = options_.undoes;
    for (const FileEdit& edit : plan_.edits) {
      JournalFile file;
      file.path = edit.before.path;
      file.real_path = edit.before.real_path;
      file.existed = edit.before.exists();
      file.meta = edit.before.meta;
      file.original = edit.before.bytes;
      file.splices = edit.splices;
      file.removed = edit.removes;
      file.route = edit.route;
      file.daemon_reload = edit.daemon_reload;
      transaction_.files.push_back(std::move(file));
    }
    auto status = step("keep the original bytes",
                       [this] { return begin_transaction(ports_, transaction_); });
    outcome_.transaction = transaction_.id;
    return status;
  }

  Status mark(TransactionState state) {
    if (transaction_.id.empty()) return {};
    return mark_transaction(ports_, transaction_, state);
  }

  Status write_one(const FileEdit& edit) {
    if (edit.removes) return ports_.files.remove(edit.before, true);
    auto mode = ports_.files.replace(edit.before, edit.after);
    if (!mode) return std::move(mode).error();
    return {};
  }

  Status write() {
    for (const FileEdit& edit : plan_.edits) {
      const std::string what =
          fmt::format("{} {}", edit.removes ? "remove" : "write", edit.before.path);
      auto status = step(what, [&] { return write_one(edit); });
      if (!status) return status;
      ++written_;
    }
    return mark(TransactionState::kWritten);
  }

  /// Puts back what `written_` edits changed. The disk must hold what we wrote, else it is not touched.
  Status restore() {
    while (written_ > 0) {
      const FileEdit& edit = plan_.edits[written_ - 1];
      auto status = step(fmt::format("put back {}", edit.before.path), [&]() -> Status {
        auto now = ports_.files.read(edit.before.path);
        if (!now) return std::move(now).error();
        const bool ours = edit.removes ? now->kind == FileKind::kAbsent
                                       : now->exists() && now->bytes == edit.after;
        if (!ours) {
          return Error{.kind = ErrorKind::kConflict,
                       .message = "somebody else changed this file in the meantime",
                       .path = edit.before.path};
        }
        if (!edit.before.exists()) return ports_.files.remove(*now, true);
        if (edit.removes) now->meta = edit.before.meta;
        auto mode = ports_.files.replace(*now, edit.before.bytes);
        if (!mode) return std::move(mode).error();
        return {};
      });
      if (!status) return status;
      --written_;
    }
    return {};
  }

  /// A write failed: nothing was restarted yet, so the old bytes are all that must come back.
  Result<Outcome> finish_failed_write(Error cause) {
    const std::size_t before = written_;
    auto status = restore();
    if (!status) return stranded(std::move(cause), status.error());
    if (auto marked = mark(TransactionState::kRolledBack); !marked && before > 0) {
      cause.hint = fmt::format("the record could not be closed either: {}", marked.error().message);
    }
    return cause;
  }

  bool must_reload() const {
    return (snapshot_.state && snapshot_.state->needs_reload) ||
           std::any_of(plan_.edits.begin(), plan_.edits.end(),
                       [](const FileEdit& edit) { return edit.daemon_reload; });
  }

  /// daemon-reload exits 0 with a broken unit, so the unit is looked at afterwards.
  Status reload() {
    return step("daemon-reload", [this]() -> Status {
      if (auto status = ports_.services.reload(kReloadDeadline); !status) return status;
      auto state = ports_.services.show(discover_.unit);
      if (!state) return std::move(state).error();
      if (state->load_state == "loaded") return {};
      return Error{.kind = ErrorKind::kMalformed,
                   .message = fmt::format("after the reload systemd has '{}' as '{}': {}",
                                          discover_.unit, state->load_state, state->load_error)};
    });
  }

  Result<Outcome> without_restart() {
    if (snapshot_.live && must_reload()) {
      if (auto status = reload(); !status) return roll_back(std::move(status).error(), {}, false);
    }
    const bool waits = plan_.pending || plan_.restart || !snapshot_.live;
    outcome_.kind = waits ? OutcomeKind::kPending : OutcomeKind::kApplied;
    if (auto status = mark(waits ? TransactionState::kPending : TransactionState::kConfirmed);
        !status) {
      return roll_back(std::move(status).error(), {}, false);
    }
    if (!waits) {
      Evidence evidence;
      evidence.pid = model_.running->process.pid;
      evidence.started_at_ms = model_.running->process.started_at_ms;
      evidence.health = "not asked: nothing was restarted";
      outcome_.evidence = evidence;
    }
    return std::move(outcome_);
  }

  Result<Outcome> with_restart() {
    if (must_reload()) {
      if (auto status = reload(); !status) return roll_back(std::move(status).error(), {}, false);
    }
    const bool flag = list_in_argv(plan_.expected_argv).has_value();
    const Direction forward{.list = plan_.after, .argv = plan_.expected_argv, .files_route = !flag};
    auto seen = restart_and_confirm(forward);
    if (!seen) return roll_back(std::move(seen).error(), {}, true);
    if (!seen->good) return roll_back(*seen->failure, seen->invocation, true);
    outcome_.evidence = seen->evidence;
    outcome_.kind = OutcomeKind::kApplied;
    outcome_.changed = true;
    if (auto status = mark(TransactionState::kConfirmed); !status) {
      Finding finding;
      finding.id = "record-not-closed";
      finding.severity = Severity::kWarning;
      finding.message = fmt::format("the change is in force, but its record could not be closed: {}",
                                    status.error().message);
      outcome_.findings.push_back(std::move(finding));
    }
    return std::move(outcome_);
  }

  /// One restart and everything that must be seen after it.
  Result<Confirmation> restart_and_confirm(const Direction& way) {
    auto before = ports_.services.show(discover_.unit);
    if (!before) return std::move(before).error();
    Wanted wanted;
    wanted.unit = discover_.unit;
    wanted.list = way.list;
    wanted.argv = way.argv;
    wanted.health_address = model_.health_address;
    wanted.health_port = model_.health_port;
    wanted.before = *before;
    if (before->main_pid > 0) {
      auto old = read_process(ports_.files, before->main_pid);
      if (!old) return std::move(old).error();
      wanted.old_process = *old;
    }
    if (way.files_route) wanted.config_files = config_files();
    // Starts by hand count for the start limit, and the one too many leaves the kubelet dead.
    if (before->start_limit_interval_usec > 0 && before->start_limit_burst > 0) {
      if (auto status = ports_.services.reset_failed(discover_.unit); !status) {
        return std::move(status).error();
      }
    }
    wanted.restarted_at_ms = ports_.clock.wall_ms();
    auto restarted = step(fmt::format("restart {}", discover_.unit), [this] {
      return ports_.services.restart(discover_.unit, kRestartDeadline);
    });
    if (!restarted) return std::move(restarted).error();
    if (auto status = mark(TransactionState::kRestarted); !status) return std::move(status).error();
    return watch(way, wanted);
  }

  Result<Confirmation> watch(const Direction& way, const Wanted& wanted) {
    Result<Confirmation> seen = Confirmation{};
    auto status = step("see the list in the running kubelet", [&]() -> Status {
      seen = confirm(ports_, wanted, options_.timeout, options_.window);
      if (!seen) return seen.error();
      if (seen->good) see_again(way, *seen);
      if (seen->failure) return *seen->failure;
      return {};
    });
    if (!status && seen && seen->good) return std::move(status).error();
    return seen;
  }

  /// The whole node read anew: the files still say it, and the process that was watched runs with it.
  void see_again(const Direction& way, Confirmation& seen) {
    const auto fail = [&seen](Error error) {
      seen.good = false;
      seen.failure = std::move(error);
    };
    auto snapshot = discover(ports_, discover_);
    if (!snapshot) return fail(std::move(snapshot).error());
    auto model = resolve(*snapshot);
    if (!model) return fail(std::move(model).error());
    const std::set<std::string> wanted(way.list.begin(), way.list.end());
    std::set<std::string> running;
    const bool told = model->running && model->running->entries;
    if (told) running.insert(model->running->entries->begin(), model->running->entries->end());
    if (!told || running != wanted || model->running->process.pid != seen.evidence.pid) {
      return fail({.kind = ErrorKind::kTimeout,
                   .message = "the running kubelet could not be seen with this list"});
    }
    if (model->running->evidence != RunningList::Evidence::kConfigFile) return;
    const Layer* winner = winner_of(*model);
    seen.evidence.config_file = winner == nullptr ? model->config_path : winner->at.path;
  }

  std::vector<std::string> config_files() const {
    std::vector<std::string> files;
    if (!model_.config_path.empty()) files.push_back(model_.config_path);
    if (!model_.config_dir.empty()) files.push_back(model_.config_dir);
    return files;
  }

  void take_last_words(const std::string& invocation) {
    const TimePoint until = ports_.clock.now() + kJournalDeadline;
    for (;;) {
      auto words = ports_.services.last_words(discover_.unit, invocation, kLastWords);
      if (words) outcome_.last_words = std::move(*words);
      outcome_.recognised = recognise(outcome_.last_words);
      if (!outcome_.recognised.empty() || ports_.clock.now() >= until) return;
      ports_.clock.wait_until(ports_.clock.now() + kJournalStep, 0);
    }
  }

  Result<Outcome> roll_back(Error cause, const std::string& invocation, bool restarted) {
    if (restarted) take_last_words(invocation);
    if (!options_.rollback) {
      return stranded(std::move(cause), Error{.kind = ErrorKind::kTimeout,
                                              .message = "left as it is, as '--no-rollback' asks"});
    }
    if (restarted && plan_.edits.empty()) {
      // Nothing was written, so there is nothing to put back; the files were like this before.
      return stranded(std::move(cause),
                      Error{.kind = ErrorKind::kTimeout,
                            .message = "no file was changed by this run, none can be put back"});
    }
    if (auto status = restore(); !status) return stranded(std::move(cause), status.error());
    if (snapshot_.live && must_reload()) {
      if (auto status = reload(); !status) return stranded(std::move(cause), status.error());
    }
    outcome_.changed = restarted;
    outcome_.cause = std::move(cause);
    if (restarted) {
      const bool flag = list_in_argv(model_.argv).has_value();
      const Direction back{.list = plan_.before, .argv = model_.argv, .files_route = !flag};
      auto seen = restart_and_confirm(back);
      const bool good = seen && seen->good;
      if (good) outcome_.evidence = seen->evidence;
      if (!good && !outcome_.was_down) {
        return stranded(*outcome_.cause, seen ? *seen->failure : seen.error());
      }
    }
    outcome_.kind = OutcomeKind::kRolledBack;
    outcome_.after = plan_.before;
    close_record(TransactionState::kRolledBack);
    return std::move(outcome_);
  }

  void close_record(TransactionState state) {
    auto status = mark(state);
    if (status) return;
    Finding finding;
    finding.id = "record-not-closed";
    finding.severity = Severity::kWarning;
    finding.message =
        fmt::format("the record of this change could not be closed: {}", status.error().message);
    outcome_.findings.push_back(std::move(finding));
  }

  Outcome stranded(Error cause, const Error& why) {
    outcome_.kind = OutcomeKind::kStranded;
    outcome_.changed = true;
    cause.message += fmt::format("; and it could not be put right: {}", why.message);
    outcome_.cause = std::move(cause);
    for (std::size_t i = 0; i < written_; ++i) {
      const FileEdit& edit = plan_.edits[i];
      outcome_.commands.push_back(
          edit.before.exists()
              ? fmt::format("cp {} {}", original_path(transaction_, i), edit.before.path)
              : fmt::format("rm {}", edit.before.path));
    }
    if (snapshot_.live) {
      outcome_.commands.push_back("systemctl daemon-reload");
      outcome_.commands.push_back(fmt::format("systemctl reset-failed {}", discover_.unit));
      outcome_.commands.push_back(fmt::format("systemctl restart {}", discover_.unit));
      outcome_.commands.push_back(fmt::format("journalctl -u {} -n 50", discover_.unit));
    }
    close_record(TransactionState::kStranded);
    return std::move(outcome_);
  }

  Ports& ports_;
  const NodeSnapshot& snapshot_;
  const NodeModel& model_;
  const Plan& plan_;
  const DiscoverOptions& discover_;
  const ApplyOptions& options_;
  Outcome outcome_;
  Transaction transaction_;
  std::size_t written_ = 0;
};

}  // namespace

Result<Outcome> apply(Ports& ports, const NodeSnapshot& snapshot, const NodeModel& model,
                      const Plan& plan, const DiscoverOptions& discover,
                      const ApplyOptions& options) {
  return Run(ports, snapshot, model, plan, discover, options).run();
}

}  // namespace kubelet_sysctl
