// SPDX-License-Identifier: Apache-2.0
// How text is laid out, and what a terminal never gets.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/text.hpp"

namespace kubelet_sysctl {
namespace {

TEST(Text, ColumnsAreAsWideAsTheirWidestCellAndEndInNoBlank) {
  EXPECT_EQ(aligned({{"a", "bb", "c"}, {"äöü", "b"}, {"x"}}, "  "),
            "  a    bb  c\n"
            "  äöü  b\n"
            "  x\n");
}

TEST(Text, WidthCountsCodePointsAndNoColour) {
  EXPECT_EQ(width_of("äöü…"), 4u);
  EXPECT_EQ(width_of(painted(TextStyle{.colour = true}, Paint::kRed, "red")), 3u);
  EXPECT_EQ(painted(TextStyle{}, Paint::kRed, "red"), "red");
}

TEST(Text, ACellHoldsOneColumnAndKnowsItsBytes) {
  const Cells made = cells_of("a\té\x01z");
  EXPECT_EQ(made.cells, (std::vector<std::string>{"a", " ", "é", "\\x01", "z"}));
  EXPECT_EQ(made.cell_of, (std::vector<std::size_t>{0, 1, 2, 2, 3, 4}));
}

// Source: POSIX.1-2024, Shell Command Language, 2.2 Quoting.
TEST(Text, AWordOfAShellIsQuotedWhereTheShellWouldReadMoreThanLetters) {
  EXPECT_EQ(shell_word("net.core.somaxconn"), "net.core.somaxconn");
  EXPECT_EQ(shell_word("kernel.msg*"), "'kernel.msg*'");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word(""), "''");
}

TEST(Text, ListsAndCountsAreSaidInWords) {
  EXPECT_EQ(count_text(0, "entry", "entries"), "no entries");
  EXPECT_EQ(count_text(1, "entry", "entries"), "1 entry");
  EXPECT_EQ(count_text(2, "entry", "entries"), "2 entries");
  EXPECT_EQ(place_text("/etc/default/kubelet", 3), "/etc/default/kubelet:3");
  EXPECT_EQ(place_text("/etc/default/kubelet", 0), "/etc/default/kubelet");
  EXPECT_EQ(place_text("", 0), "-");
}

TEST(Text, AChangeOfAListKeepsItsOrderAndNamesWhatIsNew) {
  const ListChange change = change_between({"a", "b", "c"}, {"c", "d", "a"});
  EXPECT_EQ(change.removed, std::vector<std::string>{"b"});
  EXPECT_EQ(change.added, std::vector<std::string>{"d"});
  EXPECT_EQ(change.kept, (std::vector<std::string>{"a", "c"}));
  EXPECT_FALSE(change.reordered);
  EXPECT_TRUE(change_between({"a", "b"}, {"b", "a"}).reordered);
}

}  // namespace
}  // namespace kubelet_sysctl
