// SPDX-License-Identifier: Apache-2.0
// Which boot of the kernel this is.
#pragma once

#include <string>

#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::ports {

/// Id of the kernel's boot, from /proc; empty when it cannot be read.
std::string boot_id_of(Ports& ports);

}  // namespace kubelet_sysctl::ports
