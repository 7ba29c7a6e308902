// SPDX-License-Identifier: Apache-2.0
// One line in the system's log for each change that ended.
#pragma once

#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {

/// Writes it; `what` names the end: "applied", "rolled back", "recovered", "kept". A log that does not take
/// it is a finding of the outcome, never a failure of the change.
void log_change(ports::Ports& ports, const Transaction& transaction, const std::string& what,
                Outcome& outcome);

}  // namespace kubelet_sysctl::transaction
