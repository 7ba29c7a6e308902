// SPDX-License-Identifier: Apache-2.0
// Tests of editing a KubeletConfiguration: the wanted list, the style of the neighbours, and every
// other byte as it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"

namespace kubelet_sysctl {
namespace {

using testing::HasSubstr;
using Texts = std::vector<std::string>;

const std::string kHead = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
const std::string kJsonHead =
    R"("apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration")";

/// The file after the edit, or the words of the refusal.
std::string edited(const std::string& bytes, const Texts& wanted, bool remove_key = false,
                   kubelet::ConfigRole role = kubelet::ConfigRole::kMain) {
  const auto splices = kubelet::edit_kubelet_config(bytes, role, wanted, remove_key);
  if (!splices) return splices.error().message;
  const auto made = apply_splices(bytes, *splices);
  return made ? *made : made.error().message;
}

Texts texts_of(const std::string& bytes) {
  Texts texts;
  const auto file = kubelet::parse_kubelet_config(bytes, kubelet::ConfigRole::kMain);
  if (!file) return {"unreadable"};
  for (const kubelet::ConfigEntry& entry : file->entries) texts.emplace_back(entry.text);
  return texts;
}

struct Step {
  std::string before;
  Texts wanted;
  std::string after;
};

void expect_steps(const std::vector<Step>& steps, const std::string& head,
                  bool remove_key = false) {
  for (const Step& step : steps) {
    EXPECT_EQ(edited(head + step.before, step.wanted, remove_key), head + step.after);
  }
}

TEST(KubeletConfigEdit, AKubeadmListGrowsByOnePlainLineAndKeepsItsComments) {
  const std::string before =
      "apiVersion: kubelet.config.k8s.io/v1beta1\n"
      "# OPS-1412: the ingress pods raise their own backlog\n"
      "allowedUnsafeSysctls:\n"
      "- \"net.core.somaxconn\"   # ingress\n"
      "- 'kernel.shm*'          # in-house queue\n";
  const std::string rest =
      "authentication:\n  anonymous:\n    enabled: false\nkind: KubeletConfiguration\n";
  EXPECT_EQ(
      edited(before + rest, {"net.core.somaxconn", "kernel.shm*", "net.ipv4.tcp_max_syn_backlog"}),
      before + "- net.ipv4.tcp_max_syn_backlog\n" + rest);
}

TEST(KubeletConfigEdit, NothingToDoGivesNoSplices) {
  for (const std::string& bytes :
       {kHead, kHead + "allowedUnsafeSysctls:\n", kHead + "allowedUnsafeSysctls: []\n",
        kHead + "allowedUnsafeSysctls:\n- a\n- b\n---\nx: y\n",
        kHead + "x: &l [a]\nallowedUnsafeSysctls: *l\n",
        "{" + kJsonHead + R"(,"allowedUnsafeSysctls": [ "a" , "b" ]})"}) {
    for (const bool remove_key : {false, true}) {
      const auto splices = kubelet::edit_kubelet_config(bytes, kubelet::ConfigRole::kMain,
                                                        texts_of(bytes), remove_key);
      ASSERT_TRUE(splices) << splices.error().message;
      EXPECT_TRUE(splices->empty()) << bytes;
    }
  }
}

TEST(KubeletConfigEdit, BlockItemsFollowTheirNeighbourAndStandaloneCommentsStay) {
  expect_steps(
      {
          {"allowedUnsafeSysctls:\n  # one\n  -   a  # x\n\n  # two\n  -   b\n  # end\ny: 1\n",
           {"a", "k", "b"},
           "allowedUnsafeSysctls:\n  # one\n  -   a  # x\n  -   k\n\n  # two\n  -   b\n  # end\ny: "
           "1\n"},
          {"allowedUnsafeSysctls:\n  # one\n  -   a  # x\n\n  # two\n  -   b\n  # end\ny: 1\n",
           {"b"},
           "allowedUnsafeSysctls:\n  # one\n\n  # two\n  -   b\n  # end\ny: 1\n"},
          {"allowedUnsafeSysctls:\n- a\n- b\n",
           {"k", "a", "b"},
           "allowedUnsafeSysctls:\n- k\n- a\n- b\n"},
          {"allowedUnsafeSysctls:\n- a\n- b\nx: y\n",
           {"k", "m"},
           "allowedUnsafeSysctls:\n- k\n- m\nx: y\n"},
          {"allowedUnsafeSysctls:\n- a\n- b",
           {"a", "b", "k"},
           "allowedUnsafeSysctls:\n- a\n- b\n- k"},
          {"allowedUnsafeSysctls:\n- a\n- b", {"a"}, "allowedUnsafeSysctls:\n- a"},
          {"allowedUnsafeSysctls:\n- a\n- b", {"k"}, "allowedUnsafeSysctls:\n- k"},
          {"allowedUnsafeSysctls:\n- a\n-\n- ~ # x\n- 5\n", {"a"}, "allowedUnsafeSysctls:\n- a\n"},
      },
      kHead);
}

TEST(KubeletConfigEdit, AnItemThatMovesTakesItsCommentAlong) {
  expect_steps({{"allowedUnsafeSysctls:\n- a # 1\n- b # 2\n- c # 3\n",
                 {"c", "a", "b"},
                 "allowedUnsafeSysctls:\n- c # 3\n- a # 1\n- b # 2\n"}},
               kHead);
}

TEST(KubeletConfigEdit, WindowsLineEndsAreKept) {
  const std::string head =
      "\xEF\xBB\xBF"
      "apiVersion: kubelet.config.k8s.io/v1beta1\r\nkind: KubeletConfiguration\r\n";
  expect_steps({{"allowedUnsafeSysctls:\r\n- a\r\nx: y\r\n",
                 {"a", "k"},
                 "allowedUnsafeSysctls:\r\n- a\r\n- k\r\nx: y\r\n"},
                {"allowedUnsafeSysctls:\r\n- a\r\n- b", {"a"}, "allowedUnsafeSysctls:\r\n- a"},
                {"x: y\r\n", {"k"}, "x: y\r\nallowedUnsafeSysctls:\r\n- k\r\n"}},
               head);
}

TEST(KubeletConfigEdit, AnEmptiedListLeavesBracketsOrNoKey) {
  const std::string block = "a: b\nallowedUnsafeSysctls:   # why\n- a\n# note\n- b # x\nz: y\n";
  expect_steps({{block, {}, "a: b\nallowedUnsafeSysctls: []   # why\n# note\nz: y\n"},
                {"allowedUnsafeSysctls: [ a, b ]  # x\n", {}, "allowedUnsafeSysctls: []  # x\n"},
                {"allowedUnsafeSysctls: [\n  a\n]\n", {}, "allowedUnsafeSysctls: []\n"},
                {"allowedUnsafeSysctls:\n- a", {}, "allowedUnsafeSysctls: []"}},
               kHead);
  expect_steps({{block, {}, "a: b\n# note\nz: y\n"},
                {"x: y\nallowedUnsafeSysctls:\n- a", {}, "x: y"},
                {"allowedUnsafeSysctls: [\n  a\n] # x\nz: y\n", {}, "z: y\n"}},
               kHead, true);
}

TEST(KubeletConfigEdit, FlowListsKeepTheirStyle) {
  expect_steps(
      {
          {"allowedUnsafeSysctls: [a,  \"b\"]  # x\n",
           {"a", "b", "k"},
           "allowedUnsafeSysctls: [a,  \"b\",  k]  # x\n"},
          {"allowedUnsafeSysctls: [a, b, c]\n", {"a", "c"}, "allowedUnsafeSysctls: [a, c]\n"},
          {"allowedUnsafeSysctls: [a, b, c]\n", {"b"}, "allowedUnsafeSysctls: [b]\n"},
          {"allowedUnsafeSysctls: [a, b,]\n", {"a"}, "allowedUnsafeSysctls: [a,]\n"},
          {"allowedUnsafeSysctls: [a, b]\n",
           {"k", "a", "m", "b"},
           "allowedUnsafeSysctls: [k, a, m, b]\n"},
          {"allowedUnsafeSysctls: []\n", {"a", "b"}, "allowedUnsafeSysctls: [a, b]\n"},
          {"allowedUnsafeSysctls: [\n  a,  # 1\n  # 2\n  b\n]\n",
           {"a", "b", "k"},
           "allowedUnsafeSysctls: [\n  a,  # 1\n  # 2\n  b,\n  k\n]\n"},
          {"allowedUnsafeSysctls: [\n  a,  # 1\n  # 2\n  b  # 3\n]\n",
           {"a"},
           "allowedUnsafeSysctls: [\n  a  # 1\n  # 2\n]\n"},
          {"allowedUnsafeSysctls: [\n  a,\n  b,\n]\n",
           {"k", "b"},
           "allowedUnsafeSysctls: [\n  k,\n  b,\n]\n"},
      },
      kHead);
}

TEST(KubeletConfigEdit, AnUnsetKeyGetsItsListWhereItStands) {
  expect_steps(
      {{"allowedUnsafeSysctls:  # none\nx: y\n",
        {"a", "b"},
        "allowedUnsafeSysctls:  # none\n- a\n- b\nx: y\n"},
       {"x:\n  - y\nallowedUnsafeSysctls:", {"a"}, "x:\n  - y\nallowedUnsafeSysctls:\n  - a"},
       {"allowedUnsafeSysctls: ~  # none\n", {"a", "b"}, "allowedUnsafeSysctls: [a, b]  # none\n"},
       {"allowedUnsafeSysctls: null\n", {"a"}, "allowedUnsafeSysctls: [a]\n"}},
      kHead);
}

TEST(KubeletConfigEdit, AnAbsentKeyIsAppendedToTheFirstDocument) {
  expect_steps(
      {{"x: y\n", {"a"}, "x: y\nallowedUnsafeSysctls:\n- a\n"},
       {"x: y", {"a"}, "x: y\nallowedUnsafeSysctls:\n- a"},
       {"dns:\n  - y\n\n\n", {"a", "b"}, "dns:\n  - y\nallowedUnsafeSysctls:\n  - a\n  - b\n\n\n"},
       {"x: y\n...\n", {"a"}, "x: y\nallowedUnsafeSysctls:\n- a\n...\n"},
       {"x: y\n# end\n---\n", {"a"}, "x: y\n# end\nallowedUnsafeSysctls:\n- a\n---\n"},
       {"x: |\n  text\n", {"a"}, "x: |\n  text\nallowedUnsafeSysctls:\n- a\n"}},
      kHead);
}

// A line after a block scalar that ends with the file, or keeps its blank lines, would change it.
TEST(KubeletConfigEdit, AnAbsentKeyStandsBeforeALastValueThatEndsWithTheFile) {
  expect_steps({{"x: |\n  a", {"b"}, "allowedUnsafeSysctls:\n- b\nx: |\n  a"},
                {"x: >-\n  a\ny: |+\n  a\n\n",
                 {"b", "c"},
                 "x: >-\n  a\nallowedUnsafeSysctls:\n- b\n- c\ny: |+\n  a\n\n"}},
               kHead);
}

TEST(KubeletConfigEdit, JsonKeepsItsStyleToo) {
  const std::string open = "{" + kJsonHead;
  expect_steps(
      {{R"(,"allowedUnsafeSysctls":["a","b"]})",
        {"a", "b", "k"},
        R"(,"allowedUnsafeSysctls":["a","b","k"]})"},
       {R"(,"allowedUnsafeSysctls":["a"]})", {"a", "k"}, R"(,"allowedUnsafeSysctls":["a","k"]})"},
       {R"(,"allowedUnsafeSysctls":["a","b"]})", {"b"}, R"(,"allowedUnsafeSysctls":["b"]})"},
       {R"(,"allowedUnsafeSysctls": null})", {"a", "b"}, R"(,"allowedUnsafeSysctls": ["a", "b"]})"},
       {R"(,"allowedUnsafeSysctls":[],"x":1})", {"a"}, R"(,"allowedUnsafeSysctls":["a"],"x":1})"},
       {R"(,"allowedUnsafeSysctls":["a"],"x":1})", {}, R"(,"allowedUnsafeSysctls":[],"x":1})"}},
      open);
  expect_steps({{R"(,"allowedUnsafeSysctls":["a"],"x":1})", {}, R"(,"x":1})"},
                {R"(,"allowedUnsafeSysctls":["a"]})", {}, "}"}},
               open, true);
  EXPECT_EQ(edited("{" + kJsonHead + "}", {"a", "b"}),
            R"({"allowedUnsafeSysctls":["a","b"],)" + kJsonHead + "}");
}

TEST(KubeletConfigEdit, AJsonFileOfNodeadmKeepsFourSpacesAndNoLineEnd) {
  const std::string rest =
      "    \"apiVersion\": \"kubelet.config.k8s.io/v1beta1\",\n"
      "    \"kind\": \"KubeletConfiguration\",\n    \"shutdownGracePeriod\": \"30s\"\n}";
  const std::string one =
      "{\n    \"allowedUnsafeSysctls\": [\n        \"net.core.somaxconn\"\n    ],\n" + rest;
  EXPECT_EQ(edited(one, {"net.core.somaxconn", "kernel.shm*"}),
            "{\n    \"allowedUnsafeSysctls\": [\n        \"net.core.somaxconn\",\n        "
            "\"kernel.shm*\"\n    ],\n" +
                rest);
  EXPECT_EQ(edited(one, {}, true), "{\n" + rest);
  EXPECT_EQ(edited("{\n" + rest, {"net.core.somaxconn"}), one);
}

TEST(KubeletConfigEdit, AnyStringIsWrittenSoThatItStaysThatString) {
  const Texts odd = {
      "*",    "*a",   "a: b", "a #b",  "5",   "yes",
      "null", "",     " a",   "a,b",   "[a]", "\"",
      "'",    "\\",   "\t\n", "-",     "- a", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\xC2\x85",
      "\x7F", ".inf", "1e3",  "a\"b'c"};
  for (const std::string& bytes : {kHead, kHead + "allowedUnsafeSysctls: []\n",
                                   kHead + "allowedUnsafeSysctls:\n- a\n", "{" + kJsonHead + "}"}) {
    EXPECT_EQ(texts_of(edited(bytes, odd)), odd) << edited(bytes, odd);
  }
}

TEST(KubeletConfigEdit, WhatWasAddedIsRemovedWithoutATrace) {
  const Texts lists = {"",
                       "allowedUnsafeSysctls: []\n",
                       "allowedUnsafeSysctls: [ ]",
                       "allowedUnsafeSysctls: [a]",
                       "allowedUnsafeSysctls: [ a, 'b' ]  # x\n",
                       "allowedUnsafeSysctls: [\n  a, # 1\n  b\n]\n",
                       "allowedUnsafeSysctls: [\n  a,\n  b,\n]",
                       "allowedUnsafeSysctls:\n- a",
                       "allowedUnsafeSysctls:\n  # n\n  - a # x\n  # m\nz: y\n",
                       "allowedUnsafeSysctls:\n-\n- a\n"};
  Texts files = {"{" + kJsonHead + "}", "{" + kJsonHead + ",\"allowedUnsafeSysctls\":[]}",
                 "{ " + kJsonHead + " , \"allowedUnsafeSysctls\" : [ \"a\" ] }\n"};
  for (const std::string& list : lists) {
    for (const char* before : {"", "---\n", "\xEF\xBB\xBF"}) {
      std::string bytes = before + kHead;
      bytes += list;
      files.push_back(bytes);
      for (std::size_t at = 0; (at = bytes.find('\n', at)) != std::string::npos; at += 2) {
        bytes.insert(at, "\r");
      }
      files.push_back(bytes);
    }
  }
  for (const std::string& bytes : files) {
    const Texts now = texts_of(bytes);
    Texts more = now;
    more.emplace_back("net.ipv4.tcp_syncookies");
    const std::string added = edited(bytes, more);
    ASSERT_EQ(texts_of(added), more) << added;
    EXPECT_EQ(edited(added, now, bytes.find("allowedUnsafeSysctls") == std::string::npos), bytes);
  }
}

std::string edited_main(const std::string& bytes, const Texts& wanted, bool remove_key = false) {
  auto splices =
      kubelet::edit_kubelet_config(bytes, kubelet::ConfigRole::kMain, wanted, remove_key);
  if (!splices) return splices.error().message;
  auto made = apply_splices(bytes, *splices);
  return made ? *made : made.error().message;
}

TEST(KubeletConfigEdit, TheFirstDocumentIsEditedAndTheOthersStay) {
  const std::string more = "---\nallowedUnsafeSysctls: [z]\n  not: yaml\n";
  EXPECT_EQ(edited_main(kHead + "allowedUnsafeSysctls: [a]\n" + more, {"a", "k"}),
            kHead + "allowedUnsafeSysctls: [a, k]\n" + more);
  EXPECT_EQ(edited_main(kHead + "x: y\n" + more, {"k"}),
            kHead + "x: y\nallowedUnsafeSysctls:\n- k\n" + more);
  EXPECT_EQ(edited_main(kHead + "allowedUnsafeSysctls:\n- a\n...\n" + more, {}, true),
            kHead + "...\n" + more);
}

TEST(KubeletConfigEdit, OfARepeatedKeyTheLastIsEditedSinceAKubeletReadsThat) {
  const std::string first = kHead + "allowedUnsafeSysctls: [a]\n";
  EXPECT_EQ(edited_main(first + "allowedUnsafeSysctls: [b]\n", {"b", "k"}),
            first + "allowedUnsafeSysctls: [b, k]\n");
  // Without the last key the first would be in force.
  EXPECT_EQ(edited_main(first + "allowedUnsafeSysctls: [b]\n", {}, true),
            first + "allowedUnsafeSysctls: []\n");
}

TEST(KubeletConfigEdit, AnItemWithAnAnchorOrATagStaysAsItIs) {
  const std::string list = kHead + "allowedUnsafeSysctls:\n- &i a\n- !foo b # why\n";
  EXPECT_EQ(edited_main(list, {"a", "b", "k"}), list + "- k\n");
}

TEST(KubeletConfigEdit, AnItemThatIsAnAliasOrABlockScalarStaysAsItIs) {
  const std::string block =
      kHead + "allowedUnsafeSysctls:\n- &i a\n- *i # again\n- |-\n  b\n- >-\n    c\n";
  EXPECT_EQ(edited_main(block, {"a", "a", "b", "c", "k"}), block + "- k\n");
  EXPECT_EQ(edited_main(kHead + "x: &i a\nallowedUnsafeSysctls: [*i]\n", {"a", "k"}),
            kHead + "x: &i a\nallowedUnsafeSysctls: [*i, k]\n");
  EXPECT_EQ(edited_main(kHead + "x: &i a\nallowedUnsafeSysctls:\n- *i\n- b\n", {"b"}),
            kHead + "x: &i a\nallowedUnsafeSysctls:\n- b\n");
  const std::string followed = "allowedUnsafeSysctls:\n  - |-\n    a\n\n# why\ny: z\n";
  EXPECT_EQ(edited_main(kHead + followed, {"a", "k"}),
            kHead + "allowedUnsafeSysctls:\n  - |-\n    a\n  - k\n\n# why\ny: z\n");
}

TEST(KubeletConfigEdit, AListWithAnAnchorThatNothingUsesIsEditedInPlace) {
  EXPECT_EQ(edited_main(kHead + "allowedUnsafeSysctls: &l\n- a\n", {"a", "k"}),
            kHead + "allowedUnsafeSysctls: &l\n- a\n- k\n");
  EXPECT_EQ(edited_main(kHead + "allowedUnsafeSysctls: &l [a] # why\n", {"a", "k"}),
            kHead + "allowedUnsafeSysctls: &l [a, k] # why\n");
}

TEST(KubeletConfigEdit, AListThatIsAnAliasGetsEntriesOfItsOwn) {
  const std::string other = kHead + "x: &l [a, b]\n";
  EXPECT_EQ(edited_main(other + "allowedUnsafeSysctls: *l # shared\n", {"a", "b", "k"}),
            other + "allowedUnsafeSysctls: [a, b, k] # shared\n");
  EXPECT_EQ(edited_main(other + "allowedUnsafeSysctls: *l\n", {"k", "b"}),
            other + "allowedUnsafeSysctls: [k, b]\n");
  EXPECT_EQ(edited_main(other + "allowedUnsafeSysctls: *l\n", {}),
            other + "allowedUnsafeSysctls: []\n");
}

TEST(KubeletConfigEdit, WhatCannotBeProvedIsRefusedWithItsPlace) {
  struct Case {
    std::string bytes;
    const char* says;
    std::size_t line;
  };
  for (const Case& row : {
           Case{"allowedUnsafeSysctls: a\n", "not a list", 3},
           Case{"allowedUnsafeSysctls: &l [a]\nx: *l\n", "an anchor that is used elsewhere", 3},
           Case{"allowedUnsafeSysctls: !!seq [a]\n", "it has a tag", 3},
           Case{"allowedUnsafeSysctls:\n- &i a\n- b\n", "more than a word on one line", 4},
           Case{"allowedUnsafeSysctls:\n- !!str a\n", "more than a word on one line", 4},
           Case{"allowedUnsafeSysctls:\n- |\n  a\n", "more than a word on one line", 4},
           Case{"allowedUnsafeSysctls:\n- a\n  b\n", "more than a word on one line", 4},
           Case{"allowedUnsafeSysctls:\n- \"a\n  b\"\n", "more than a word on one line", 4},
           Case{"allowedUnsafeSysctls:\n- [a]\n", "more than a word on one line", 4},
           Case{"allowedUnsafeSysctls:\n-\n  a\n", "is not on a line of its own", 5},
           Case{"? allowedUnsafeSysctls\n: - a\n", "is not on a line of its own", 3},
           Case{"x: &m {y: z}\n<<: *m\n", "merge key", 1},
           Case{"x: y # \xE2\x80\xA8\n", "a line end that is not", 3},
       }) {
    const auto splices = kubelet::edit_kubelet_config(kHead + row.bytes, kubelet::ConfigRole::kMain,
                                                      {"k", "m"}, false);
    ASSERT_FALSE(splices) << row.bytes;
    EXPECT_EQ(splices.error().kind, ErrorKind::kUnsupported);
    EXPECT_THAT(splices.error().message, HasSubstr(row.says)) << row.bytes;
    EXPECT_EQ(splices.error().line, row.line) << row.bytes;
  }
}

TEST(KubeletConfigEdit, AFileThatCannotBeReadIsNotEdited) {
  const auto splices =
      kubelet::edit_kubelet_config("kind: x\n", kubelet::ConfigRole::kMain, {"a"}, false);
  ASSERT_FALSE(splices);
  EXPECT_EQ(splices.error().kind, ErrorKind::kMalformed);
}

TEST(KubeletConfigEdit, ALargeFileIsReadAndEditedInTheSameWay) {
  std::string rest = "section:\n";
  while (rest.size() < 200000)
    rest += "  key" + std::to_string(rest.size()) + ": some words  # note\n";
  Texts many;
  std::string list = "allowedUnsafeSysctls:\n";
  for (int i = 0; i < 20000; ++i) {
    many.push_back("net.ipv4.conf.if" + std::to_string(i) + ".rp_filter");
    list += "- " + many.back() + "\n";
  }
  ASSERT_EQ(texts_of(kHead + list + rest), many);
  Texts turned(many.rbegin(), many.rend());
  EXPECT_EQ(texts_of(edited(kHead + list + rest, turned)), turned);
  many.emplace_back("net.core.somaxconn");
  EXPECT_EQ(edited(kHead + list + rest, many), kHead + list + "- net.core.somaxconn\n" + rest);
  // An anchor anywhere takes the whole file to the other reader.
  EXPECT_EQ(edited(kHead + list + rest + "x: &a b\n", many),
            kHead + list + "- net.core.somaxconn\n" + rest + "x: &a b\n");
}

}  // namespace
}  // namespace kubelet_sysctl
