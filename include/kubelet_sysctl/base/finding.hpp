// SPDX-License-Identifier: Apache-2.0
// One thing that is to be said of a node, with its place and what to do.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace kubelet_sysctl {
inline namespace base {

enum class Severity { kNote, kWarning, kError };

const char* name_of(Severity severity);

/// One thing found, with its place and its fix.
struct Finding {
  std::string id = {};  ///< stable, documented: "misspelt-key"
  Severity severity = Severity::kNote;
  std::string message = {};  ///< lower case, no full stop
  std::string path = {};     ///< empty when there is no place
  std::size_t line = 0;      ///< from 1; 0 when unknown
  std::string hint = {};
  std::size_t column = 0;    ///< in bytes from 1; 0 when the line is place enough
  std::string excerpt = {};  ///< the line that a caret goes under, with a column
  std::size_t width = 1;     ///< bytes that the caret covers
};

/// Worst first; what is equally bad stays in its order.
void sort_by_severity(std::vector<Finding>& findings);

}  // namespace base
}  // namespace kubelet_sysctl
