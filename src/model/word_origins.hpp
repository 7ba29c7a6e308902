// SPDX-License-Identifier: Apache-2.0
// Where each word of a command line is in the files of a node.
#pragma once

#include <functional>
#include <vector>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::model {

/// One origin for each of `words`: path, line and bytes from its `raw`, the variable, and `kind_of` it.
std::vector<Origin> word_origins(const nodes::NodeSnapshot& snapshot,
                                 const std::vector<systemd::Word>& words,
                                 const std::function<OriginKind(const systemd::Word&)>& kind_of);

}  // namespace kubelet_sysctl::model
