// SPDX-License-Identifier: Apache-2.0
// The journal of changes: originals on disk before the first write, and what became of each change.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {

/// Directory of the journal, 0700; one folder a transaction below it.
inline constexpr const char* kStateDirectory = "/var/lib/kubelet-sysctl";

/// Writes a new record, originals first, all synced, in state planned. Sets `transaction.id`.
Status begin_transaction(ports::Ports& ports, Transaction& transaction);
/// Rewrites the record with a new state, durably.
Status mark_transaction(ports::Ports& ports, Transaction& transaction, TransactionState state);

/// A record that does not parse: cut by a broken disk, edited by hand, or of another release.
struct BrokenRecord {
  std::string id;
  Error why;  ///< kMalformed, with its path and the command that sets it aside
  /// No later record can be read. Each run brings what is open to its end before it begins a record of its own, so
  /// one with a later record behind it came to its end.
  bool may_be_open = false;
};
struct Records {
  std::vector<Transaction> transactions;  ///< oldest first, without the bytes
  std::vector<BrokenRecord> broken;
};
/// All records. Errors: kRefused for one that another user can write (trust.hpp).
Result<Records> read_records(ports::Ports& ports);
/// Those that parse, for what changes something. Errors: kRefused where a broken one may be of a change that did not
/// come to its end.
Result<std::vector<Transaction>> usable(Records records);
/// usable(read_records()).
Result<std::vector<Transaction>> list_transactions(ports::Ports& ports);
/// One record with its bytes. Errors: kNotFound, kMalformed, kRefused.
Result<Transaction> load_transaction(ports::Ports& ports, const std::string& id);
/// Takes the oldest records away until 50 are left, never an open one and never the newest in effect;
/// and folders that never got a record. The caller holds the lock.
Status prune_transactions(ports::Ports& ports);

/// Path of the file that keeps the original bytes of the file with this index.
std::string original_path(const Transaction& transaction, std::size_t index);

/// The directory of the records and all that is in it but the folders of single changes, which are
/// checked when they are read. Errors as TrustReader::check_trusted().
Status check_state_directory(ports::FileSystem& files);

}  // namespace kubelet_sysctl::transaction
