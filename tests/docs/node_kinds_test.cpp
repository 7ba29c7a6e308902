// SPDX-License-Identifier: Apache-2.0
// docs/node-kinds.md and docs/sources.md against the table of kinds.
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "docs/tables.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

std::vector<std::string> rows_below(const std::string& head) {
  return kubelet_sysctl::rows_below("node-kinds.md", head);
}

std::string or_dash(std::string_view text) { return std::string(text.empty() ? "–" : text); }

TEST(NodeKindsDocument, ListsEveryKindWithItsRouteAndWhoRewrites) {
  std::vector<std::string> wanted;
  for (const nodes::NodeKind& kind : nodes::node_kinds()) {
    wanted.push_back(fmt::format("| {} | {} | {} | {} | {} |", kind.id, kind.title,
                                 kind.refuse ? "no edit" : nodes::name_of(kind.new_list_route),
                                 or_dash(kind.variable), or_dash(kind.rewritten_by)));
  }
  EXPECT_EQ(rows_below("| id | kind | a new list goes to | variable of the flag | who writes the "
                       "files again |"),
            wanted);
}

TEST(NodeKindsDocument, ListsTheFilesThatAreRewritten) {
  std::vector<std::string> wanted;
  for (const nodes::NodeKind& kind : nodes::node_kinds()) {
    std::istringstream paths{std::string(kind.rewritten)};
    std::string list;
    for (std::string path; paths >> path;) {
      list += fmt::format("{}`{}`", list.empty() ? "" : ", ", path);
    }
    if (!list.empty()) wanted.push_back(fmt::format("| {} | {} |", kind.id, list));
  }
  EXPECT_EQ(rows_below("| id | files |"), wanted);
}

TEST(NodeKindsDocument, NamesThePersistentWayInTheProgramsWords) {
  std::vector<std::string> wanted;
  for (const nodes::NodeKind& kind : nodes::node_kinds()) {
    if (kind.vendor_route.empty()) continue;
    wanted.push_back(fmt::format("| {} | {} |", kind.id, kind.vendor_route));
  }
  EXPECT_EQ(rows_below("| id | how |"), wanted);
}

TEST(NodeKindsDocument, ListsTheUnitsThatAreLookedForWithoutKubeletService) {
  std::vector<std::string> wanted;
  for (const nodes::NodeKind& kind : nodes::node_kinds()) {
    std::istringstream units{std::string(kind.units)};
    std::string list;
    for (std::string unit; units >> unit;) {
      list += fmt::format("{}`{}`", list.empty() ? "" : ", ", unit);
    }
    if (!list.empty()) wanted.push_back(fmt::format("| {} | {} |", kind.id, list));
  }
  EXPECT_EQ(rows_below("| id | units |"), wanted);
}

TEST(NodeKindsDocument, ListsTheFilesThatPersistWrites) {
  std::vector<std::string> wanted;
  for (const nodes::NodeKind& kind : nodes::node_kinds()) {
    if (kind.persistent_file.empty()) continue;
    wanted.push_back(
        fmt::format("| {} | `{}` | {} |", kind.id, kind.persistent_file, kind.persistent_needs));
  }
  EXPECT_EQ(rows_below("| id | file | what must be done for it to count |"), wanted);
}

TEST(NodeKindsDocument, NamesASourceForEveryKind) {
  const auto rows =
      kubelet_sysctl::rows_below("sources.md", "| id | recognised by | upstream files |");
  ASSERT_EQ(rows.size(), nodes::node_kinds().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const nodes::NodeKind& kind = nodes::node_kinds()[i];
    EXPECT_TRUE(rows[i].starts_with(fmt::format("| {} | ", kind.id))) << rows[i];
    EXPECT_EQ(rows[i].ends_with("|  |") || rows[i].ends_with("| |"), kind.id == "unknown")
        << "a kind without a source: " << rows[i];
  }
}

}  // namespace
}  // namespace kubelet_sysctl
