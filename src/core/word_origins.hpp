// SPDX-License-Identifier: Apache-2.0
// Where each word of a command line stands in the files of a node.
#pragma once

#include <functional>
#include <vector>

#include "kubelet_sysctl/command_line.hpp"
#include "kubelet_sysctl/node.hpp"

namespace kubelet_sysctl {

/// One origin for each of `words`: path, line and bytes from its `raw`, the variable, and `kind_of` it.
std::vector<Origin> word_origins(const NodeSnapshot& snapshot, const std::vector<Word>& words,
                                 const std::function<OriginKind(const Word&)>& kind_of);

}  // namespace kubelet_sysctl
