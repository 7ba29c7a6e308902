// SPDX-License-Identifier: Apache-2.0
// The port that a kubelet serves on.
#pragma once

#include <string>
#include <vector>

#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl::model {

/// The port that a kubelet with these words serves its API on: that of its flag, else that of the files in
/// the snapshot which the words name, else the usual one.
/// Source: cmd/kubelet/app/server.go; pkg/kubelet/apis/config/v1beta1/defaults.go.
int kubelet_port_of(const nodes::NodeSnapshot& snapshot, const std::vector<std::string>& words);

}  // namespace kubelet_sysctl::model
