// SPDX-License-Identifier: Apache-2.0
// The kubelet that k0s starts as a child: flags of k0s's own and those of --kubelet-extra-args.
#pragma once

#include "kubelet_sysctl/nodes/launcher.hpp"

namespace kubelet_sysctl::nodes {

extern const KubeletLauncher kK0sHost;

}  // namespace kubelet_sysctl::nodes
