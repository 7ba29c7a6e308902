// SPDX-License-Identifier: Apache-2.0
// Which list a kubelet takes of a configuration file and its drop-ins, by release. What 1.32 and 1.36 do
// was measured (tests/data/kubelet-vectors.json, dir:*); the older rules are those of their sources.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

using built::add_file;
using built::node_with_unit;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Files = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kHead =
    "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

nodes::NodeSnapshot node(const std::string& main, const Files& drop_ins, std::optional<int> minor,
                         const std::string& arguments = {}) {
  nodes::NodeSnapshot snapshot = node_with_unit(
      "[Service]\nExecStart=/usr/bin/kubelet --config=/c.yaml --config-dir=/d " + arguments + "\n");
  add_file(snapshot, "/c.yaml", kHead + main);
  snapshot.config_dirs["/d"] = {};
  for (const auto& [name, text] : drop_ins) {
    const std::int32_t source = add_file(snapshot, "/d/" + name, kHead + text);
    snapshot.config_dirs["/d"].push_back({"/d/" + name, source});
  }
  if (minor)
    snapshot.kubelet_version = sysctl::KubeletVersion{.major = 1, .minor = *minor, .patch = 0};
  return snapshot;
}

std::vector<std::string> list_of(const std::string& main, const Files& drop_ins, int minor) {
  auto model = checks::resolve_and_check(node(main, drop_ins, minor));
  EXPECT_TRUE(model) << (model ? "" : model.error().message);
  if (!model) return {"it was refused"};
  const EntryList list = model::configured_texts(*model);
  return {list.begin(), list.end()};
}

constexpr const char* kMain = "allowedUnsafeSysctls: [net.m]\n";

TEST(ConfigMerge, AKeyInLowerCaseStandsAboveTheRightOneWhereverThatStands) {
  for (const int minor : {30, 32, 36}) {
    EXPECT_THAT(list_of(kMain, {{"10.conf", "allowedunsafesysctls: [net.lc]\n"}}, minor),
                ElementsAre("net.lc"));
    EXPECT_THAT(list_of("",
                        {{"10.conf", "allowedunsafesysctls: [net.lc]\n"},
                         {"20.conf", "allowedUnsafeSysctls: [net.r]\n"}},
                        minor),
                ElementsAre("net.lc"));
    EXPECT_THAT(list_of("",
                        {{"10.conf",
                          "allowedUnsafeSysctls: [net.a]\n"
                          "allowedunsafesysctls: [net.lc]\n"}},
                        minor),
                ElementsAre("net.lc"));
    EXPECT_THAT(list_of("", {{"10.conf", "allowedUn\u017fafeSy\u017fctls: [net.fold]\n"}}, minor),
                ElementsAre("net.fold"));
  }
}

TEST(ConfigMerge, AKeyWithACapitalCountsOnlyWhereTheRightOneIsNowhere) {
  for (const int minor : {32, 36}) {
    const Files drop_in = {{"10.conf", "AllowedUnsafeSysctls: [net.uc]\n"}};
    EXPECT_THAT(list_of(kMain, drop_in, minor), ElementsAre("net.m"));
    EXPECT_THAT(list_of("", drop_in, minor), ElementsAre("net.uc"));
    EXPECT_THAT(list_of("",
                        {{"10.conf",
                          "allowedUnsafeSysctls: [net.a]\n"
                          "AllowedUnsafeSysctls: [net.uc]\n"}},
                        minor),
                ElementsAre("net.a"));
  }
}

TEST(ConfigMerge, InTheMainFileTheCaseOfAKeyMatters) {
  EXPECT_THAT(list_of("allowedunsafesysctls: [net.lc]\n", {}, 36), IsEmpty());
}

TEST(ConfigMerge, UpTo128KeysAreReadAsTheyAreSpelt) {
  EXPECT_THAT(list_of(kMain, {{"10.conf", "allowedunsafesysctls: [net.lc]\n"}}, 28),
              ElementsAre("net.m"));
}

TEST(ConfigMerge, NullAndAnEmptyListEmptyByRelease) {
  const Files null = {{"10.conf", "allowedUnsafeSysctls: null\n"}};
  const Files empty = {{"10.conf", "allowedUnsafeSysctls: []\n"}};
  for (const int minor : {32, 36}) {
    EXPECT_THAT(list_of(kMain, null, minor), IsEmpty());
    EXPECT_THAT(list_of(kMain, empty, minor), IsEmpty());
  }
  for (const int minor : {29, 30, 31}) {
    EXPECT_THAT(list_of(kMain, null, minor), ElementsAre("net.m"));
    EXPECT_THAT(list_of(kMain, empty, minor), IsEmpty());
  }
  EXPECT_THAT(list_of(kMain, null, 28), ElementsAre("net.m"));
  EXPECT_THAT(list_of(kMain, empty, 28), ElementsAre("net.m"));
}

TEST(ConfigMerge, ANullTakesBackWhatADropInBeforeItSet) {
  const Files files = {{"10.conf", "allowedUnsafeSysctls: [net.a]\n"},
                       {"20.conf", "allowedUnsafeSysctls: null\n"}};
  EXPECT_THAT(list_of("", files, 36), IsEmpty());
  EXPECT_THAT(list_of(kMain, files, 36), IsEmpty());
  EXPECT_THAT(list_of(kMain, files, 30), ElementsAre("net.m"));
}

TEST(ConfigMerge, WhereTheReleaseIsNotKnownAndMattersTheListIsNotGuessed) {
  const Files null = {{"10.conf", "allowedUnsafeSysctls: null\n"}};
  auto model = checks::resolve_and_check(node(kMain, null, std::nullopt));
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(model.error().path, "/d/10.conf");
  EXPECT_EQ(model.error().line, 3u);
  EXPECT_THAT(model.error().hint, HasSubstr("--kubelet-version"));
  EXPECT_TRUE(checks::resolve_and_check(node("", null, std::nullopt)));
  EXPECT_TRUE(
      checks::resolve_and_check(node(kMain, null, std::nullopt, "--allowed-unsafe-sysctls=net.f")));
}

TEST(ConfigMerge, TheHealthPortOfADropInIsReadInAnyCase) {
  const auto port = [](const std::string& drop_in) {
    auto model =
        checks::resolve_and_check(node("healthzPort: 10300\n", {{"10.conf", drop_in}}, 36));
    return model ? model->health_port : -1;
  };
  EXPECT_EQ(port("healthzport: 10400\n"), 10400);
  EXPECT_EQ(port("HealthzPort: 10400\n"), 10300);
}

}  // namespace
}  // namespace kubelet_sysctl
