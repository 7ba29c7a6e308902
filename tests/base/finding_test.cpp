// SPDX-License-Identifier: Apache-2.0
// The order of findings.
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/finding.hpp"

namespace kubelet_sysctl {
namespace {

TEST(FindingOrder, IsWorstFirstAndElseAsItWas) {
  const std::vector<std::pair<std::string, Severity>> rows = {{"a", Severity::kNote},
                                                              {"b", Severity::kError},
                                                              {"c", Severity::kWarning},
                                                              {"d", Severity::kError}};
  std::vector<Finding> findings(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    findings[i].id = rows[i].first;
    findings[i].severity = rows[i].second;
  }
  sort_by_severity(findings);
  std::string order;
  for (const Finding& finding : findings) order += finding.id;
  EXPECT_EQ(order, "bdca");
}

}  // namespace
}  // namespace kubelet_sysctl
