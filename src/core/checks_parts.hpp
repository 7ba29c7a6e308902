// SPDX-License-Identifier: Apache-2.0
// What the checks of the list and the checks of the unit share.
#pragma once

#include <string>
#include <vector>

#include "kubelet_sysctl/model.hpp"

namespace kubelet_sysctl {

Finding finding_of(const Check& check, std::string message, std::string hint);
Finding at_origin(Finding finding, const Origin& origin);
/// At the line of `span`; at the file alone when the span ends at 0.
Finding at_span(Finding finding, const SourceFile& file, Span span);
/// "'a', 'b' and 4 more"
std::string some_of(const std::vector<std::string>& entries);

void misspelt_key(const NodeSnapshot& snapshot, const NodeModel& model, const Check& check,
                  std::vector<Finding>& found);
void second_document(const NodeSnapshot& snapshot, const NodeModel& model, const Check& check,
                     std::vector<Finding>& found);
void repeated_key(const NodeSnapshot& snapshot, const NodeModel& model, const Check& check,
                  std::vector<Finding>& found);
void empty_flag(const NodeSnapshot& snapshot, const NodeModel& model, const Check& check,
                std::vector<Finding>& found);
void shadowed_list(const NodeSnapshot& snapshot, const NodeModel& model, const Check& check,
                   std::vector<Finding>& found);
void bad_value(const NodeSnapshot& snapshot, const NodeModel& model, const Check& check,
               std::vector<Finding>& found);
void entry_refused(const NodeSnapshot& snapshot, const NodeModel& model, const Check& check,
                   std::vector<Finding>& found);
void duplicate_entry(const NodeSnapshot& snapshot, const NodeModel& model, const Check& check,
                     std::vector<Finding>& found);
void covered_entry(const NodeSnapshot& snapshot, const NodeModel& model, const Check& check,
                   std::vector<Finding>& found);

}  // namespace kubelet_sysctl
