// SPDX-License-Identifier: Apache-2.0
// Variables that PassEnvironment= hands from process 1 to the unit.
#pragma once

#include <string>
#include <vector>

#include "kubelet_sysctl/node.hpp"
#include "kubelet_sysctl/unit_file.hpp"

namespace kubelet_sysctl {

/// NAME=value of each of `names` that the unit passes on and process 1 has. Source: systemd.exec(5); the
/// values are those of process 1's own environment, which `systemctl show-environment` does not print.
/// Errors: kUnsupported, at the line of the unit, where the value of the next start cannot be known.
Result<std::vector<std::string>> passed_variables(Ports& ports, const NodeSnapshot& snapshot,
                                                  const ServiceSettings& settings,
                                                  const std::vector<std::string>& names);

}  // namespace kubelet_sysctl
