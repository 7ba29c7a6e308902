// SPDX-License-Identifier: Apache-2.0
// Things about a node that an operator should know: the table of checks and their findings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kubelet_sysctl {

struct NodeModel;
struct NodeSnapshot;

enum class Severity { kNote, kWarning, kError };

const char* name_of(Severity severity);

/// One thing found, with its place and its mend.
struct Finding {
  std::string id;  ///< stable, documented: "misspelt-key"
  Severity severity = Severity::kNote;
  std::string message;   ///< lower case, no full stop
  std::string path;      ///< empty when there is no place
  std::size_t line = 0;  ///< from 1; 0 when unknown
  std::string hint;
};

/// One check: a stable id, what it looks for in a line, and the function that looks.
struct Check {
  std::string_view id;
  Severity severity;
  std::string_view title;
  void (*look)(const NodeSnapshot&, const NodeModel&, const Check&, std::vector<Finding>&);
};

const std::vector<Check>& all_checks();

/// Findings of every check, in the order of the table.
std::vector<Finding> run_checks(const NodeSnapshot& snapshot, const NodeModel& model);

}  // namespace kubelet_sysctl
