// SPDX-License-Identifier: Apache-2.0
// What the next run does with a change that never came to its end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/apply.hpp"
#include "kubelet_sysctl/transaction.hpp"

namespace kubelet_sysctl {

/// How the files of a transaction stand on the disk.
enum class FilesFound {
  kOld,           ///< each as before the change
  kNew,           ///< each as the change writes it
  kMixed,         ///< some old, some new, or one half written in place
  kForeign,       ///< somebody else changed one; the others, if any, are all old or all new
  kForeignMixed,  ///< somebody else changed one, and the others are old and new
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
  kFinish,     ///< no restart was wanted: the files are whole, the change stands
  kLeave,      ///< somebody else took the files over: close the record, touch nothing
  kAskPerson,  ///< old, new and foreign files together: nothing is provable
};
const char* name_of(RecoveryAction action);

/// The one table of recovery; docs/transactions.md shows it.
RecoveryAction decide_recovery(const RecoveryFacts& facts);

/// One thing that a recovery did, or would do.
struct Recovered {
  Transaction transaction;
  FilesFound files = FilesFound::kOld;
  RecoveryAction action = RecoveryAction::kNothing;
  std::optional<Outcome> outcome;  ///< nothing in a dry run
};

struct RecoverOptions {
  ApplyOptions apply;
  std::string end_trial;  ///< id of a trial to be ended now, whatever the time is
  /// The start of the kubelet waits for this run: no job of it is waited for, and nothing is restarted. A
  /// change that only a running kubelet can confirm is an error then.
  bool before_start = false;
};

/// Brings every unfinished change and every trial that is over to its end, newest first, each on the node
/// as it then is. Empty when there was nothing to do. The caller holds the lock, except with a dry run.
/// Stops after an outcome that is stranded or rolled back. Errors: kConflict with commands in the hint for
/// kAskPerson; those of discover(), resolve() and the journal.
Result<std::vector<Recovered>> recover(Ports& ports, const DiscoverOptions& discover,
                                       const RecoverOptions& options);

/// Makes a trial final: its record first, then its timer is stopped; what hinders that is a finding of
/// `outcome`. The caller holds the lock. Errors: kConflict when it is no running trial, those of the journal.
Status keep_trial(Ports& ports, Transaction& transaction, Outcome& outcome);

/// True when a trial left its unit for the next boot behind and none needs it: recover() takes it away.
bool has_stale_boot_unit(Ports& ports, const std::vector<Transaction>& all);

/// The line that tells of an open change: "the change 20261120T225726Z-1 (add, by alice) did not come to
/// its end: it is written". Empty when there is none. A trial that runs is no open change.
std::string unfinished_line(const std::vector<Transaction>& transactions, std::int64_t now_ms,
                            const std::string& boot_id);

}  // namespace kubelet_sysctl
