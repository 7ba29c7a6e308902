// SPDX-License-Identifier: Apache-2.0
// Whether systemd has a unit to load.
#pragma once

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl::model {

/// Errors: kNotFound for none, a masked one and a template; kMalformed for one that does not load.
Status check_unit(const nodes::NodeSnapshot& snapshot);

}  // namespace kubelet_sysctl::model
