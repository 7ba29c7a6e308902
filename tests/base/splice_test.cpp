// SPDX-License-Identifier: Apache-2.0
// Tests of splicing and of the independent check of what was spliced.

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/splice.hpp"

namespace kubelet_sysctl {
namespace {

TEST(Splice, ReplacesInsertsAndRemovesInAnyOrder) {
  const auto made = apply_splices("abcdef", {{{4, 5}, ""}, {{0, 1}, "XY"}, {{3, 3}, "-"}});
  ASSERT_TRUE(made);
  EXPECT_EQ(*made, "XYbc-df");
}

TEST(Splice, NoSplicesGiveTheSameBytes) {
  const auto made = apply_splices("abc", {});
  ASSERT_TRUE(made);
  EXPECT_EQ(*made, "abc");
}

TEST(Splice, InsertionsAtOnePlaceKeepTheirOrderAndStandBeforeAReplacementThere) {
  const auto made = apply_splices("abc", {{{1, 2}, "B"}, {{1, 1}, "1"}, {{1, 1}, "2"}});
  ASSERT_TRUE(made);
  EXPECT_EQ(*made, "a12Bc");
}

TEST(Splice, OverlapsAndPlacesOutsideTheFileAreRefused) {
  for (const std::vector<Splice>& bad :
       {std::vector<Splice>{{{0, 2}, "x"}, {{1, 3}, "y"}}, std::vector<Splice>{{{2, 4}, ""}},
        std::vector<Splice>{{{2, 1}, ""}}, std::vector<Splice>{{{0, 3}, ""}, {{1, 1}, "y"}}}) {
    const auto made = apply_splices("abc", bad);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind, ErrorKind::kUnsupported);
  }
}

TEST(Splice, TheCheckAcceptsTheResultAndNothingElse) {
  const std::vector<Splice> splices = {{{4, 5}, ""}, {{0, 1}, "XY"}};
  EXPECT_TRUE(only_spliced("abcdef", "XYbcdf", splices));
  EXPECT_FALSE(only_spliced("abcdef", "XYbcdF", splices));   // another byte changed
  EXPECT_FALSE(only_spliced("abcdef", "XYbcdf ", splices));  // one was added
  EXPECT_FALSE(only_spliced("abcdef", "XYbcd", splices));    // one was lost
  EXPECT_FALSE(only_spliced("abcdef", "XZbcdf", splices));   // the new text is another
  EXPECT_FALSE(only_spliced("abcdef", "abcdef", splices));
  EXPECT_FALSE(only_spliced("abc", "abc", {{{2, 9}, ""}}));
  EXPECT_FALSE(only_spliced("abc", "xc", {{{0, 2}, "x"}, {{1, 2}, ""}}));
}

}  // namespace
}  // namespace kubelet_sysctl
