// SPDX-License-Identifier: Apache-2.0
// Whether the list lost what the last change put there: kubeadm, nodeup and others write their files again.
#pragma once

#include <optional>
#include <vector>

#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {

/// The finding "list-lost": the newest change of this unit that is left entries that the configured list
/// neither has nor covers. Nothing where a record after it explains that or leaves it open, and where the
/// list is unknown. `records` are oldest first, as list_transactions() gives them.
std::optional<Finding> lost_list(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                                 const std::vector<Transaction>& records);

}  // namespace kubelet_sysctl::transaction
