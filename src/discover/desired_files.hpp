// SPDX-License-Identifier: Apache-2.0
// The files of the desired list, read with the rest of the node.
#pragma once

#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {

/// Reads the files of the desired list into the snapshot. What hinders it is in `desired_fault`: a desired list
/// that cannot be read is no reason not to show or change the list in force.
void read_desired_files(ports::FileSystem& files, nodes::NodeSnapshot& snapshot);

}  // namespace kubelet_sysctl::discover
