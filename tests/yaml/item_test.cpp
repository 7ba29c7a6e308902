// SPDX-License-Identifier: Apache-2.0
// The bytes of list items that are more than a word.
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl {
namespace {

/// The bytes of the first item of the list that `text` is the value of.
std::optional<std::string> first_item(const std::string& text) {
  const auto tree = yaml::yaml_tree(text);
  if (!tree) return "no YAML";
  const auto span = yaml::yaml_whole_span(text, tree->events[3]);
  if (!span) return std::nullopt;
  return text.substr(span->begin, span->end - span->begin);
}

TEST(YamlItem, OfAnAliasAnAnchorOrATagHasNoComment) {
  EXPECT_EQ(first_item("l:\n- &x a # c\n- b\n"), "&x a");
  EXPECT_EQ(first_item("l:\n- !!str a\n"), "!!str a");
}

// Source: YAML 1.1, 9.1: a block scalar goes on as long as its lines stand further in.
TEST(YamlItem, OfABlockScalarHasItsLines) {
  EXPECT_EQ(first_item("l:\n- |\n  a\n  b\n- c\n"), "|\n  a\n  b");
}

TEST(YamlItem, IsNotToldForAPlainWordOrWhereAQuoteFollowsTheMark) {
  EXPECT_EQ(first_item("l:\n- a\n"), std::nullopt);
  EXPECT_EQ(first_item("l:\n- &x \"a\"\n"), std::nullopt);
}

}  // namespace
}  // namespace kubelet_sysctl
