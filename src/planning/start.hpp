// SPDX-License-Identifier: Apache-2.0
// What must be put right before a list is changed.
#pragma once

#include <optional>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"

namespace kubelet_sysctl::planning {

/// Why no kubelet would start with what the change is for; nothing where one would.
std::optional<Error> start_fault(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                                 const Change& change);

}  // namespace kubelet_sysctl::planning
