// SPDX-License-Identifier: Apache-2.0
// k3s and RKE2: programs that make the kubelet's command line of their own options.
#pragma once

#include "kubelet_sysctl/nodes/launcher.hpp"

namespace kubelet_sysctl::nodes {

/// k3s: the kubelet is a part of its process.
extern const KubeletLauncher kK3sHost;
/// RKE2: the kubelet is its child.
extern const KubeletLauncher kRke2Host;

}  // namespace kubelet_sysctl::nodes
