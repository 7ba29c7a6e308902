// SPDX-License-Identifier: Apache-2.0
// What is done with a change that never came to its end, by the facts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {

/// How the files of a transaction are on the disk.
enum class FilesFound {
  kOld,           ///< each as before the change
  kNew,           ///< each as the change writes it
  kMixed,         ///< some old, some new, or one half written in place
  kForeign,       ///< another process changed one; the others, if any, are all old or all new
  kForeignMixed,  ///< another process changed one, and the others are old and new
};
const char* name_of(FilesFound found);

/// What is known when it is decided.
struct RecoveryFacts {
  TransactionState state = TransactionState::kPlanned;
  FilesFound files = FilesFound::kOld;
  bool runs_new = false;    ///< the files are new, and the live process is seen to run with them
  bool restart = true;      ///< the change was to restart the kubelet, and there is a manager
  bool rollback = true;     ///< false: --no-rollback
  bool trial_over = false;  ///< it was a trial, and its time is over
};

enum class RecoveryAction {
  kNothing,    ///< it came to its end
  kUndo,       ///< put the files back that are new, and see the kubelet with the old list
  kConfirm,    ///< the kubelet runs with it: see that it stays so; if not, undo
  kFinish,     ///< no restart was wanted: the files are whole, the change is kept
  kLeave,      ///< another process took the files over: close the record, touch nothing
  kAskPerson,  ///< old, new and foreign files together: nothing is provable
};
const char* name_of(RecoveryAction action);

/// The one table of recovery; docs/transactions.md shows it.
RecoveryAction decide_recovery(const RecoveryFacts& facts);

/// The line that reports an open change: "the change 20261120T225726Z-1 (add, by alice) did not come to
/// its end: it is written". Empty when there is none. A trial that runs is no open change.
std::string unfinished_line(const std::vector<Transaction>& transactions, std::int64_t now_ms,
                            const std::string& boot_id);

}  // namespace kubelet_sysctl::transaction
