// SPDX-License-Identifier: Apache-2.0
// Where a kubelet may be found on a node that has none of the usual units.
#pragma once

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {

/// Adds to the markers of the snapshot the path of every unit file whose ExecStart= runs a kubelet. Errors: those
/// of reading a directory.
Status find_other_units(ports::FileSystem& files, int version, nodes::NodeSnapshot& snapshot);

/// Which process here is a kubelet, in words: "pid 4021, in the control group '/docker/…'". Empty where there is
/// none.
std::string find_kubelet_process(ports::FileSystem& files);

}  // namespace kubelet_sysctl::discover
