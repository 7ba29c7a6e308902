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
  std::size_t column = 0;    ///< in bytes from 1; 0 when the line is place enough
  std::string excerpt = {};  ///< the line that a caret goes under, with a column
  std::size_t width = 1;     ///< bytes that the caret covers
};

/// Which commands tell of a finding: `doctor` of all, `show` of what matters for the list, the verbs that
/// change only of what whoever edits the list must hear.
enum class Audience { kDoctor, kShow, kVerbs };

/// Whether a check is right on a node of which a part could not be read: a fault that was seen is one
/// whatever else there is, but a file that was not read is not a file that is absent.
enum class Needs { kPart, kWhole };

/// One check: a stable id, the worst it finds, what it looks for in a line, and the function that looks.
struct Check {
  std::string_view id;
  Severity severity;
  std::string_view title;
  void (*look)(const NodeSnapshot&, const NodeModel&, const Check&, std::vector<Finding>&);
  Audience audience = Audience::kDoctor;
  Needs needs = Needs::kWhole;
};

const std::vector<Check>& all_checks();
/// The row of that id, or nullptr: planners and commands have findings of their own.
const Check* find_check(std::string_view id);

/// Findings of the checks that `audience` tells of, in the order of the table. Of a snapshot with unreadable
/// files only those that need no more than a part.
std::vector<Finding> run_checks(const NodeSnapshot& snapshot, const NodeModel& model,
                                Audience audience = Audience::kShow);

/// Worst first; what is equally bad stays in its order.
void sort_by_severity(std::vector<Finding>& findings);

}  // namespace kubelet_sysctl
