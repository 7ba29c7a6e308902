// SPDX-License-Identifier: Apache-2.0
// A list that cannot be told is not an empty list.
#include "kubelet_sysctl/unknown_list.hpp"

#include <fmt/format.h>

namespace kubelet_sysctl {

bool is_list_unknown(const NodeModel& model) {
  if (!model.wrapped || model.stopped) return false;
  return !model.running || !kubelet_arguments_start(model.running->process.argv);
}

std::string unknown_list_text(const NodeModel& model) {
  if (!model.running)
    return "a wrapper runs the kubelet, and there is no process that shows its arguments";
  return fmt::format(
      "a wrapper runs the kubelet, and no process of the unit shows its arguments (the main "
      "process "
      "is {})",
      model.running->process.pid);
}

}  // namespace kubelet_sysctl
