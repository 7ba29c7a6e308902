// SPDX-License-Identifier: Apache-2.0
// Things about a node that an operator should know: the table of checks and their findings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl::checks {

/// Which commands report a finding: `doctor` of all, `show` of what matters for the list, the verbs that
/// change only of what anyone who edits the list must hear.
enum class Audience { kDoctor, kShow, kVerbs };

/// Whether a check is right on a node of which a part could not be read: a fault that was seen is one
/// whatever else there is, but a file that was not read is not a file that is absent.
enum class Needs { kPart, kWhole };

/// One check: a stable id, the worst it finds, what it searches for in a line, and the function that looks.
struct Check {
  std::string_view id;
  Severity severity;
  std::string_view title;
  void (*run)(const nodes::NodeSnapshot&, const model::NodeModel&, const Check&,
              std::vector<Finding>&);
  Audience audience = Audience::kDoctor;
  Needs needs = Needs::kWhole;
};

const std::vector<Check>& all_checks();
/// The row of that id, or nullptr: planners and commands have findings of their own.
const Check* find_check(std::string_view id);
/// The row of that id, which is in the table.
const Check& check_named(std::string_view id);

/// Findings of the checks that `audience` reports, in the order of the table. Of a snapshot with unreadable
/// files only those that need no more than a part.
std::vector<Finding> run_checks(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                                Audience audience = Audience::kShow);

/// resolve(), with the findings of run_checks() for a command that shows them. Errors: those of resolve().
Result<model::NodeModel> resolve_and_check(const nodes::NodeSnapshot& snapshot);

}  // namespace kubelet_sysctl::checks
