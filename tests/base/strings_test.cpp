// SPDX-License-Identifier: Apache-2.0
#include "kubelet_sysctl/base/strings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kubelet_sysctl {
namespace {

using Texts = std::vector<std::string>;

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Strings, APathIsTakenApartAtItsLastSlash) {
  EXPECT_EQ(base_name("/usr/bin/kubelet"), "kubelet");
  EXPECT_EQ(base_name("kubelet"), "kubelet");
  EXPECT_EQ(base_name("/usr/bin/"), "");
  EXPECT_EQ(directory_of("/usr/bin/kubelet"), "/usr/bin");
  EXPECT_EQ(directory_of("/kubelet"), "/");
  EXPECT_EQ(directory_of("kubelet"), "/");
}

TEST(Strings, ALineEndAtTheEndBeginsNoLine) {
  EXPECT_THAT(lines_of(""), IsEmpty());
  EXPECT_THAT(lines_of("a\n\nb"), ElementsAre("a", "", "b"));
  EXPECT_THAT(lines_of("a\nb\n"), ElementsAre("a", "b"));
  EXPECT_THAT(lines_of("\n"), ElementsAre(""));
}

TEST(Strings, AreJoinedByTheSeparator) {
  EXPECT_EQ(joined(Texts{}), "");
  EXPECT_EQ(joined(Texts{"a"}), "a");
  EXPECT_EQ(joined(Texts{"a", "b"}), "a,b");
  EXPECT_EQ(joined(Texts{"a", "b", ""}, "; "), "a; b; ");
}

TEST(Strings, ANumberIsDigitsAlone) {
  EXPECT_TRUE(is_number("0"));
  EXPECT_TRUE(is_number("1234567890"));
  EXPECT_FALSE(is_number(""));
  EXPECT_FALSE(is_number("-1"));
  EXPECT_FALSE(is_number("1 "));
}

}  // namespace
}  // namespace kubelet_sysctl
