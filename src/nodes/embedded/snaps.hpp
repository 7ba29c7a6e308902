// SPDX-License-Identifier: Apache-2.0
// Kubelets that snaps run: inside kubelite of MicroK8s, and behind the shell script of Canonical Kubernetes.
#pragma once

#include "kubelet_sysctl/nodes/launcher.hpp"

namespace kubelet_sysctl::nodes {

extern const KubeletLauncher kMicroK8sHost;
extern const KubeletLauncher kK8sSnapHost;

}  // namespace kubelet_sysctl::nodes
