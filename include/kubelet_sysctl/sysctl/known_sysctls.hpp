// SPDX-License-Identifier: Apache-2.0
// Names of sysctls that are known to exist, in some kernel, and the known name that a misspelt one stands for.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "kubelet_sysctl/sysctl/pattern.hpp"

namespace kubelet_sysctl::sysctl {

/// Sysctls of one directory.
struct SysctlGroup {
  std::string_view directory;  ///< dotted; "@" stands for the name of an interface
  std::string_view names;      ///< separated by blanks, in byte order
};

/// The table. Its source is with it.
std::span<const SysctlGroup> known_sysctl_groups();

/// True when some kernel has the name, or a name that the pattern covers. Of an interface any name is known.
bool is_known_sysctl(const SysctlPattern& entry);

/// What `entry`, which is not known, was probably meant to be: "net.core.somaxconn", or the pattern of a
/// directory that was named alone, "net.core.*". Empty where nothing is near.
std::string meant_sysctl(const SysctlPattern& entry);

}  // namespace kubelet_sysctl::sysctl
