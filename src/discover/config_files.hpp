// SPDX-License-Identifier: Apache-2.0
// The files that a kubelet's flags name: --config and the walk through --config-dir.
#pragma once

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {

/// Reads what `flags` name into `snapshot`, relative paths below snapshot.process_cwd. What does
/// not exist is a fact: an absent file, or a directory without an entry in snapshot.config_dirs.
/// Errors: those of reading.
Status read_kubelet_files(ports::FileSystem& files, const kubelet::KubeletFlags& flags,
                          nodes::NodeSnapshot& snapshot);

}  // namespace kubelet_sysctl::discover
