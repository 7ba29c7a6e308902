// SPDX-License-Identifier: Apache-2.0
// Which systemd a node's directory tree holds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {

/// The release of the systemd that is installed there: by the name of its library, else by the
/// distribution. Nothing when neither says. Errors: those of reading.
Result<std::optional<int>> systemd_of_tree(ports::FileSystem& files);

/// NAME=value of each DefaultEnvironment= that the manager of the tree gives every unit. What is added to the
/// running one is not known. Source: systemd-system.conf(5). Errors: those of reading.
Result<std::vector<std::string>> default_environment(ports::FileSystem& files, int version);

}  // namespace kubelet_sysctl::discover
