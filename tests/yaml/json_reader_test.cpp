// SPDX-License-Identifier: Apache-2.0
// JSON with the bytes of each token. Source: RFC 8259.
#include <string>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl {
namespace {

TEST(JsonReader, GivesEachTokenWithItsBytes) {
  const auto tree = yaml::json_tree(R"({"a": ["b\u0041", 1.50]})");
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->format, yaml::ConfigFormat::kJson);
  ASSERT_EQ(tree->events.size(), 7u);
  EXPECT_EQ(tree->events[3].text, "bA");
  EXPECT_TRUE(tree->events[3].quoted);
  EXPECT_EQ(Span(tree->events[3].at), (Span{7, 16}));
  EXPECT_EQ(tree->events[4].text, "1.50");
  EXPECT_FALSE(tree->events[4].quoted);
}

TEST(JsonReader, RefusesWhatIsNoJson) {
  for (const char* text :
       {"{\"a\": 1,}", "{\"a\": 1} x", "{'a': 1}", "{\"a\": 01}", "{\"a\": [1}", "{\"a\": nul}"}) {
    EXPECT_FALSE(yaml::json_tree(text)) << text;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
