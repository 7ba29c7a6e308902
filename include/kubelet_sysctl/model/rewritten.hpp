// SPDX-License-Identifier: Apache-2.0
// Files that another program writes again, and where the list belongs then.
#pragma once

#include <string_view>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/model/model.hpp"

namespace kubelet_sysctl::model {

/// True for a file that rancher-system-agent writes.
bool is_of_rancher(const SourceFile& file);
/// True for a file that is written again by the program that made it.
bool is_rewritten(const NodeModel& model, const SourceFile& file);
/// Who rewrites such a file, and where the list belongs then.
std::string_view rewriter_of(const NodeModel& model, const SourceFile& file);
std::string_view route_past_rewriter(const NodeModel& model, const SourceFile& file);

}  // namespace kubelet_sysctl::model
