// SPDX-License-Identifier: Apache-2.0
// docs/checks.md and docs/sources.md against the table of checks.
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

TEST(ChecksDocument, ListsEveryCheckWithItsSeverityAndWhatReportsIt) {
  std::vector<std::string> wanted;
  for (const checks::Check& check : checks::all_checks()) {
    wanted.push_back(fmt::format("| {} | {} | {} | {} |", check.id, name_of(check.severity),
                                 told_by(check.audience), check.title));
  }
  EXPECT_EQ(rows_below("| id | severity | reported by | what it finds |"), wanted);
}

/// A table with a row for each check in the order of the program, and something in its second cell.
void expect_a_cell_for_every_check(const std::vector<std::string>& rows) {
  ASSERT_EQ(rows.size(), checks::all_checks().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string head = fmt::format("| {} | ", checks::all_checks()[i].id);
    EXPECT_TRUE(rows[i].starts_with(head)) << rows[i];
    EXPECT_GT(rows[i].size(), head.size() + 2) << "an empty cell: " << rows[i];
  }
}

TEST(ChecksDocument, NamesAFixForEveryCheck) {
  expect_a_cell_for_every_check(rows_below("| id | fix |"));
}

TEST(ChecksDocument, NamesASourceForEveryCheck) {
  expect_a_cell_for_every_check(kubelet_sysctl::rows_below("sources.md", "| id | source |"));
}

}  // namespace
}  // namespace kubelet_sysctl
