// SPDX-License-Identifier: Apache-2.0
// A kubelet that does not run, or that is not well: said before anything else.
#pragma once

#include <optional>

#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl::checks {

/// What is to be said of a kubelet that is stopped, fails or does not answer as a healthy one, by the state of
/// its unit and by `health`, if it was asked. Nothing where all is well, where a job of systemd is about to
/// start it, or where it is unknown.
std::optional<Finding> down_finding(const nodes::NodeSnapshot& snapshot,
                                    const std::optional<nodes::HealthSeen>& health);

}  // namespace kubelet_sysctl::checks
