// SPDX-License-Identifier: Apache-2.0
// Finishes or undoes changes that were interrupted, and ends trials.
#include "kubelet_sysctl/transaction/recover.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "apply_run.hpp"
#include "files_on_disk.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/boot_id.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/apply.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/recovery_table.hpp"
#include "kubelet_sysctl/transaction/undo.hpp"
#include "recovery_run.hpp"
#include "system_log_entry.hpp"
#include "trial.hpp"

namespace kubelet_sysctl::transaction {
namespace {

constexpr Milliseconds kRecoverStep{50};

/// One transaction and the node as they are now.
struct Case {
  Transaction transaction;
  discover::DiscoverOptions discover;
  nodes::NodeSnapshot snapshot;
  model::NodeModel model;
  std::vector<FoundFile> files;
  RecoveryFacts facts;
};

class Recovery {
 public:
  Recovery(ports::Ports& ports, const discover::DiscoverOptions& discover,
           const RecoverOptions& options)
      : ports_(ports), discover_(discover), options_(options), boot_id_(ports::boot_id_of(ports)) {}

  Result<std::vector<Recovered>> run() {
    std::vector<Recovered> done;
    for (;;) {
      auto all = list_transactions(ports_);
      if (!all) return std::move(all).error();
      const Transaction* next = next_of(*all);
      if (next == nullptr) break;
      handled_.insert(next->id);
      auto one = handle(*all, next->id);
      if (!one) return std::move(one).error();
      done.push_back(std::move(*one));
      const auto& outcome = done.back().outcome;
      const bool bad = outcome && (outcome->kind == OutcomeKind::kStranded ||
                                   outcome->kind == OutcomeKind::kRolledBack);
      if (bad) return done;
    }
    if (auto tidied = tidy(); !tidied) return std::move(tidied).error();
    return done;
  }

 private:
  /// What runs that were killed or whose disk failed may have left without an open record.
  Status tidy() {
    if (options_.apply.dry_run) return {};
    if (discover_.live) {
      if (auto tidied = tidy_trials(ports_); !tidied) return tidied;
    }
    return prune_transactions(ports_);
  }

  [[nodiscard]] bool trial_over(const Transaction& one) {
    return is_over(one, ports_.clock.wall_ms(), boot_id_) || one.id == options_.end_trial;
  }

  /// The newest one that is open and was not inspected in this run.
  const Transaction* next_of(const std::vector<Transaction>& all) {
    const auto found = std::find_if(all.rbegin(), all.rend(), [this](const Transaction& one) {
      const bool ends = one.state == TransactionState::kTrial && trial_over(one);
      return (is_unfinished(one) || ends) && !handled_.contains(one.id);
    });
    return found == all.rend() ? nullptr : &*found;
  }

  Result<Recovered> handle(const std::vector<Transaction>& all, const std::string& id) {
    auto found = look(id);
    if (!found) return std::move(found).error();
    Case& one = *found;
    Recovered result;
    result.files = one.facts.files;
    result.action = decide_recovery(one.facts);
    // The undo of a trial was confirmed, and the run ended before it could close the trial's record.
    const bool undone = undone_by(all, id) != nullptr;
    if (options_.apply.dry_run) {
      result.transaction = std::move(one.transaction);
      return result;
    }
    if (auto swept = sweep(one.transaction); !swept) return std::move(swept).error();
    auto outcome = undone ? close(one, TransactionState::kRolledBack, "the trial ended")
                          : act(one, result.action);
    if (!outcome) return std::move(outcome).error();
    result.outcome = std::move(*outcome);
    auto after = load_transaction(ports_, id);
    if (!after) return std::move(after).error();
    result.transaction = std::move(*after);
    return result;
  }

  /// A killed run may have left temporary files, beside the files of its plan and in its own folder.
  Status sweep(const Transaction& transaction) {
    for (const JournalFile& file : transaction.files) {
      if (auto swept = ports_.files.sweep(file.path); !swept) return swept;
    }
    return {};
  }

  /// A restart that a killed run asked for goes on without it: what follows begins after its end.
  Status wait_for_job(const discover::DiscoverOptions& discover) {
    if (!discover.live || options_.apply.dry_run || options_.before_start) return {};
    const TimePoint until = ports_.clock.now() + options_.apply.timeout;
    for (;;) {
      auto state = ports_.services.show(discover.unit);
      if (!state) return std::move(state).error();
      if (!state->job_pending) return {};
      if (ports_.clock.now() >= until) {
        return Error{
            .kind = ErrorKind::kTimeout,
            .message = fmt::format("systemd still has a job for '{}' in its queue", discover.unit),
            .hint = "see 'systemctl list-jobs', and run it again"};
      }
      ports_.clock.wait_until(ports_.clock.now() + kRecoverStep, 0);
    }
  }

  Result<Case> look(const std::string& id) {
    Case one;
    auto loaded = load_transaction(ports_, id);
    if (!loaded) return std::move(loaded).error();
    one.transaction = std::move(*loaded);
    one.discover = discover_;
    one.discover.unit = one.transaction.unit;
    if (auto waited = wait_for_job(one.discover); !waited) return std::move(waited).error();
    for (const JournalFile& file : one.transaction.files) {
      auto found = inspect(ports_, file, is_unfinished(one.transaction));
      if (!found) return std::move(found).error();
      one.files.push_back(std::move(*found));
    }
    one.facts.state = one.transaction.state;
    one.facts.files = files_found(one.files);
    one.facts.restart = one.transaction.restart && discover_.live;
    one.facts.rollback = one.transaction.rollback;
    one.facts.trial_over = one.transaction.trial && trial_over(one.transaction);
    auto snapshot = discover::discover(ports_, one.discover);
    if (!snapshot) return std::move(snapshot).error();
    one.snapshot = std::move(*snapshot);
    // A file that was half written may not parse: then it is put back before anything is concluded.
    auto model = model::resolve(one.snapshot);
    if (model) one.model = std::move(*model);
    // Where no kubelet is to be seen, putting bytes back needs no node that can be read.
    const bool needs_model = one.facts.restart && one.facts.files != FilesFound::kMixed;
    if (!model && needs_model) return std::move(model).error();
    if (!model) one.model = model::resolve_partly(one.snapshot);
    one.facts.runs_new = model && one.facts.files == FilesFound::kNew && runs(one.model);
    return one;
  }

  /// True when the live process is seen to have the list of the files.
  static bool runs(const model::NodeModel& model) {
    if (!model.running || !model.running->entries) return false;
    const std::vector<std::string> configured = model::configured_texts(model);
    return std::set<std::string>(configured.begin(), configured.end()) ==
           std::set<std::string>(model.running->entries->begin(), model.running->entries->end());
  }

  Result<Outcome> act(Case& one, RecoveryAction action) {
    switch (action) {
      case RecoveryAction::kNothing:
        return Outcome{};
      case RecoveryAction::kUndo:
        return one.transaction.state == TransactionState::kTrial ? end_trial(one) : undo(one);
      case RecoveryAction::kConfirm:
        if (options_.before_start) return needs_time(one);
        return confirm_or_undo(one);
      case RecoveryAction::kFinish:
        if (auto loaded = reload_stale(one); !loaded) return std::move(loaded).error();
        return close(one,
                     one.discover.live && !one.snapshot.process ? TransactionState::kPending
                                                                : end_without_restart(one),
                     {});
      case RecoveryAction::kLeave:
        return leave(one);
      case RecoveryAction::kAskPerson:
        return ask_person(one);
    }
    bug("a recovery action without a way");
  }

  /// The files are another's now. Of a stranded change the kubelet was not seen yet, whichever process wrote what it
  /// reads: without that the record stays as it is.
  Result<Outcome> leave(Case& one) {
    const bool unseen = one.transaction.state == TransactionState::kStranded && one.facts.restart;
    std::optional<Evidence> evidence;
    if (unseen && options_.before_start) {
      Outcome outcome;
      outcome.verb = planning::Verb::kRecover;
      outcome.kind = OutcomeKind::kPending;
      outcome.transaction = one.transaction.id;
      return outcome;
    }
    if (unseen) {
      const planning::Plan plan = plan_as_it_is(one);
      const ApplyOptions wanted = apply_options();
      auto seen =
          RecoveryRun(ports_, one.snapshot, one.model, plan, one.discover, wanted, one.transaction)
              .see_overtaken();
      if (!seen || seen->kind == OutcomeKind::kStranded) return seen;
      evidence = seen->evidence;
    }
    auto closed =
        close(one, TransactionState::kOvertaken, "another process changed its files since");
    if (closed) closed->evidence = evidence;
    return closed;
  }

  /// No edit: what the files say is to be seen.
  static planning::Plan plan_as_it_is(const Case& one) {
    planning::Plan plan;
    plan.verb = planning::Verb::kRecover;
    plan.before = one.transaction.before;
    plan.after = model::configured_texts(one.model);
    plan.expected_argv = one.model.argv;
    return plan;
  }

  /// The unit files of a change that wanted no restart still want to be read by systemd.
  Status reload_stale(const Case& one) {
    constexpr Milliseconds kDeadline{90000};
    const auto& state = one.snapshot.state;
    if (!one.discover.live || !state || !state->needs_reload) return {};
    return ports_.services.reload(kDeadline);
  }

  /// In force already where the live kubelet has the list, else at its next start.
  static TransactionState end_without_restart(const Case& one) {
    return one.facts.runs_new ? TransactionState::kConfirmed : TransactionState::kPending;
  }

  /// Only the record changes.
  Result<Outcome> close(Case& one, TransactionState state, const std::string& cause) {
    one.transaction.cause = cause;
    if (auto status = mark_transaction(ports_, one.transaction, state); !status) {
      return std::move(status).error();
    }
    Outcome outcome;
    outcome.verb = planning::Verb::kRecover;
    outcome.transaction = one.transaction.id;
    outcome.before = outcome.after = model::configured_texts(one.model);
    if (state == TransactionState::kPending) outcome.kind = OutcomeKind::kPending;
    if (one.transaction.trial && discover_.live) {
      auto all = list_transactions(ports_);
      if (!all) return std::move(all).error();
      if (auto status = disarm_trial(ports_, one.transaction, *all); !status) {
        outcome.findings.push_back(not_disarmed(status.error()));
      }
    }
    if (discover_.live) {
      log_change(ports_, one.transaction, fmt::format("closed by recover as {}", name_of(state)),
                 outcome);
    }
    return outcome;
  }

  ApplyOptions apply_options() const {
    ApplyOptions wanted = options_.apply;
    wanted.restart = !options_.before_start;
    wanted.rollback = true;
    wanted.trial.reset();
    return wanted;
  }

  Result<Outcome> undo(const Case& one) {
    auto model = one.model;
    if (model.stopped) {
      // The files of now do not parse. Those of after the undo must, where the kubelet may run with others.
      auto put_back = planning::model_after(one.snapshot, back_edits(one));
      const bool has_restarted = one.transaction.state == TransactionState::kRestarted ||
                                 one.transaction.state == TransactionState::kStranded;
      if (!put_back && one.facts.restart && has_restarted) return std::move(put_back).error();
      if (put_back) model = std::move(*put_back);
    }
    auto plan = make_undo_plan(ports_, one.snapshot, model, one.transaction);
    if (!plan) return std::move(plan).error();
    plan->verb = planning::Verb::kRecover;
    const ApplyOptions wanted = apply_options();
    Transaction record = one.transaction;
    if (record.cause.empty()) record.cause = "the run was interrupted";
    return RecoveryRun(ports_, one.snapshot, model, *plan, one.discover, wanted, record).run();
  }

  static std::vector<planning::FileEdit> back_edits(const Case& one) {
    std::vector<planning::FileEdit> edits;
    for (std::size_t i = 0; i < one.files.size(); ++i) {
      if (one.files[i].holds == FileHolds::kOld) continue;
      edits.push_back(edit_back(one.transaction.files[i], one.files[i].now));
    }
    return edits;
  }

  /// A change of its own, with its own way back: a trial was seen to be good once.
  Result<Outcome> end_trial(Case& one) {
    auto plan = make_undo_plan(ports_, one.snapshot, one.model, one.transaction);
    if (!plan) return std::move(plan).error();
    ApplyOptions wanted = apply_options();
    wanted.undoes = one.transaction.id;
    wanted.author.reason = "the trial ended";
    auto outcome = ApplyRun(ports_, one.snapshot, one.model, *plan, one.discover, wanted).run();
    if (!outcome) return outcome;
    const bool good = outcome->kind == OutcomeKind::kApplied ||
                      outcome->kind == OutcomeKind::kPending ||
                      outcome->kind == OutcomeKind::kUnchanged;
    if (!good) return outcome;
    auto now = load_transaction(ports_, one.transaction.id);
    if (!now) return std::move(now).error();
    if (now->state != TransactionState::kTrial) return outcome;
    // Another process had put the files back already.
    auto closed = close(one, TransactionState::kRolledBack, "the trial ended");
    if (!closed) return std::move(closed).error();
    for (Finding& finding : closed->findings) outcome->findings.push_back(std::move(finding));
    return outcome;
  }

  Result<Outcome> confirm_or_undo(Case& one) {
    const planning::Plan plan = plan_as_it_is(one);
    const ApplyOptions wanted = apply_options();
    auto seen =
        RecoveryRun(ports_, one.snapshot, one.model, plan, one.discover, wanted, one.transaction)
            .watch_only();
    if (!seen || seen->kind == OutcomeKind::kApplied) return seen;
    const std::string cause = seen->cause ? seen->cause->message : std::string();
    // Time went by: the node is read again for the way back.
    auto again = look(one.transaction.id);
    if (!again) return std::move(again).error();
    again->transaction.cause = cause;
    return undo(*again);
  }

  static Error needs_time(const Case& one) {
    return {.kind = ErrorKind::kConflict,
            .message = fmt::format("the change {} was not finished, and the kubelet that runs "
                                   "with it was not watched yet",
                                   one.transaction.id),
            .hint = "run 'kubelet-sysctl recover'"};
  }

  Result<Outcome> ask_person(const Case& one) {
    Error error{.kind = ErrorKind::kConflict,
                .message = fmt::format("will not decide about the change {}: of its files some are "
                                       "old, some new, and another process changed one",
                                       one.transaction.id),
                .hint =
                    "make all of them what you want, these are the old ones; then run "
                    "'kubelet-sysctl recover' again"};
    for (std::size_t i = 0; i < one.files.size(); ++i) {
      const JournalFile& file = one.transaction.files[i];
      const FileHolds found = one.files[i].holds;
      if (found == FileHolds::kOther) error.path = file.path;
      error.detail += fmt::format("{}: {}\n", file.path,
                                  found == FileHolds::kOld   ? "as before the change"
                                  : found == FileHolds::kNew ? "as the change wrote it"
                                                             : "changed by another process");
      if (found == FileHolds::kOld) continue;
      error.detail += file.existed ? fmt::format("  cp {} {}\n", original_path(one.transaction, i),
                                                 shell_word(file.path))
                                   : fmt::format("  rm {}\n", shell_word(file.path));
    }
    return error;
  }

  ports::Ports& ports_;
  const discover::DiscoverOptions& discover_;
  const RecoverOptions& options_;
  std::string boot_id_;
  std::set<std::string> handled_;
};

}  // namespace

Result<std::vector<Recovered>> recover(ports::Ports& ports,
                                       const discover::DiscoverOptions& discover,
                                       const RecoverOptions& options) {
  return Recovery(ports, discover, options).run();
}

}  // namespace kubelet_sysctl::transaction
