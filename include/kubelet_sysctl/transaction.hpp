// SPDX-License-Identifier: Apache-2.0
// The journal of changes: originals on disk before the first write, and what became of each change.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/error.hpp"
#include "kubelet_sysctl/plan.hpp"
#include "kubelet_sysctl/ports.hpp"

namespace kubelet_sysctl {

/// Directory of the journal, 0700; one folder a transaction below it.
inline constexpr const char* kStateDirectory = "/var/lib/kubelet-sysctl";

enum class TransactionState {
  kPlanned,
  kWritten,
  kRestarted,
  kConfirmed,
  kPending,
  kRolledBack,
  kStranded
};

/// The word the journal uses: "planned", "written", "restarted", "confirmed", "pending", "rolled-back",
/// "stranded".
const char* name_of(TransactionState state);

/// One file of a transaction as it was and as it became.
struct JournalFile {
  std::string path;
  std::string real_path;
  bool existed = true;
  FileMeta meta;                ///< of the original
  std::string original;         ///< bytes before; kept in a file of its own beside the record
  std::vector<Splice> splices;  ///< what was changed in them
  bool removed = false;         ///< the change took the file away
  std::string route;
  bool daemon_reload = false;
};

/// The record of one change.
struct Transaction {
  std::string id;  ///< "20261120T225726Z-1"
  TransactionState state = TransactionState::kPlanned;
  Verb verb = Verb::kAdd;
  std::string unit;
  std::int64_t at_ms = 0;  ///< start, milliseconds since the epoch, UTC
  std::int64_t uid = 0;
  std::string sudo_user;
  std::string reason;  ///< --reason
  std::string tool_version;
  std::vector<std::string> before;
  std::vector<std::string> after;
  std::vector<JournalFile> files;
  std::string undoes;  ///< id of the transaction that this one undid
};

/// Who changes and why; goes into the record.
struct Author {
  std::int64_t uid = 0;
  std::string sudo_user;
  std::string reason;
  std::string tool_version;
};

/// Writes a new record, originals first, all synced, in state planned. Sets `transaction.id`.
Status begin_transaction(Ports& ports, Transaction& transaction);
/// Rewrites the state of a record, durably.
Status mark_transaction(Ports& ports, Transaction& transaction, TransactionState state);
/// All records, oldest first, without the bytes. Errors: kMalformed for a record that does not parse.
Result<std::vector<Transaction>> list_transactions(Ports& ports);
/// One record with its bytes. Errors: kNotFound, kMalformed.
Result<Transaction> load_transaction(Ports& ports, const std::string& id);

/// Record to and from its JSON text (without the bytes, which stand in files of their own).
/// Errors of the reader: kMalformed.
std::string journal_text(const Transaction& transaction);
Result<Transaction> parse_journal(std::string_view text);

/// Path of the file that keeps the original bytes of the file with this index.
std::string original_path(const Transaction& transaction, std::size_t index);

/// The bytes that the transaction left in a file.
Result<std::string> written_bytes(const JournalFile& file);

/// The newest transaction that stands and can be undone: confirmed or pending, no undo itself and not
/// undone yet; nothing when there is none.
std::optional<std::string> newest_undoable(const std::vector<Transaction>& transactions);

/// The plan that puts the files of `transaction` back. Errors: kConflict with the file when it no longer
/// holds what the transaction wrote; those of resolve().
Result<Plan> make_undo_plan(Ports& ports, const NodeSnapshot& snapshot, const NodeModel& model,
                            const Transaction& transaction);

}  // namespace kubelet_sysctl
