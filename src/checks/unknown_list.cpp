// SPDX-License-Identifier: Apache-2.0
// A list that is unknown is not an empty list.
#include "kubelet_sysctl/checks/unknown_list.hpp"

#include <fmt/format.h>

#include "kubelet_sysctl/checks/swallowed.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/model.hpp"

namespace kubelet_sysctl::checks {
namespace {

/// The list's old name is the list up to 1.10, where the flags were read so, and the end of a later kubelet.
bool has_old_name(const model::NodeModel& model) {
  return model.flags.lists.empty() && old_list_flag(model).has_value();
}

}  // namespace

bool is_list_unknown(const model::NodeModel& model) {
  if (model.stopped) return false;
  if (has_old_name(model)) return true;
  if (!model.wrapped) return false;
  return !model.running || !kubelet::kubelet_arguments_start(model.running->process.argv);
}

std::string unknown_list_text(const model::NodeModel& model) {
  if (has_old_name(model)) {
    return "'--experimental-allowed-unsafe-sysctls' is the list of a kubelet up to 1.10, and no "
           "later "
           "one starts with it";
  }
  if (!model.running)
    return "a wrapper runs the kubelet, and there is no process that shows its arguments";
  return fmt::format(
      "a wrapper runs the kubelet, and no process of the unit shows its arguments (the main "
      "process "
      "is {})",
      model.running->process.pid);
}

}  // namespace kubelet_sysctl::checks
