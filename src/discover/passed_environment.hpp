// SPDX-License-Identifier: Apache-2.0
// Variables that PassEnvironment= hands from process 1 to the unit.
#pragma once

#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"

namespace kubelet_sysctl::discover {

/// NAME=value of each of `names` that the unit passes on and process 1 has. Source: systemd.exec(5); the
/// values are those of process 1's own environment, which `systemctl show-environment` does not print.
/// Errors: kUnsupported, at the line of the unit, where the value of the next start cannot be known.
Result<std::vector<std::string>> passed_variables(ports::Ports& ports,
                                                  const nodes::NodeSnapshot& snapshot,
                                                  const systemd::ServiceSettings& settings,
                                                  const std::vector<std::string>& names);

}  // namespace kubelet_sysctl::discover
