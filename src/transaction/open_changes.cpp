// SPDX-License-Identifier: Apache-2.0
// Which changes are not at their end.
#include "kubelet_sysctl/transaction/open_changes.hpp"

#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {

/// A trial whose time is over, or that a boot ended, and whose change is still there.
bool is_late_trial(const Transaction& one, const Moment& moment) {
  return one.state == TransactionState::kTrial && is_over(one, moment.now_ms, moment.boot_id);
}

OpenChanges open_changes(const std::vector<Transaction>& transactions, const Moment& moment) {
  OpenChanges open;
  open.in_progress = moment.in_progress;
  for (const Transaction& one : transactions) {
    if (is_unfinished(one) || is_late_trial(one, moment)) {
      // The run at work closes it, or brings it to its end before anything else.
      if (!moment.in_progress.empty()) continue;
      open.unfinished.push_back(one);
    } else if (one.state == TransactionState::kTrial) {
      open.trials.push_back(one);
    }
  }
  return open;
}

}  // namespace kubelet_sysctl::transaction
