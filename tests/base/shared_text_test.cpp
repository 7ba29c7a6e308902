// SPDX-License-Identifier: Apache-2.0
#include "kubelet_sysctl/base/shared_text.hpp"

#include <gtest/gtest.h>

namespace kubelet_sysctl {
namespace {

TEST(SharedText, CopiesAreOneTextUntilOneIsChanged) {
  const SharedText first = std::string("a text");
  SharedText second = first;
  EXPECT_EQ(second.data(), first.data());
  second.edit() += "!";
  EXPECT_EQ(first, "a text");
  EXPECT_EQ(second, "a text!");
}

TEST(SharedText, OneThatWasNeverSetIsEmpty) {
  SharedText text;
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(text, "");
  text.edit().push_back('a');
  EXPECT_EQ(text.str(), "a");
  text.clear();
  EXPECT_EQ(text, SharedText());
}

}  // namespace
}  // namespace kubelet_sysctl
