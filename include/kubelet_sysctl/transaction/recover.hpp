// SPDX-License-Identifier: Apache-2.0
// What the next run does with a change that never came to its end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/apply.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/recovery_table.hpp"

namespace kubelet_sysctl::transaction {

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
Result<std::vector<Recovered>> recover(ports::Ports& ports,
                                       const discover::DiscoverOptions& discover,
                                       const RecoverOptions& options);

/// Makes a trial final: its record first, then its timer is stopped; what hinders that is a finding of
/// `outcome`. The caller holds the lock. Errors: kConflict when it is no running trial, those of the journal.
Status keep_trial(ports::Ports& ports, Transaction& transaction, Outcome& outcome);

/// True when a trial left its unit for the next boot behind and none needs it: recover() takes it away.
bool has_stale_boot_unit(ports::Ports& ports, const std::vector<Transaction>& all);

}  // namespace kubelet_sysctl::transaction
