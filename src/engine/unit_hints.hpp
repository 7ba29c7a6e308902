// SPDX-License-Identifier: Apache-2.0
// Where a kubelet may be found on a node that has none of the usual units.
#pragma once

#include "kubelet_sysctl/node.hpp"
#include "kubelet_sysctl/ports.hpp"

namespace kubelet_sysctl {

/// Adds to the markers of the snapshot the path of every unit file whose ExecStart= runs a kubelet. Errors: those
/// of reading a directory.
Status find_other_units(FileSystem& files, int version, NodeSnapshot& snapshot);

/// Which process here is a kubelet, in words: "pid 4021, in the control group '/docker/…'". Empty where there is
/// none.
std::string find_kubelet_process(FileSystem& files);

}  // namespace kubelet_sysctl
