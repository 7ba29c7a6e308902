// SPDX-License-Identifier: Apache-2.0
// The words for what a change does.
#include "kubelet_sysctl/base/error.hpp"

#include <array>
#include "kubelet_sysctl/planning/plan.hpp"

namespace kubelet_sysctl::planning {

const char* name_of(Verb verb) {
  // In the order of Verb.
  constexpr std::array kNames = {"add", "remove", "set", "undo", "recover", "keep", "fix", "sync"};
  return kNames[static_cast<std::size_t>(verb)];
}

}  // namespace kubelet_sysctl::planning
