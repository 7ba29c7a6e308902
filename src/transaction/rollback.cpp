// SPDX-License-Identifier: Apache-2.0
// The way back: the old bytes and a kubelet seen to run with them, or the words for a person.
#include <fmt/format.h>

#include "apply_run.hpp"
#include "files_on_disk.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/discover/launcher_files.hpp"
#include "kubelet_sysctl/kubelet/last_words.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {
namespace {

/// The journal may lag behind the end of a process; longer than this is not waited for its words.
constexpr Milliseconds kJournalDeadline{2000};
constexpr Milliseconds kJournalStep{100};
constexpr std::size_t kLastWords = 15;
/// Of which the last words are taken: an old kubelet says its reason above its stacks.
constexpr int kJournalLines = 3000;

/// Failure does not advertise the change that failed: how it would be made permanent is not said.
void drop_advice(Outcome& outcome) {
  outcome.advice = nullptr;
  std::erase_if(outcome.findings, [](const Finding& one) {
    return one.id == "will-be-rewritten" || one.id == "persist-file" || one.id == "persists-here" ||
           one.id == "no-persistent-place";
  });
}

}  // namespace

/// Puts back what was written. The disk must hold what we wrote, a piece of it, or what was there
/// before; else it is not touched.
Status ApplyRun::restore() {
  for (; attempted_ > 0; --attempted_) {
    const JournalFile& file = transaction_.files[attempted_ - 1];
    const std::string what = "put back " + file.path;
    auto status = step(what, what, [&] { return restore_one(file); });
    if (!status) return status;
    changed_at_ms_ = ports_.clock.wall_ms();
  }
  return {};
}

Status ApplyRun::restore_one(const JournalFile& file) {
  constexpr bool kUnfinished = true;
  auto found = inspect(ports_, file, kUnfinished);
  if (!found) return std::move(found).error();
  if (found->holds == FileHolds::kOld) return {};
  if (found->holds == FileHolds::kOther) {
    return Error{.kind = ErrorKind::kConflict,
                 .message = "another process changed this file in the meantime",
                 .path = file.path};
  }
  const planning::FileEdit back = edit_back(file, std::move(found->now));
  if (back.removes)
    return remove(back.before,
                  back.route == nodes::Route::kUnit || back.route == nodes::Route::kPersist);
  auto mode = ports_.files.replace(back.before, back.after);
  if (!mode) return std::move(mode).error();
  return {};
}

/// Nothing is on the disk but the record, which says so from now on.
Error ApplyRun::nothing_was_written(Error cause) {
  transaction_.cause = cause.message;
  if (auto marked = mark(TransactionState::kRolledBack); !marked) {
    cause.hint = fmt::format("the record could not be closed either: {}", marked.error().message);
  }
  if (transaction_.trial) disarm(transaction_);
  return cause;
}

/// A write failed: nothing was restarted yet, so the old bytes are all that must come back.
Result<Outcome> ApplyRun::finish_failed_write(Error cause) {
  auto status = restore();
  if (!status) return stranded(std::move(cause), status.error());
  return nothing_was_written(std::move(cause));
}

void ApplyRun::take_last_words(const std::string& invocation) {
  const TimePoint until = ports_.clock.now() + kJournalDeadline;
  for (;;) {
    const auto logged = discover::last_words_in_file(ports_.files, snapshot_, log_size_,
                                                     std::size_t{kJournalLines});
    auto words = logged && !logged->empty()
                     ? Result<std::vector<std::string>>(*logged)
                     : ports_.services.last_words(discover_.unit, invocation, 0, kJournalLines);
    // journald learns the invocation from the living process: the words of one that ended at once may
    // be without it, and are then found by the unit alone.
    if (words && words->empty() && !invocation.empty()) {
      words = ports_.services.last_words(discover_.unit, {}, restarted_at_ms_, kJournalLines);
    }
    if (words) outcome_.last_words = kubelet::said_last(std::move(*words), kLastWords);
    outcome_.recognised = kubelet::recognise(outcome_.last_words);
    if (!outcome_.recognised.empty() || ports_.clock.now() >= until) return;
    ports_.clock.wait_until(ports_.clock.now() + kJournalStep, 0);
  }
}

Result<Outcome> ApplyRun::roll_back(Error cause, const std::string& invocation) {
  // Of a kubelet that nobody found fault with, the words explain nothing.
  if (restarted_ && cause.kind != ErrorKind::kInterrupted) take_last_words(invocation);
  if (!options_.rollback) {
    return stranded(std::move(cause), Error{.kind = ErrorKind::kTimeout,
                                            .message = "left as it is, as '--no-rollback' asks"});
  }
  if (restarted_ && plan_.edits.empty()) {
    // Nothing was written, so there is nothing to put back; the files were like this before.
    return stranded(std::move(cause),
                    Error{.kind = ErrorKind::kTimeout,
                          .message = "no file was changed by this run, none can be put back"});
  }
  if (auto status = restore(); !status) return stranded(std::move(cause), status.error());
  if (snapshot_.live && must_reload()) {
    if (auto status = reload(); !status) return stranded(std::move(cause), status.error());
  }
  outcome_.changed = restarted_;
  outcome_.cause = std::move(cause);
  if (restarted_) {
    auto seen = restart_and_confirm(direction(plan_.before, model_.argv), false);
    const bool good = seen && seen->good;
    if (good) outcome_.evidence = seen->evidence;
    if (!good && !outcome_.was_down) {
      return stranded(*outcome_.cause, seen ? *seen->failure : seen.error());
    }
  }
  outcome_.after = plan_.before;
  return rolled_back();
}

Outcome ApplyRun::rolled_back() {
  outcome_.kind = OutcomeKind::kRolledBack;
  drop_advice(outcome_);
  if (outcome_.cause) transaction_.cause = outcome_.cause->message;
  if (auto status = mark(TransactionState::kRolledBack); !status) {
    warn_record_not_closed("the record of this change", status.error());
  }
  return std::move(outcome_);
}

std::vector<FileNow> ApplyRun::files_now() {
  std::vector<FileNow> files;
  for (const JournalFile& file : transaction_.files) {
    constexpr bool kUnfinished = true;
    const auto found = inspect(ports_, file, kUnfinished);
    files.push_back({.path = file.path, .holds = found ? found->holds : FileHolds::kUnknown});
  }
  return files;
}

/// What a person types: the old bytes where they are not, a start, what the kubelet says of it, and at the end
/// the command that sees the kubelet and closes the record.
std::vector<std::string> ApplyRun::commands_for(const std::vector<FileNow>& files,
                                                bool spare_others) const {
  std::vector<std::string> commands;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const JournalFile& file = transaction_.files[i];
    // What another process wrote after a change that was cut short is not ours to overwrite.
    if (files[i].holds == FileHolds::kOld || (spare_others && files[i].holds == FileHolds::kOther))
      continue;
    commands.push_back(file.existed ? fmt::format("cp {} {}", original_path(transaction_, i),
                                                  shell_word(file.path))
                                    : fmt::format("rm {}", shell_word(file.path)));
  }
  if (snapshot_.live) {
    commands.emplace_back("systemctl daemon-reload");
    commands.push_back(fmt::format("systemctl reset-failed {}", discover_.unit));
    commands.push_back(fmt::format("systemctl restart {}", discover_.unit));
    const std::string log = model::launcher_log_file(snapshot_);
    commands.push_back(log.empty() ? fmt::format("journalctl -u {} -n 50", discover_.unit)
                                   : fmt::format("tail -n 50 {}", shell_word(log)));
  }
  if (transaction_.id.empty()) return commands;
  // 'recover' leaves alone what '--no-rollback' left so.
  commands.push_back(transaction_.rollback ? std::string("kubelet-sysctl recover")
                                           : "kubelet-sysctl undo " + transaction_.id);
  return commands;
}

Outcome ApplyRun::stranded(Error cause, const Error& why) {
  outcome_.changed = true;
  cause.message += fmt::format("; the rollback failed too: {}", why.message);
  return close_as_stranded(std::move(cause), false);
}

/// `spare_others`: what another process wrote is left out of the commands.
Outcome ApplyRun::close_as_stranded(Error cause, bool spare_others) {
  outcome_.kind = OutcomeKind::kStranded;
  drop_advice(outcome_);
  outcome_.cause = std::move(cause);
  outcome_.on_disk = files_now();
  outcome_.commands = commands_for(outcome_.on_disk, spare_others);
  transaction_.cause = outcome_.cause->message;
  if (auto status = mark(TransactionState::kStranded); !status) {
    warn_record_not_closed("the record of this change", status.error());
  }
  return std::move(outcome_);
}

}  // namespace kubelet_sysctl::transaction
