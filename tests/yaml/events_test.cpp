// SPDX-License-Identifier: Apache-2.0
// Walks over the events of a file: nodes, anchors, lines.
#include <string_view>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl {
namespace {

TEST(YamlEvents, ANodeEndsBehindAllThatIsInIt) {
  const auto tree = yaml::yaml_tree("a: [b, {c: d}]\ne: f\n");
  ASSERT_TRUE(tree);
  // map, a, [, b, {, c, d, }, ], e, f, end of the map
  EXPECT_EQ(tree->events.size(), 12u);
  EXPECT_EQ(yaml::node_end(tree->events, 0), 12u);
  EXPECT_EQ(yaml::node_end(tree->events, 2), 9u);
  EXPECT_EQ(yaml::node_end(tree->events, 3), 4u);
}

// Source: YAML 1.1, 3.2.2.2: an alias is the most recent node with that anchor.
TEST(YamlEvents, AnAliasStandsForTheNodeWithItsAnchor) {
  const auto tree = yaml::yaml_tree("a: &x [b]\nc: *x\n");
  ASSERT_TRUE(tree);
  const yaml::Anchors anchors(tree->events);
  EXPECT_EQ(tree->events[6].kind, yaml::EventKind::kAlias);
  EXPECT_EQ(anchors.resolved(6), 2u);
  EXPECT_EQ(anchors.resolved(1), 1u);
}

TEST(YamlEvents, LinesKeepTheEndsThatTheyHave) {
  constexpr std::string_view kText = "a: 1\r\nb: 2 # c\r\n";
  EXPECT_EQ(yaml::line_begin_at(kText, 8), 6u);
  EXPECT_EQ(yaml::line_text_end(kText, 2), 4u);
  EXPECT_EQ(yaml::next_line_at(kText, 2), 6u);
  EXPECT_EQ(yaml::newline_of(kText, 8), "\r\n");
  EXPECT_EQ(yaml::newline_of("a", 0), "\n");
  EXPECT_TRUE(yaml::rest_is_comment(kText, 10));
  EXPECT_FALSE(yaml::rest_is_comment(kText, 8));
}

TEST(YamlEvents, SmallNodesWithoutEndAreTooDense) {
  EXPECT_FALSE(yaml::is_too_dense(50'000, 50'000));
  EXPECT_TRUE(yaml::is_too_dense(50'001, 250'000));
  EXPECT_FALSE(yaml::is_too_dense(50'001, 250'005));
}

}  // namespace
}  // namespace kubelet_sysctl
