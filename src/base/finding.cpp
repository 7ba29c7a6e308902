// SPDX-License-Identifier: Apache-2.0
// The words of severities, and their order.
#include "kubelet_sysctl/base/finding.hpp"

#include <algorithm>
#include <array>

#include "kubelet_sysctl/base/error.hpp"

namespace kubelet_sysctl {
inline namespace base {

const char* name_of(Severity severity) {
  // In the order of Severity.
  constexpr std::array kNames = {"note", "warning", "error"};
  return kNames[static_cast<std::size_t>(severity)];
}

void sort_by_severity(std::vector<Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
}

}  // namespace base
}  // namespace kubelet_sysctl
