// SPDX-License-Identifier: Apache-2.0
// A list that is unknown is not an empty list.
#pragma once

#include <string>

#include "kubelet_sysctl/model/model.hpp"

namespace kubelet_sysctl::checks {

/// True when a wrapper runs the kubelet and no process of the unit shows the kubelet's arguments: then
/// neither the configured list nor the layers are known, and an empty one must not be reported. Likewise where
/// a flag has the name that was the list's up to 1.10, and nothing says that this kubelet reads it.
bool is_list_unknown(const model::NodeModel& model);

/// The words for it: "a wrapper runs the kubelet, ...".
std::string unknown_list_text(const model::NodeModel& model);

}  // namespace kubelet_sysctl::checks
