// SPDX-License-Identifier: Apache-2.0
// Asks the live kubelet for the configuration that it runs with.
#pragma once

#include <vector>

#include "kubelet_sysctl/kubelet/configz.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {

/// Where the question is wanted and a kubelet runs, fills in NodeSnapshot::configz: what the process of the
/// snapshot answered, or why nothing is known. A kubelet that has just been started is asked again for
/// some seconds. Never an error: anyone who may not ask has the other evidence.
void ask_configz(ports::Ports& ports, const kubelet::ConfigzQuestion& question,
                 nodes::NodeSnapshot& snapshot);

}  // namespace kubelet_sysctl::discover
