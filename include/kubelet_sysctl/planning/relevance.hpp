// SPDX-License-Identifier: Apache-2.0
// The order in which an operator reads the findings about a change.
#pragma once

#include <vector>

#include "kubelet_sysctl/base/finding.hpp"

namespace kubelet_sysctl::planning {

/// Errors first; then what is about the entries that were asked for, what is about the files and the restart of
/// this change, and what is about the rest of the node. Within each the worst first, else the order stays.
void sort_by_relevance(std::vector<Finding>& findings);

}  // namespace kubelet_sysctl::planning
