// SPDX-License-Identifier: Apache-2.0
// The files that a kubelet's flags name: --config and the walk through --config-dir.
#pragma once

#include "kubelet_sysctl/command_line.hpp"
#include "kubelet_sysctl/error.hpp"
#include "kubelet_sysctl/node.hpp"
#include "kubelet_sysctl/ports.hpp"

namespace kubelet_sysctl {

/// Name of the file that holds the list alone, in a drop-in directory of the unit or of the
/// kubelet.
inline constexpr const char* kOwnDropIn = "90-kubelet-sysctl.conf";

/// Reads what `flags` name into `snapshot`, relative paths below snapshot.process_cwd. What does
/// not exist is a fact: an absent file, or a directory without an entry in snapshot.config_dirs.
/// Errors: those of reading.
Status read_kubelet_files(FileSystem& files, const KubeletFlags& flags, NodeSnapshot& snapshot);

}  // namespace kubelet_sysctl
