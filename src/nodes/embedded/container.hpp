// SPDX-License-Identifier: Apache-2.0
// The kubelet in a container that the unit starts with podman or docker, as Typhoon does.
#pragma once

#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::nodes {

extern const KubeletLauncher kContainerHost;

/// True for the words of `docker run` or `podman run`.
bool is_container_run(const std::vector<systemd::Word>& words);

}  // namespace kubelet_sysctl::nodes
