// SPDX-License-Identifier: Apache-2.0
// One line in the system's log for each change that ended.
#pragma once

#include "kubelet_sysctl/apply.hpp"
#include "kubelet_sysctl/transaction.hpp"

namespace kubelet_sysctl {

/// Writes it; `what` names the end: "applied", "rolled back", "recovered", "kept". A log that does not take
/// it is a finding of the outcome, never a failure of the change.
void log_change(Ports& ports, const Transaction& transaction, const std::string& what,
                Outcome& outcome);

}  // namespace kubelet_sysctl
