// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {

/// Fills in, for every command of the unit, whether its program is there and may be started.
/// Errors: those of ports::target_of().
Status find_programs(ports::FileSystem& files, nodes::NodeSnapshot& snapshot);

}  // namespace kubelet_sysctl::discover
