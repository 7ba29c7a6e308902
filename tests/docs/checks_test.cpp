// SPDX-License-Identifier: Apache-2.0
// docs/checks.md against the table of checks.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "docs/tables.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/checks/checks.hpp"

namespace kubelet_sysctl {
namespace {

std::vector<std::string> rows_below(const std::string& head) {
  return kubelet_sysctl::rows_below("checks.md", head);
}

std::string_view told_by(checks::Audience audience) {
  switch (audience) {
    case checks::Audience::kDoctor:
      return "–";
    case checks::Audience::kShow:
      return "show";
    case checks::Audience::kVerbs:
      return "show, verbs";
  }
  return "?";
}

TEST(ChecksDocument, ListsEveryCheckWithItsSeverityAndWhoTellsOfIt) {
  std::vector<std::string> wanted;
  for (const checks::Check& check : checks::all_checks()) {
    wanted.push_back(fmt::format("| {} | {} | {} | {} |", check.id, name_of(check.severity),
                                 told_by(check.audience), check.title));
  }
  EXPECT_EQ(rows_below("| id | severity | reported by | what it finds |"), wanted);
}

TEST(ChecksDocument, NamesAMendAndASourceForEveryCheck) {
  const auto rows = rows_below("| id | fix | source |");
  ASSERT_EQ(rows.size(), checks::all_checks().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string head = fmt::format("| {} | ", checks::all_checks()[i].id);
    ASSERT_TRUE(rows[i].starts_with(head)) << rows[i];
    const std::size_t source = rows[i].find(" | ", head.size());
    ASSERT_NE(source, std::string::npos) << rows[i];
    EXPECT_GT(source, head.size() + 2) << "no fix: " << rows[i];
    EXPECT_GT(rows[i].size(), source + 8) << "no source: " << rows[i];
  }
}

}  // namespace
}  // namespace kubelet_sysctl
