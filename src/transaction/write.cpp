// SPDX-License-Identifier: Apache-2.0
// The writing half of a run: the record, the end of a trial, and the files in their place.
#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "apply_run.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/boot_id.hpp"
#include "kubelet_sysctl/ports/empty_directories.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "trial.hpp"

namespace kubelet_sysctl::transaction {
namespace {

JournalFile journal_file(const planning::FileEdit& edit) {
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
  return file;
}

/// Of directories that the change did not make, only one of the unit's drop-ins, or of patches, may go when it
/// is empty: a kubelet whose --config-dir is gone dies.
bool may_empty(const planning::FileEdit& edit) {
  return edit.route == nodes::Route::kUnit || edit.route == nodes::Route::kPersist;
}

/// The list's own file on a partition that nobody is to change, an image say: no right helps, and that is a
/// refusal. A state directory or a lock there is the machine's no.
Error refused_if_read_only(Error error) {
  if (error.number == EROFS) error.kind = ErrorKind::kRefused;
  return error;
}

/// The last one made goes first: the earlier may have made the directory it lies in.
void drop(StagedWrites& staged) {
  while (!staged.empty()) staged.pop_back();
}

}  // namespace

/// Removes a file, and the directories that were made with it.
Status ApplyRun::remove(const SourceFile& before, bool and_directory) {
  if (auto removed = ports_.files.remove(before, and_directory); !removed) return removed;
  return ports::remove_empty_directories(ports_.files, before.path, made_with(before.path));
}

/// How many directories the change made that this run takes back.
std::size_t ApplyRun::made_with(const std::string& path) {
  // The record of an undo is its own; what it undoes says what was made.
  Transaction undone = transaction_;
  if (!options_.undoes.empty()) {
    auto loaded = load_transaction(ports_, options_.undoes);
    if (!loaded) return 0;
    undone = std::move(*loaded);
  }
  const auto found = std::find_if(undone.files.begin(), undone.files.end(),
                                  [&path](const JournalFile& one) { return one.path == path; });
  return found == undone.files.end() ? 0 : found->made_directories;
}

/// What the bytes do not say and a way back needs: attributes, and whether a kill can tear the file.
Status ApplyRun::keep_traits(JournalFile& file, const planning::FileEdit& edit) {
  if (!edit.before.exists()) {
    file.made_directories = ports::missing_directories(ports_.files, file.path);
    return {};
  }
  auto traits = ports_.files.traits_of(edit.before);
  if (!traits) return std::move(traits).error();
  file.meta.attributes = std::move(traits->attributes);
  file.in_place = traits->in_place;
  return {};
}

Status ApplyRun::begin(bool restart) {
  if (plan_.edits.empty()) return {};
  transaction_.verb = plan_.verb;
  transaction_.unit = discover_.unit;
  transaction_.at_ms = ports_.clock.wall_ms();
  transaction_.uid = options_.author.uid;
  transaction_.login_uid = options_.author.login_uid;
  transaction_.sudo_user = options_.author.sudo_user;
  transaction_.reason = options_.author.reason;
  transaction_.tool_version = options_.author.tool_version;
  transaction_.systemd_version = snapshot_.systemd_version_known ? snapshot_.systemd_version : 0;
  transaction_.boot_id = snapshot_.live ? ports::boot_id_of(ports_) : std::string();
  transaction_.before = plan_.before;
  transaction_.after = plan_.after;
  transaction_.undoes = options_.undoes;
  transaction_.restart = restart;
  transaction_.rollback = options_.rollback;
  transaction_.was_down = outcome_.was_down;
  if (options_.trial) {
    transaction_.trial = Trial{.until_ms = transaction_.at_ms + options_.trial->count()};
  }
  for (const planning::FileEdit& edit : plan_.edits) {
    transaction_.files.push_back(journal_file(edit));
    if (auto kept = keep_traits(transaction_.files.back(), edit); !kept) return kept;
  }
  auto status = step("keep the original bytes", "saved originals",
                     [this] { return begin_transaction(ports_, transaction_); });
  outcome_.transaction = transaction_.id;
  if (!status || !options_.trial) return status;
  return arm(*options_.trial);
}

Status ApplyRun::arm(Milliseconds duration) {
  auto armed = step("arm the end of the trial", "armed the end of the trial",
                    [&] { return arm_trial(ports_, transaction_, duration, options_.program); });
  if (armed) return {};
  // Nothing was written under this record.
  transaction_.cause = armed.error().message;
  if (auto marked = mark(TransactionState::kRolledBack); !marked) return marked;
  return armed;
}

void ApplyRun::disarm(const Transaction& trial) {
  if (!snapshot_.live) return;
  auto all = list_transactions(ports_);
  auto disarmed = all ? disarm_trial(ports_, trial, *all) : Status(all.error());
  if (disarmed) return;
  outcome_.findings.push_back(not_disarmed(disarmed.error()));
}

/// The undo of a trial is its end.
void ApplyRun::close_undone_trial() {
  if (options_.undoes.empty() || !stands(transaction_)) return;
  auto trial = load_transaction(ports_, options_.undoes);
  if (!trial) return warn_record_not_closed("the record of the trial", trial.error());
  if (trial->state != TransactionState::kTrial) return;
  trial->cause = options_.author.reason;
  if (auto marked = mark_transaction(ports_, *trial, TransactionState::kRolledBack); !marked) {
    return warn_record_not_closed("the record of the trial", marked.error());
  }
  disarm(*trial);
}

Status ApplyRun::mark(TransactionState state) {
  if (transaction_.id.empty()) return {};
  return mark_transaction(ports_, transaction_, state);
}

TransactionState ApplyRun::state_of_success() const {
  return transaction_.trial ? TransactionState::kTrial : TransactionState::kConfirmed;
}

/// Everything that needs room on the disk, for all files, before the first of them changes.
Status ApplyRun::stage(StagedWrites& staged) {
  Status status;
  for (const planning::FileEdit& edit : plan_.edits) {
    staged.emplace_back();
    if (edit.removes) continue;
    auto made = ports_.files.stage(edit.before, edit.after);
    if (!made) status = refused_if_read_only(std::move(made).error());
    if (!made) break;
    staged.back() = std::move(*made);
  }
  if (status) status = check_not_interrupted();
  if (!status) drop(staged);
  return status;
}

Status ApplyRun::write_one(const planning::FileEdit& edit, ports::StagedWrite* staged) {
  if (edit.removes) {
    auto removed = remove(edit.before, may_empty(edit));
    return removed ? removed : Status(refused_if_read_only(std::move(removed).error()));
  }
  auto mode = staged == nullptr ? ports_.files.replace(edit.before, edit.after) : staged->commit();
  if (!mode) return refused_if_read_only(std::move(mode).error());
  return {};
}

/// A second try where one file is put back and the next is not: a mixture is worse than a long run.
Status ApplyRun::write_again(const planning::FileEdit& edit) {
  auto now = ports_.files.read(edit.before.path);
  if (!now) return std::move(now).error();
  if (edit.removes && now->kind == FileKind::kAbsent) return {};
  if (now->bytes != edit.before.bytes && now->bytes != edit.after) {
    return Error{.kind = ErrorKind::kConflict,
                 .message = "another process changed this file in the meantime",
                 .path = edit.before.path};
  }
  if (edit.removes) return remove(*now, may_empty(edit));
  auto mode = ports_.files.replace(*now, edit.after);
  if (!mode) return std::move(mode).error();
  return {};
}

/// Every edit in its place; those that are `staged`, from there. With two `tries`, a file that follows one which
/// is written is tried again. On a failure nothing stays staged.
Status ApplyRun::write(StagedWrites& staged, int tries) {
  for (std::size_t i = 0; i < plan_.edits.size(); ++i) {
    const planning::FileEdit& edit = plan_.edits[i];
    const std::string what =
        fmt::format("{} {}", edit.removes ? "remove" : "write", edit.before.path);
    const std::string done =
        fmt::format("{} {}", edit.removes ? "removed" : "wrote", edit.before.path);
    attempted_ = i + 1;
    ports::StagedWrite* ready = i < staged.size() ? staged[i].get() : nullptr;
    auto status = step(what, done, [&] { return write_one(edit, ready); });
    if (!status && tries > 1 && i > 0) {
      status = step(what + " again", done, [&] { return write_again(edit); });
    }
    // A conflict is reported before anything is written: the file is not ours to put back.
    if (!status && status.error().kind == ErrorKind::kConflict) attempted_ = i;
    if (!status) {
      drop(staged);
      return status;
    }
    wrote_ = true;
    changed_at_ms_ = ports_.clock.wall_ms();
  }
  return {};
}

/// What a process read is proved by files that are older than it, and the kernel's clock of files is
/// coarser than that of processes: the process must start later by more than that.
void ApplyRun::outlive_grain_of_clock() {
  // Of a process that systemd does not start itself, the start is reported in hundredths of a second.
  constexpr Milliseconds kTwoTicks{20};
  const bool is_main = model::kubelet_place(snapshot_) == nodes::KubeletPlace::kMain;
  const Milliseconds grain = kClockGrain + (is_main ? Milliseconds{0} : kTwoTicks);
  const std::int64_t until_ms = changed_at_ms_ + grain.count() + 1;
  constexpr int kTries = 8;  // each signal ends one wait
  for (int i = 0; i < kTries; ++i) {
    const Milliseconds left(until_ms - ports_.clock.wall_ms());
    if (left <= Milliseconds{0} || left > grain + Milliseconds{1}) return;
    ports_.clock.wait_until(ports_.clock.now() + left, 0);
  }
}

}  // namespace kubelet_sysctl::transaction
