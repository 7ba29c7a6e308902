// SPDX-License-Identifier: Apache-2.0
// The way back: the old bytes and a kubelet seen to run with them, or the words for a person.
#include <fmt/format.h>

#include "apply_run.hpp"

namespace kubelet_sysctl {
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

}  // namespace

/// Puts back what `written_` edits changed. The disk must hold what we wrote, else it is not
/// touched.
Status ApplyRun::restore() {
  while (written_ > 0) {
    const FileEdit& edit = plan_.edits[written_ - 1];
    auto status =
        step(fmt::format("put back {}", edit.before.path), [&] { return restore_one(edit); });
    if (!status) return status;
    --written_;
  }
  return {};
}

Status ApplyRun::restore_one(const FileEdit& edit) {
  auto now = ports_.files.read(edit.before.path);
  if (!now) return std::move(now).error();
  const bool ours =
      edit.removes ? now->kind == FileKind::kAbsent : now->exists() && now->bytes == edit.after;
  if (!ours) {
    return Error{.kind = ErrorKind::kConflict,
                 .message = "somebody else changed this file in the meantime",
                 .path = edit.before.path};
  }
  if (!edit.before.exists()) return ports_.files.remove(*now, edit.route == "unit");
  if (edit.removes) now->meta = edit.before.meta;
  auto mode = ports_.files.replace(*now, edit.before.bytes);
  if (!mode) return std::move(mode).error();
  return {};
}

/// A write failed: nothing was restarted yet, so the old bytes are all that must come back.
Result<Outcome> ApplyRun::finish_failed_write(Error cause) {
  const std::size_t before = written_;
  auto status = restore();
  if (!status) return stranded(std::move(cause), status.error());
  if (auto marked = mark(TransactionState::kRolledBack); !marked && before > 0) {
    cause.hint = fmt::format("the record could not be closed either: {}", marked.error().message);
  }
  return cause;
}

void ApplyRun::take_last_words(const std::string& invocation) {
  const TimePoint until = ports_.clock.now() + kJournalDeadline;
  for (;;) {
    auto words = ports_.services.last_words(discover_.unit, invocation, kLastWords);
    // journald learns the invocation from the living process: the words of one that ended at once may
    // be without it, and then stand under the unit alone.
    if (words && words->empty() && !invocation.empty()) {
      words = ports_.services.last_words(discover_.unit, {}, kLastWords);
    }
    if (words) outcome_.last_words = std::move(*words);
    outcome_.recognised = recognise(outcome_.last_words);
    if (!outcome_.recognised.empty() || ports_.clock.now() >= until) return;
    ports_.clock.wait_until(ports_.clock.now() + kJournalStep, 0);
  }
}

Result<Outcome> ApplyRun::roll_back(Error cause, const std::string& invocation) {
  if (restarted_) take_last_words(invocation);
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
  outcome_.kind = OutcomeKind::kRolledBack;
  outcome_.after = plan_.before;
  if (auto status = mark(TransactionState::kRolledBack); !status) {
    warn_record_not_closed("the record of this change", status.error());
  }
  return std::move(outcome_);
}

Outcome ApplyRun::stranded(Error cause, const Error& why) {
  outcome_.kind = OutcomeKind::kStranded;
  outcome_.changed = true;
  cause.message += fmt::format("; and it could not be put right: {}", why.message);
  outcome_.cause = std::move(cause);
  for (std::size_t i = 0; i < written_; ++i) {
    const FileEdit& edit = plan_.edits[i];
    outcome_.commands.push_back(
        edit.before.exists()
            ? fmt::format("cp {} {}", original_path(transaction_, i), quoted(edit.before.path))
            : fmt::format("rm {}", quoted(edit.before.path)));
  }
  if (snapshot_.live) {
    outcome_.commands.emplace_back("systemctl daemon-reload");
    outcome_.commands.push_back(fmt::format("systemctl reset-failed {}", discover_.unit));
    outcome_.commands.push_back(fmt::format("systemctl restart {}", discover_.unit));
    outcome_.commands.push_back(fmt::format("journalctl -u {} -n 50", discover_.unit));
  }
  if (auto status = mark(TransactionState::kStranded); !status) {
    warn_record_not_closed("the record of this change", status.error());
  }
  return std::move(outcome_);
}

}  // namespace kubelet_sysctl
