// SPDX-License-Identifier: Apache-2.0
// The order of the findings about a change.
#include "kubelet_sysctl/planning/relevance.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/finding.hpp"

namespace kubelet_sysctl::planning {
namespace {

constexpr Severity kNote = Severity::kNote;
constexpr Severity kWarning = Severity::kWarning;
constexpr Severity kError = Severity::kError;

std::vector<std::string> sorted(const std::vector<std::pair<std::string, Severity>>& rows) {
  std::vector<Finding> findings;
  for (const auto& [id, severity] : rows) findings.push_back({.id = id, .severity = severity});
  sort_by_relevance(findings);
  std::vector<std::string> ids;
  for (const Finding& finding : findings) ids.push_back(finding.id);
  return ids;
}

using Ids = std::vector<std::string>;

TEST(Relevance, WhatConcernsTheEntriesIsAboveWhatConcernsTheNode) {
  EXPECT_EQ(
      sorted({{"misspelt-key", kWarning},
              {"will-be-rewritten", kWarning},
              {"shadowed-list", kWarning},
              {"pod-refused", kWarning},
              {"wide-grant", kWarning}}),
      (Ids{"pod-refused", "wide-grant", "will-be-rewritten", "misspelt-key", "shadowed-list"}));
}

TEST(Relevance, ANoteAboutTheEntriesIsAboveAWarningAboutTheNode) {
  EXPECT_EQ(sorted({{"misspelt-key", kWarning}, {"not-listed", kNote}, {"wide-grant", kWarning}}),
            (Ids{"wide-grant", "not-listed", "misspelt-key"}));
}

TEST(Relevance, AnErrorIsAboveAll) {
  EXPECT_EQ(sorted({{"wide-grant", kWarning}, {"kubelet-down", kError}}),
            (Ids{"kubelet-down", "wide-grant"}));
}

TEST(Relevance, WhatIsEqualStaysInItsOrder) {
  EXPECT_EQ(sorted({{"b", kNote}, {"a", kNote}}), (Ids{"b", "a"}));
}

}  // namespace
}  // namespace kubelet_sysctl::planning
