// SPDX-License-Identifier: Apache-2.0
// What scalars mean to the kubelet's reader, go-yaml v2, and how entries are written.
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl {
namespace {

// Source: gopkg.in/yaml.v2 resolve.go: resolveMap, yamlStyleFloat, ParseInt with base 0 without '_'.
TEST(YamlScalar, WordsAndNumbersOfYaml11AreNoStrings) {
  for (const char* text : {"",    "~",  "null", "true", "False",   "yes",  "No",    "on",   "OFF",
                           "y",   "N",  "1",    "-1",   "+1_000",  "0x1F", "0b10",  "0o17", "017",
                           "1.5", ".5", "5.",   "1e3",  "-1.5E-3", ".inf", "-.Inf", ".NaN"}) {
    EXPECT_FALSE(yaml::is_plain_string(text)) << text;
  }
  for (const char* text : {"net.core.somaxconn", "kernel.msg*", "nULL", "tRUE", "yEs", "0x", "1e",
                           "1.2.3", ".", "-", "0b2", "1 2", "_"}) {
    EXPECT_TRUE(yaml::is_plain_string(text)) << text;
  }
}

TEST(YamlScalar, ATagOrAQuoteDecidesBeforeTheText) {
  yaml::Event event{.kind = yaml::EventKind::kScalar, .text = "1"};
  EXPECT_FALSE(yaml::is_string(event));
  event.quoted = true;
  EXPECT_TRUE(yaml::is_string(event));
  event.quoted = false;
  event.tag = yaml::tag_named("tag:yaml.org,2002:str");
  EXPECT_TRUE(yaml::is_string(event));
  event.tag = yaml::tag_named("tag:yaml.org,2002:int");
  EXPECT_FALSE(yaml::is_string(event));
  event.tag = yaml::tag_named("!ours");
  EXPECT_TRUE(yaml::is_string(event));
}

TEST(YamlScalar, AnEntryIsWrittenPlainWhereItStaysThatString) {
  EXPECT_EQ(yaml::yaml_written("net.core.somaxconn"), "net.core.somaxconn");
  EXPECT_EQ(yaml::yaml_written("kernel.msg*"), "kernel.msg*");
  EXPECT_EQ(yaml::yaml_written("*"), R"("*")");
  EXPECT_EQ(yaml::yaml_written("yes"), R"("yes")");
  EXPECT_EQ(yaml::yaml_written("a: b"), R"("a: b")");
  EXPECT_EQ(yaml::yaml_written("a\"\\\n"), R"("a\"\\\u000a")");
  EXPECT_EQ(yaml::yaml_written("é\U0001F600"), R"("\u00e9\U0001f600")");
}

}  // namespace
}  // namespace kubelet_sysctl
