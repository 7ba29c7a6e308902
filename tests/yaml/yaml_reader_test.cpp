// SPDX-License-Identifier: Apache-2.0
// YAML as the kubelet's reader, a port of libyaml, takes it.
#include <string>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl {
namespace {

TEST(YamlReader, GivesEachScalarWithItsPlaceAndItsMeaning) {
  const auto tree = yaml::yaml_tree("a: \"b\\tc\"\n");
  ASSERT_TRUE(tree);
  ASSERT_EQ(tree->events.size(), 4u);
  EXPECT_EQ(tree->events[1].text, "a");
  EXPECT_EQ(tree->events[1].at.begin, 0u);
  EXPECT_EQ(tree->events[2].text, "b\tc");
  EXPECT_TRUE(tree->events[2].quoted);
  EXPECT_EQ(tree->events[2].at.begin, 3u);
}

TEST(YamlReader, ReadsTheFirstDocumentAndCountsTheOthers) {
  const auto tree = yaml::yaml_tree("a: b\n---\nc: d\n");
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->events.size(), 4u);
  EXPECT_EQ(tree->documents, 2u);
}

// Source: YAML 1.1, 5.1 and 6.1: no tab indents.
TEST(YamlReader, NamesTheLineOfWhatIsNoYaml) {
  const auto tree = yaml::yaml_tree("a:\n\tb: c\n");
  ASSERT_FALSE(tree);
  EXPECT_EQ(tree.error().kind, ErrorKind::kMalformed);
  EXPECT_EQ(tree.error().line, 2u);
}

}  // namespace
}  // namespace kubelet_sysctl
