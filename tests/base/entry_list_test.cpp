// SPDX-License-Identifier: Apache-2.0
#include "kubelet_sysctl/base/entry_list.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kubelet_sysctl {
namespace {

using testing::ElementsAre;

TEST(EntryList, HoldsTextsInTheirOrderAndTheEmptyOneToo) {
  EntryList list = {"kernel.msg*", "", "net.core.somaxconn"};
  list.push_back("a");
  EXPECT_EQ(list.size(), 4u);
  EXPECT_EQ(list.front(), "kernel.msg*");
  EXPECT_EQ(list[1], "");
  EXPECT_EQ(list.back(), "a");
  EXPECT_THAT(std::vector<std::string>(list),
              ElementsAre("kernel.msg*", "", "net.core.somaxconn", "a"));
  EXPECT_TRUE(EntryList().empty());
  EXPECT_EQ(EntryList().begin(), EntryList().end());
}

TEST(EntryList, CopiesShareTheTextsUntilOneIsChanged) {
  const EntryList before = {"a", "b"};
  EntryList after = before;
  EXPECT_EQ(after[0].data(), before[0].data());
  after.push_back("c");
  EXPECT_EQ(before, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(after, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(EntryList, IsEqualByItsTextsAndNotByTheirBytesAlone) {
  EXPECT_EQ((EntryList{"a", "b"}), (EntryList{"a", "b"}));
  EXPECT_FALSE((EntryList{"ab", ""}) == (EntryList{"a", "b"}));
  EXPECT_EQ(EntryList(), EntryList(std::vector<std::string>()));
}

TEST(EntryList, IsWalkedLikeAVector) {
  const EntryList list = {"a", "b", "c"};
  EXPECT_EQ(std::find(list.begin(), list.end(), "b") - list.begin(), 1);
  EXPECT_EQ(*(list.end() - 1), "c");
  EXPECT_TRUE(std::is_sorted(list.begin(), list.end()));
}

}  // namespace
}  // namespace kubelet_sysctl
