// SPDX-License-Identifier: Apache-2.0
// Words that were meant. The distance is that of Damerau and Levenshtein in its restricted form.
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/nearest.hpp"

namespace kubelet_sysctl {
namespace {

// Source: the pairs that textbooks of string distances give.
TEST(Nearest, CountsLettersChangedAddedDroppedAndSwappedOnce) {
  EXPECT_EQ(letters_apart("kitten", "sitting"), 3u);
  EXPECT_EQ(letters_apart("somaxconn", "somaxcon"), 1u);
  EXPECT_EQ(letters_apart("somaxcnon", "somaxconn"), 1u);
  EXPECT_EQ(letters_apart("ca", "abc"), 3u);  // 2 where a pair that was swapped may be edited again
  EXPECT_EQ(letters_apart("", "abc"), 3u);
}

TEST(Nearest, IsTheBeginningOfAWordOrOneWithFewOtherLetters) {
  const std::vector<std::string> words = {"add", "doctor", "history", "show"};
  EXPECT_EQ(nearest("docotr", words), "doctor");
  EXPECT_EQ(nearest("hist", words), "history");
  EXPECT_EQ(nearest("shwo", words), "show");
  EXPECT_EQ(nearest("restart", words), std::nullopt);
  EXPECT_EQ(nearest("", words), std::nullopt);
}

}  // namespace
}  // namespace kubelet_sysctl
