// SPDX-License-Identifier: Apache-2.0
// The change of one file, as text.
#pragma once

#include <string>

#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/planning/plan.hpp"

namespace kubelet_sysctl::planning {

/// The change of one file. Configuration files: a unified diff. Argument files and units: the changed
/// words alone, old and new, since a line of arguments may hold secrets.
std::string diff_text(const FileEdit& edit, const TextStyle& style);

}  // namespace kubelet_sysctl::planning
