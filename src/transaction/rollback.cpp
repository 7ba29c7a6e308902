// SPDX-License-Identifier: Apache-2.0
// The way back: the old bytes and a kubelet seen to run with them, or the words for a person.
#include <fmt/format.h>

#include "apply_run.hpp"
#include "files_on_disk.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
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
constexpr int kLastWords = 15;

/// A path as one word of a shell, for a person to paste.
std::string quoted(const std::string& path) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%=,";
  if (path.find_first_not_of(kPlain) == std::string::npos) return path;
  std::string word = "'";
  for (const char byte : path) word += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
  return word + "'";
}

/// Failure does not advertise the change that failed: how it would be made permanent is not said.
void drop_advice(Outcome& outcome) {
  outcome.advice.reset();
  std::erase_if(outcome.findings, [](const Finding& one) {
    return one.id == "will-be-rewritten" || one.id == "lasting-file" || one.id == "lasts-here" ||
           one.id == "no-lasting-place";
  });
}

}  // namespace

/// Puts back what was written. The disk must hold what we wrote, a piece of it, or what was there
/// before; else it is not touched.
Status ApplyRun::restore() {
  for (; attempted_ > 0; --attempted_) {
    const JournalFile& file = transaction_.files[attempted_ - 1];
    auto status = step(fmt::format("put back {}", file.path), [&] { return restore_one(file); });
    if (!status) return status;
    changed_at_ms_ = ports_.clock.wall_ms();
  }
  return {};
}

Status ApplyRun::restore_one(const JournalFile& file) {
  constexpr bool kUnfinished = true;
  auto found = look_at(ports_, file, kUnfinished);
  if (!found) return std::move(found).error();
  if (found->found == FileFound::kOld) return {};
  if (found->found == FileFound::kForeign) {
    return Error{.kind = ErrorKind::kConflict,
                 .message = "somebody else changed this file in the meantime",
                 .path = file.path};
  }
  const planning::FileEdit back = edit_back(file, std::move(found->now));
  if (back.removes) return remove(back.before, back.route == "unit" || back.route == "lasting");
  auto mode = ports_.files.replace(back.before, back.after);
  if (!mode) return std::move(mode).error();
  return {};
}

/// Nothing stands on the disk but the record, which says so from now on.
Error ApplyRun::nothing_was_written(Error cause) {
  if (is_recovery()) return cause;
  transaction_.cause = cause.message;
  if (auto marked = mark(TransactionState::kRolledBack); !marked) {
    cause.hint = fmt::format("the record could not be closed either: {}", marked.error().message);
  }
  if (transaction_.trial) disarm(transaction_);
  return cause;
}

/// A write failed: nothing was restarted yet, so the old bytes are all that must come back.
Result<Outcome> ApplyRun::finish_failed_write(Error cause) {
  // The next recovery begins where this one stopped.
  if (is_recovery()) return cause;
  auto status = restore();
  if (!status) return stranded(std::move(cause), status.error());
  return nothing_was_written(std::move(cause));
}

void ApplyRun::take_last_words(const std::string& invocation) {
  const TimePoint until = ports_.clock.now() + kJournalDeadline;
  for (;;) {
    const auto logged = discover::last_words_in_file(ports_.files, snapshot_, log_size_,
                                                     static_cast<std::size_t>(kLastWords));
    auto words = logged && !logged->empty()
                     ? Result<std::vector<std::string>>(*logged)
                     : ports_.services.last_words(discover_.unit, invocation, 0, kLastWords);
    // journald learns the invocation from the living process: the words of one that ended at once may
    // be without it, and are then found by the unit alone.
    if (words && words->empty() && !invocation.empty()) {
      words = ports_.services.last_words(discover_.unit, {}, restarted_at_ms_, kLastWords);
    }
    if (words) outcome_.last_words = std::move(*words);
    outcome_.recognised = kubelet::recognise(outcome_.last_words);
    if (!outcome_.recognised.empty() || ports_.clock.now() >= until) return;
    ports_.clock.wait_until(ports_.clock.now() + kJournalStep, 0);
  }
}

Result<Outcome> ApplyRun::roll_back(Error cause, const std::string& invocation) {
  if (restarted_ || is_recovery()) take_last_words(invocation);
  if (is_recovery()) {
    // The files are the old ones by now; there is nothing further back.
    outcome_.was_down = transaction_.was_down;
    if (outcome_.was_down && transaction_.state != TransactionState::kStranded) {
      outcome_.cause = std::move(cause);
      return rolled_back();
    }
    return stranded(std::move(cause), Error{.kind = ErrorKind::kTimeout,
                                            .message = "the files are as before the change"});
  }
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
    auto seen = restart_and_confirm(direction(plan_.before, model_.argv));
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
    const auto found = look_at(ports_, file, kUnfinished);
    const char* holds = "unknown";
    if (found) {
      holds = found->found == FileFound::kOld    ? "old"
              : found->found == FileFound::kNew  ? "new"
              : found->found == FileFound::kTorn ? "torn"
                                                 : "other";
    }
    files.push_back({.path = file.path, .holds = holds});
  }
  return files;
}

/// What a person types: the old bytes where they are not, a start, what the kubelet says of it, and at the end
/// the command that sees the kubelet and closes the record.
std::vector<std::string> ApplyRun::commands_for(const std::vector<FileNow>& files) const {
  std::vector<std::string> commands;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const JournalFile& file = transaction_.files[i];
    // What another process wrote after the change is not ours to overwrite.
    if (files[i].holds == "old" || (is_recovery() && files[i].holds == "other")) continue;
    commands.push_back(
        file.existed ? fmt::format("cp {} {}", original_path(transaction_, i), quoted(file.path))
                     : fmt::format("rm {}", quoted(file.path)));
  }
  if (snapshot_.live) {
    commands.emplace_back("systemctl daemon-reload");
    commands.push_back(fmt::format("systemctl reset-failed {}", discover_.unit));
    commands.push_back(fmt::format("systemctl restart {}", discover_.unit));
    const std::string log = model::host_log_file(snapshot_);
    commands.push_back(log.empty() ? fmt::format("journalctl -u {} -n 50", discover_.unit)
                                   : fmt::format("tail -n 50 {}", quoted(log)));
  }
  if (transaction_.id.empty()) return commands;
  // 'recover' leaves alone what '--no-rollback' left so.
  commands.push_back(transaction_.rollback ? std::string("kubelet-sysctl recover")
                                           : "kubelet-sysctl undo " + transaction_.id);
  return commands;
}

Outcome ApplyRun::stranded(Error cause, const Error& why) {
  outcome_.kind = OutcomeKind::kStranded;
  outcome_.changed = !is_recovery() || wrote_ || restarted_;
  drop_advice(outcome_);
  cause.message += is_recovery() ? "; " + why.message
                                 : fmt::format("; and it could not be put right: {}", why.message);
  outcome_.cause = std::move(cause);
  outcome_.on_disk = files_now();
  outcome_.commands = commands_for(outcome_.on_disk);
  transaction_.cause = outcome_.cause->message;
  if (auto status = mark(TransactionState::kStranded); !status) {
    warn_record_not_closed("the record of this change", status.error());
  }
  return std::move(outcome_);
}

}  // namespace kubelet_sysctl::transaction
