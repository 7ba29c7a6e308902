// SPDX-License-Identifier: Apache-2.0
// Whether systemd has a unit to load.
#pragma once

#include "kubelet_sysctl/error.hpp"
#include "kubelet_sysctl/node.hpp"

namespace kubelet_sysctl {

/// Errors: kNotFound for none, a masked one and a template; kMalformed for one that does not load.
Status check_unit(const NodeSnapshot& snapshot);

}  // namespace kubelet_sysctl
