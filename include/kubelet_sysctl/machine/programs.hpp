// SPDX-License-Identifier: Apache-2.0
// Asks other programs of the node.
#pragma once

#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {

/// Each question is one child process, as run() in child.hpp starts it.
class ChildPrograms final : public ports::Programs {
 public:
  Result<std::string> output_of(const std::string& path, const std::vector<std::string>& arguments,
                                Milliseconds deadline) override;
};

}  // namespace kubelet_sysctl::machine
