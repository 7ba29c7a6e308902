// SPDX-License-Identifier: Apache-2.0
// Lists in brackets: found with their commas, and changed without touching a byte more.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl {
namespace {

TEST(FlowList, IsFoundWithItsCommas) {
  const auto list = yaml::find_flow_list("[a, b]", 0, {{1, 2}, {4, 5}});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->brackets, (Span{0, 6}));
  EXPECT_EQ(list->commas, (std::vector<std::size_t>{2, yaml::kNone}));
  EXPECT_FALSE(list->comments);
}

TEST(FlowList, IsNoneWhereOtherBytesTurnUp) {
  EXPECT_FALSE(yaml::find_flow_list("[a b]", 0, {{1, 2}}));
  EXPECT_FALSE(yaml::find_flow_list("[a, b", 0, {{1, 2}, {4, 5}}));
}

TEST(FlowList, AnItemThatGoesTakesItsCommaAndOneThatComesFollowsTheStyle) {
  constexpr std::string_view kText = "[a,b]";
  const auto list = yaml::find_flow_list(kText, 0, {{1, 2}, {3, 4}});
  ASSERT_TRUE(list);
  yaml::ListChange change;
  change.keep = {false, true};
  change.added = {{.after = 1, .texts = {"c"}, .moved = {yaml::kNone}}};
  const auto splices = yaml::flow_splices(kText, *list, change, ", ");
  ASSERT_TRUE(splices);
  const auto after = apply_splices(kText, *splices);
  ASSERT_TRUE(after);
  EXPECT_EQ(*after, "[b,c]");
}

}  // namespace
}  // namespace kubelet_sysctl
