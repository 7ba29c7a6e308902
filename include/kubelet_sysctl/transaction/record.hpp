// SPDX-License-Identifier: Apache-2.0
// The record of one change: what it wrote, over what, and how far it came.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/entry_list.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/planning/plan.hpp"

namespace kubelet_sysctl::transaction {

enum class TransactionState {
  kPlanned,     ///< the record is on disk; some of the files may be written
  kWritten,     ///< all files are written
  kRestarted,   ///< and systemd restarted the kubelet
  kConfirmed,   ///< and it was seen with the new list; the end
  kTrial,       ///< the same, until the trial ends or `keep` comes
  kPending,     ///< written, for the next start to take up; the end
  kRolledBack,  ///< the files are as before; the end
  kStranded,    ///< neither the new state nor the old one was seen
  kOvertaken,   ///< another process changed the files of an unfinished change: theirs now; the end
};

/// The word the journal uses: "planned", "written", "restarted", "confirmed", "trial", "pending",
/// "rolled-back", "stranded", "overtaken".
const char* name_of(TransactionState state);
const std::vector<TransactionState>& all_transaction_states();

/// One file of a transaction as it was and as it became.
struct JournalFile {
  std::string path;
  std::string real_path;
  bool existed = true;
  FileMeta meta;                     ///< of the original, with its attributes
  bool in_place = false;             ///< written into the file itself: FileTraits::in_place
  SharedText original;               ///< bytes before; kept in a file of its own beside the record
  std::vector<Splice> splices;       ///< what was changed in them
  bool removed = false;              ///< the change took the file away
  std::size_t made_directories = 0;  ///< how many directories above it were made with it
  nodes::Route route = nodes::Route::kNone;
  bool daemon_reload = false;
};

/// A change that ends by itself unless a user keeps it.
struct Trial {
  std::int64_t until_ms = 0;  ///< wall clock, milliseconds since the epoch, UTC
};

/// When a state was reached.
struct StateReached {
  TransactionState state = TransactionState::kPlanned;
  std::int64_t at_ms = 0;  ///< since the epoch, UTC
};

/// The record of one change.
struct Transaction {
  std::string id;  ///< "20261120T225726Z-1"
  TransactionState state = TransactionState::kPlanned;
  std::vector<StateReached> reached;  ///< in order; the last one is `state`
  planning::Verb verb = planning::Verb::kAdd;
  std::string unit;
  std::int64_t at_ms = 0;  ///< start, milliseconds since the epoch, UTC
  std::int64_t uid = 0;
  std::optional<std::uint32_t> login_uid;  ///< who logged in before any su or sudo
  std::string sudo_user;
  std::string reason;  ///< --reason
  std::string tool_version;
  int systemd_version = 0;  ///< of the manager; 0 when unknown
  std::string boot_id;      ///< of the kernel that ran; empty when unknown
  EntryList before;
  EntryList after;
  std::vector<JournalFile> files;
  std::string undoes;     ///< id of the transaction that this one undid
  bool restart = false;   ///< the change was to be taken up by a restart of this run
  bool rollback = true;   ///< false: --no-rollback
  bool was_down = false;  ///< the kubelet was not healthy before this change
  std::optional<Trial> trial;
  std::string cause;  ///< why it was rolled back, is stranded or overtaken; one line, or empty
};

/// Who changes and why; goes into the record.
struct Author {
  std::int64_t uid = 0;
  std::optional<std::uint32_t> login_uid;
  std::string sudo_user;
  std::string reason;
  std::string tool_version;
};

/// Record to and from its JSON text (without the bytes, which are in files of their own).
/// Errors of the reader: kMalformed.
std::string journal_text(const Transaction& transaction);
Result<Transaction> parse_journal(std::string_view text);

/// The bytes that the transaction left in a file.
Result<std::string> written_bytes(const JournalFile& file);

/// True in the states confirmed, trial and pending.
bool stands(const Transaction& transaction);
/// True for a change that never came to its end: planned, written, restarted; or stranded, unless
/// --no-rollback asked to leave it so.
bool is_unfinished(const Transaction& transaction);
/// True for a trial that `recover` must end: its time is over, or the machine was booted since.
bool is_over(const Transaction& transaction, std::int64_t now_ms, const std::string& boot_id);
/// The standing transaction that undid `id`, or nullptr.
const Transaction* undone_by(const std::vector<Transaction>& transactions, const std::string& id);
/// The newest transaction that is and can be undone: no undo itself and not undone yet; nothing when
/// there is none.
std::optional<std::string> newest_undoable(const std::vector<Transaction>& transactions);

/// A file of a record as the change that it was, for diff_text(). Errors: those of written_bytes().
Result<planning::FileEdit> edit_of(const JournalFile& file);

}  // namespace kubelet_sysctl::transaction
