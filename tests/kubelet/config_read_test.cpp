// SPDX-License-Identifier: Apache-2.0
// Tests of reading a KubeletConfiguration. What each kind of file does was seen with a 1.20 kubelet
// or follows from cmd/kubelet/app/server.go, kubeletconfig/util/codec and sigs.k8s.io/yaml.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Texts = std::vector<std::string>;

const std::string kHead = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
const std::string kJsonHead =
    R"("apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration")";

kubelet::KubeletConfigFile parsed(const std::string& bytes,
                                  kubelet::ConfigRole role = kubelet::ConfigRole::kMain) {
  const auto file = kubelet::parse_kubelet_config(bytes, role);
  if (!file) ADD_FAILURE() << file.error().message << " in:\n" << bytes;
  return file ? *file : kubelet::KubeletConfigFile{};
}

Texts texts_of(const kubelet::KubeletConfigFile& file) {
  Texts texts;
  for (const kubelet::ConfigEntry& entry : file.entries) texts.emplace_back(entry.text);
  return texts;
}

std::string message_of(const std::string& bytes,
                       kubelet::ConfigRole role = kubelet::ConfigRole::kMain) {
  const auto file = kubelet::parse_kubelet_config(bytes, role);
  if (file) return "it was read";
  EXPECT_EQ(file.error().kind, ErrorKind::kMalformed) << bytes;
  EXPECT_EQ(file.error().path, "");
  return file.error().message;
}

TEST(KubeletConfig, AListIsReadInEveryStyle) {
  const Texts both = {"net.core.somaxconn", "kernel.shm*"};
  for (const char* list : {
           "allowedUnsafeSysctls:\n- net.core.somaxconn\n- kernel.shm*\n",
           "allowedUnsafeSysctls:\n  # n\n  -   \"net.core.somaxconn\"  # a\n\n  -   'kernel.shm*'",
           "allowedUnsafeSysctls: [net.core.somaxconn, kernel.shm*]\n",
           "allowedUnsafeSysctls: [\n  \"net.core.somaxconn\",  # a\n  kernel.shm*,\n]\n",
           "\"allowedUnsafeSysctls\" :\n  - net.core.somaxconn\n  - kernel.shm*\n",
           "? allowedUnsafeSysctls\n: - net.core.somaxconn\n  - kernel.shm*\n",
       }) {
    const kubelet::KubeletConfigFile file = parsed(kHead + list);
    EXPECT_EQ(file.format, yaml::ConfigFormat::kYaml);
    EXPECT_EQ(texts_of(file), both) << list;
  }
  const kubelet::KubeletConfigFile json = parsed(
      "\n {" + kJsonHead + R"(,"allowedUnsafeSysctls":["net.core.somaxconn","kernel.\u0073hm*"]})");
  EXPECT_EQ(json.format, yaml::ConfigFormat::kJson);
  EXPECT_EQ(json.form, kubelet::ListForm::kFlow);
  EXPECT_EQ(texts_of(json), both);
}

TEST(KubeletConfig, SpansAreTheBytesOfTheFileQuotesIncluded) {
  for (const std::string& bytes :
       {kHead + "allowedUnsafeSysctls:\n- a.b\n- \"c.d\"  # x\n- 'e''f'\n",
        "\xEF\xBB\xBF" + kHead + "allowedUnsafeSysctls: [a.b, \"c.d\", 'e''f']\r\n"}) {
    const kubelet::KubeletConfigFile file = parsed(bytes);
    Texts written;
    for (const auto& entry : file.entries) {
      written.push_back(bytes.substr(entry.at.begin, entry.at.size()));
    }
    EXPECT_THAT(written, ElementsAre("a.b", "\"c.d\"", "'e''f'"));
    EXPECT_THAT(texts_of(file), ElementsAre("a.b", "c.d", "e'f"));
    EXPECT_EQ(bytes.substr(file.key_at.begin, file.key_at.size()), "allowedUnsafeSysctls");
  }
}

TEST(KubeletConfig, TheFormOfTheListIsTold) {
  EXPECT_EQ(parsed(kHead).form, kubelet::ListForm::kAbsent);
  for (const char* unset : {"", " null", " ~", " Null", "  # note"}) {
    EXPECT_EQ(parsed(kHead + "allowedUnsafeSysctls:" + unset + "\n").form,
              kubelet::ListForm::kUnset);
  }
  EXPECT_EQ(parsed("{" + kJsonHead + R"(,"allowedUnsafeSysctls":null})").form,
            kubelet::ListForm::kUnset);
  const kubelet::KubeletConfigFile empty = parsed(kHead + "allowedUnsafeSysctls: []\n");
  EXPECT_EQ(empty.form, kubelet::ListForm::kFlow);
  EXPECT_THAT(empty.entries, IsEmpty());
  for (const char* wrong : {"net.core.somaxconn", "'a.b,c.d'", "{a: b}", "5", "true"}) {
    EXPECT_EQ(parsed(kHead + "allowedUnsafeSysctls: " + wrong + "\n").form,
              kubelet::ListForm::kWrong);
  }
}

TEST(KubeletConfig, AnItemIsWhatGoYamlMakesOfIt) {
  const kubelet::KubeletConfigFile file =
      parsed(kHead +
             "allowedUnsafeSysctls:\n- a.b, c.d\n- e.f#g\n- \"\"\n- ' c'\n"
             "-   d   # note\n- 1.2.3\n- 0x\n- \"5\"\n- 'yes'\n");
  EXPECT_THAT(texts_of(file),
              ElementsAre("a.b, c.d", "e.f#g", "", " c", "d", "1.2.3", "0x", "5", "yes"));
  for (const kubelet::ConfigEntry& entry : file.entries) EXPECT_TRUE(entry.is_string) << entry.text;
}

TEST(KubeletConfig, ANullItemIsTheEmptyEntryWhereTheDashStands) {
  const std::string bytes = kHead + "allowedUnsafeSysctls:\n-\n-   # note\n- ~\n- null\nx: 1\n";
  const kubelet::KubeletConfigFile file = parsed(bytes);
  ASSERT_THAT(texts_of(file), ElementsAre("", "", "", ""));
  std::vector<std::size_t> lines;
  for (const auto& entry : file.entries) lines.push_back(line_column(bytes, entry.at.begin).line);
  EXPECT_THAT(lines, ElementsAre(4, 5, 6, 7));
}

// YAML 1.1 as gopkg.in/yaml.v2 resolves it; the kubelet then fails with "expects \" or n".
TEST(KubeletConfig, NumbersAndBooleansAreNoStringsUnlessQuoted) {
  for (const char* word :
       {"5", "-1",  "0x1F", "0o17", "0b11", "1_000", "1.5",   ".5",          "1e3", "1.5e-3", "y",
        "N", "yes", "No",   "on",   "OFF",  "true",  "False", "!!int \"5\"", "[a]", "{a: b}"}) {
    const kubelet::KubeletConfigFile file =
        parsed(kHead + "allowedUnsafeSysctls:\n- " + word + "\n");
    ASSERT_EQ(file.entries.size(), 1u) << word;
    EXPECT_FALSE(file.entries[0].is_string) << word;
  }
  for (const char* word :
       {"\"5\"", "'yes'", "!!str 5", "1.2.3", "yess", "tRue", "0xg", "1e", "+"}) {
    const kubelet::KubeletConfigFile file =
        parsed(kHead + "allowedUnsafeSysctls:\n- " + word + "\n");
    ASSERT_EQ(file.entries.size(), 1u) << word;
    EXPECT_TRUE(file.entries[0].is_string) << word;
  }
  const kubelet::KubeletConfigFile json =
      parsed("{" + kJsonHead + R"(,"allowedUnsafeSysctls":[5,true,"x",null]})");
  ASSERT_EQ(json.entries.size(), 4u);
  EXPECT_FALSE(json.entries[0].is_string);
  EXPECT_FALSE(json.entries[1].is_string);
  EXPECT_TRUE(json.entries[2].is_string);
  EXPECT_TRUE(json.entries[3].is_string);
}

TEST(KubeletConfig, TheLastOfARepeatedKeyWinsInTheMainFile) {
  const kubelet::KubeletConfigFile yaml =
      parsed(kHead + "allowedUnsafeSysctls: [a]\nallowedUnsafeSysctls:\n- b\n");
  EXPECT_TRUE(yaml.repeated_key);
  EXPECT_THAT(texts_of(yaml), ElementsAre("b"));
  const kubelet::KubeletConfigFile json =
      parsed(R"({"allowedUnsafeSysctls":["a"],)" + kJsonHead + R"(,"allowedUnsafeSysctls":["b"]})");
  EXPECT_TRUE(json.repeated_key);
  EXPECT_THAT(texts_of(json), ElementsAre("b"));
}

TEST(KubeletConfig, ADropInMayRepeatNoKeyAtAnyDepth) {
  for (const std::string& repeated :
       {kHead + "allowedUnsafeSysctls: [a]\nallowedUnsafeSysctls: [b]\n",
        kHead + "x:\n  y:\n  - z: 1\n    z: 2\n", "{" + kJsonHead + R"(,"x":{"z":1,"z":2}})"}) {
    EXPECT_THAT(message_of(repeated, kubelet::ConfigRole::kDropIn),
                HasSubstr("already set in map"));
    EXPECT_EQ(message_of(repeated, kubelet::ConfigRole::kMain), "it was read");
  }
  EXPECT_EQ(message_of(kHead + "x: {a: 1}\ny: {a: 1}\n", kubelet::ConfigRole::kDropIn),
            "it was read");
}

TEST(KubeletConfig, AnchorsAndAliasesAreResolved) {
  EXPECT_THAT(texts_of(parsed(kHead + "x: &l [a, b]\nallowedUnsafeSysctls: *l\n")),
              ElementsAre("a", "b"));
  EXPECT_THAT(texts_of(parsed(kHead + "x: &i a\nallowedUnsafeSysctls: [*i, &j b, *j]\n")),
              ElementsAre("a", "b", "b"));
  EXPECT_THAT(texts_of(parsed(kHead + "x: &i a\ny: &i b\nallowedUnsafeSysctls:\n- *i\n")),
              ElementsAre("b"));
  EXPECT_THAT(message_of(kHead + "allowedUnsafeSysctls:\n- *core\n"),
              HasSubstr("unknown anchor 'core' referenced"));
}

TEST(KubeletConfig, AMergeKeySetsTheListWhereItStands) {
  EXPECT_THAT(texts_of(parsed(kHead + "x: &m {allowedUnsafeSysctls: [a]}\n<<: *m\n")),
              ElementsAre("a"));
  EXPECT_THAT(texts_of(parsed(kHead + "x: &m {allowedUnsafeSysctls: [a]}\n<<: *m\n"
                                      "allowedUnsafeSysctls: [b]\n")),
              ElementsAre("b"));
  EXPECT_THAT(texts_of(parsed(kHead + "x: &m {allowedUnsafeSysctls: [a]}\n"
                                      "y: &n {allowedUnsafeSysctls: [b]}\n<<: [*m, *n]\n")),
              ElementsAre("a"));
  EXPECT_THAT(message_of(kHead + "<<: 5\n"), HasSubstr("map merge requires map"));
}

TEST(KubeletConfig, OnlyTheFirstDocumentCounts) {
  const kubelet::KubeletConfigFile two =
      parsed("# c\n---\n" + kHead + "---\nallowedUnsafeSysctls: [a]\n---\n\"bad\n");
  EXPECT_EQ(two.form, kubelet::ListForm::kAbsent);
  EXPECT_GT(two.documents, 1u);
  for (const char* end : {"---\n", "...\n", "---\n# only a comment\n", ""}) {
    EXPECT_EQ(parsed("---\n" + kHead + "allowedUnsafeSysctls: [a]\n" + end).documents, 1u) << end;
  }
}

TEST(KubeletConfig, LineEndsByteOrderMarkAndMissingLineEndAreAccepted) {
  EXPECT_THAT(texts_of(parsed("\xEF\xBB\xBF"
                              "apiVersion: kubelet.config.k8s.io/v1beta1\r\n"
                              "kind: KubeletConfiguration\r\nallowedUnsafeSysctls:\r\n- a\r\n- b")),
              ElementsAre("a", "b"));
}

TEST(KubeletConfig, WhatKeepsAKubeletFromStartingIsToldInItsWords) {
  struct Case {
    std::string bytes;
    const char* says;
  };
  const std::string version = "apiVersion: kubelet.config.k8s.io/v1beta1\n";
  for (const Case& row : {
           Case{"", "was empty"},
           Case{" \n\n", "Object 'Kind' is missing"},
           Case{"# only a comment\n", "Object 'Kind' is missing"},
           Case{"{}", "Object 'Kind' is missing"},
           Case{version, "Object 'Kind' is missing"},
           Case{version + "kind:\n", "Object 'Kind' is missing"},
           Case{"kind: KubeletConfiguration\n", "Object 'apiVersion' is missing"},
           Case{version + "kind: kubeletConfiguration\n",
                "no kind \"kubeletConfiguration\" is registered for version "
                "\"kubelet.config.k8s.io/v1beta1\""},
           Case{"apiVersion: v1\nkind: KubeletConfiguration\n", "is registered for version \"v1\""},
           Case{version + "kind: 5\n", "json parse error"},
           Case{"- a\n", "json parse error"},
           Case{"word\n", "json parse error"},
           Case{"{apiVersion: kubelet.config.k8s.io/v1beta1, kind: KubeletConfiguration}",
                "couldn't get version/kind; json parse error"},
           Case{"{" + kJsonHead + ",}", "json parse error"},
           Case{"{" + kJsonHead + "}\n{}", "invalid character '{' after top-level value"},
           Case{kHead + "a: [b\n", "cannot read this YAML"},
           Case{kHead + "a: \"b\n", "cannot read this YAML"},
           Case{kHead + "a:\n\t- b\n", "found character that cannot start any token"},
           Case{kHead + "a:\n-\tb\n", "found character that cannot start any token"},
           Case{kHead + "\t\na: b\n", "yaml: line 3: found a tab character that violates"},
           Case{kHead + "a:\n- b\n-c\n", "yaml: line 6: could not find expected ':'"},
           Case{kHead + "a:\n- b\nEOF\n", "yaml: line 6: could not find expected ':'"},
           Case{kHead + "a: .inf\n", "json: unsupported value: +Inf"},
           Case{kHead + "maxPods: {{ max_pods }}\n", "yaml: invalid map key: map[interface {}]"},
           Case{"%YAML 1.2\n---\n" + kHead, "yaml: found incompatible YAML document"},
           Case{kHead + "maxPods: '5'\n",
                "cannot unmarshal string into Go struct field "
                "KubeletConfiguration.maxPods of type int32"},
           Case{kHead + "syncFrequency: 5x\n", "time: unknown unit \"x\" in duration \"5x\""},
           Case{kHead + "a: b\x04\nc: d\n", "control characters are not allowed"},
           Case{kHead + "a: \xFF\n", "not UTF-8"},
       }) {
    EXPECT_THAT(message_of(row.bytes), HasSubstr(row.says)) << row.bytes;
  }
}

TEST(KubeletConfig, ATabIsLegalInBracketsInScalarsAndAfterAValue) {
  EXPECT_THAT(texts_of(parsed(kHead + "allowedUnsafeSysctls: [\n\ta,\n\t\n\tb]\n")),
              ElementsAre("a", "b"));
  EXPECT_EQ(message_of(kHead + "a: b\t# c\nd:\te\nf: |\n  x\ty\n  \tz\n"), "it was read");
}

TEST(KubeletConfig, AnErrorSaysItsLineAndColumn) {
  const auto file =
      kubelet::parse_kubelet_config(kHead + "a:\n  \t- b\n", kubelet::ConfigRole::kMain);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().line, 4u);
  EXPECT_EQ(file.error().column, 3u);
  EXPECT_EQ(file.error().excerpt, "  \t- b");
  const auto json = kubelet::parse_kubelet_config("{\n  \"a\": 1,\n}", kubelet::ConfigRole::kMain);
  ASSERT_FALSE(json);
  EXPECT_EQ(json.error().line, 3u);
  EXPECT_EQ(json.error().column, 1u);
}

TEST(KubeletConfig, MisspeltKeysAreFoundWithTheirEntries) {
  const kubelet::KubeletConfigFile file =
      parsed(kHead +
             "allowed-unsafe-sysctls: a, b\nallowed_unsafe_sysctls:\n- c\n"
             "AllowedUnsafeSysctls: [d]\nallowedUnsafeSysctl:\n--allowed-unsafe-sysctls: e\n"
             "allowedunsafesysctls: {}\nallowedUnsafeSysctlsX: f\nsysctls: g\n"
             "nested:\n  allowed-unsafe-sysctls: h\n");
  EXPECT_EQ(file.form, kubelet::ListForm::kAbsent);
  Texts found;
  for (const kubelet::MisspeltKey& key : file.misspelt) {
    found.push_back(key.key + "=" + testing::PrintToString(key.entries));
  }
  EXPECT_THAT(found, ElementsAre("allowed-unsafe-sysctls={ \"a\", \"b\" }",
                                 "allowed_unsafe_sysctls={ \"c\" }",
                                 "AllowedUnsafeSysctls={ \"d\" }", "allowedUnsafeSysctl={}",
                                 "--allowed-unsafe-sysctls={ \"e\" }", "allowedunsafesysctls={}"));
}

TEST(KubeletConfig, TheHealthPortAndAddressAreRead) {
  const kubelet::KubeletConfigFile file =
      parsed(kHead + "healthzPort: 10300\nhealthzBindAddress: 127.0.0.2\n");
  EXPECT_EQ(file.healthz_port, 10300);
  EXPECT_EQ(file.healthz_bind_address, "127.0.0.2");
  EXPECT_EQ(parsed("{" + kJsonHead + R"(,"healthzPort":0})").healthz_port, 0);
  EXPECT_EQ(parsed(kHead).healthz_bind_address, std::nullopt);
}

TEST(KubeletConfig, DepthAndAliasesWithoutBoundDoNotOverflow) {
  const std::size_t deep = 200000;
  EXPECT_FALSE(kubelet::parse_kubelet_config(kHead + "a: " + std::string(deep, '['),
                                             kubelet::ConfigRole::kMain));
  const std::string json =
      "{" + kJsonHead + ",\"a\":" + std::string(20'000, '[') + std::string(20'000, ']') + "}";
  EXPECT_TRUE(kubelet::parse_kubelet_config(json, kubelet::ConfigRole::kMain));
  std::string laughs = kHead + "a0: &a0 {x: y}\n";
  for (int i = 1; i < 40; ++i) {
    laughs += fmt::format("a{0}: &a{0} {{<<: [*a{1}, *a{1}]}}\n", i, i - 1);
  }
  EXPECT_FALSE(kubelet::parse_kubelet_config(laughs + "<<: *a39\n", kubelet::ConfigRole::kMain));
}

TEST(KubeletConfig, ANewDropInHoldsTheEntriesAndNothingElse) {
  for (const yaml::ConfigFormat format : {yaml::ConfigFormat::kYaml, yaml::ConfigFormat::kJson}) {
    for (const Texts& entries :
         {Texts{}, Texts{"net.core.somaxconn"}, Texts{"kernel.shm*", "5", "*"}}) {
      const std::string bytes = kubelet::new_config_drop_in(entries, format);
      const kubelet::KubeletConfigFile file = parsed(bytes, kubelet::ConfigRole::kDropIn);
      EXPECT_EQ(file.format, format);
      EXPECT_EQ(texts_of(file), entries) << bytes;
    }
  }
  EXPECT_EQ(kubelet::new_config_drop_in({"net.core.somaxconn"}, yaml::ConfigFormat::kYaml),
            kHead + "allowedUnsafeSysctls:\n- net.core.somaxconn\n");
}

}  // namespace
}  // namespace kubelet_sysctl
