// SPDX-License-Identifier: Apache-2.0
// The words of severities, and their order.
#include "kubelet_sysctl/base/finding.hpp"

#include <algorithm>

#include "kubelet_sysctl/base/error.hpp"

namespace kubelet_sysctl {
inline namespace base {

const char* name_of(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  bug("a Severity without a name");
}

void sort_by_severity(std::vector<Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
}

}  // namespace base
}  // namespace kubelet_sysctl
