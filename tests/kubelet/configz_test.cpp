// SPDX-License-Identifier: Apache-2.0
// What counts as an answer of a kubelet, and what must not be taken for one.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/kubelet/configz.hpp"

namespace kubelet_sysctl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The shape is that of component-base/configz: one object, a key for each component.
TEST(Configz, HoldsTheListInOrder) {
  const auto list = kubelet::parse_configz(
      R"({"kubeletconfig":{"enableServer":true,"allowedUnsafeSysctls":["kernel.msg*","net.core.somaxconn"]}})");
  ASSERT_TRUE(list);
  EXPECT_THAT(*list, ElementsAre("kernel.msg*", "net.core.somaxconn"));
}

// The field has omitempty: a kubelet without entries does not name it.
TEST(Configz, WithoutTheKeyMeansAnEmptyList) {
  for (const char* text :
       {R"({"kubeletconfig":{"enableServer":true}})",
        R"({"kubeletconfig":{"enableServer":true,"allowedUnsafeSysctls":null}})"}) {
    const auto list = kubelet::parse_configz(text);
    ASSERT_TRUE(list) << text;
    EXPECT_THAT(*list, IsEmpty());
  }
}

TEST(Configz, IsNotEveryAnswerThatNamesNoList) {
  for (const char* text :
       {"", "ok", "<html></html>", "{}", "[]", "null", R"({"kubeletconfig":{}})",
        R"({"kubeletconfig":[]})", R"({"kind":"Status","code":403})",
        R"({"kubeletconfig":{"enableServer":true,"allowedUnsafeSysctls":"net.core.somaxconn"}})",
        R"({"kubeletconfig":{"enableServer":true,"allowedUnsafeSysctls":[1]}})",
        R"({"kubeletconfig":{"enableServer":true}} trailing)"}) {
    const auto list = kubelet::parse_configz(text);
    ASSERT_FALSE(list) << text;
    EXPECT_EQ(list.error().kind, ErrorKind::kMalformed);
  }
}

TEST(BootId, IsReadOfTheNodeObjectAlone) {
  EXPECT_EQ(kubelet::boot_id_in(R"({"status":{"nodeInfo":{"bootID":"a-b"}}})"), "a-b");
  for (const char* text : {"", "{}", R"({"status":{"nodeInfo":{"bootID":""}}})",
                           R"({"status":{"nodeInfo":{"bootID":7}}})", R"({"status":[]})"}) {
    EXPECT_FALSE(kubelet::boot_id_in(text)) << text;
  }
}

// Source: Kubernetes pkg/util/node GetHostname().
TEST(NodeName, IsTheOverrideOrTheHostNameTrimmedAndInLowerCase) {
  EXPECT_EQ(kubelet::node_name_of({"/usr/bin/kubelet"}, "Node-1\n"), "node-1");
  EXPECT_EQ(kubelet::node_name_of(
                {"/usr/bin/kubelet", "--hostname-override=IP-10-0-0-1.ec2.internal"}, "x"),
            "ip-10-0-0-1.ec2.internal");
  EXPECT_EQ(kubelet::node_name_of({"/usr/bin/kubelet", "--hostname-override="}, "n2"), "n2");
}

TEST(NodeName, IsNoneWhereItWouldLeadToAnotherPathOfTheServer) {
  for (const char* name : {"", "\n", "../pods", "a/b", "a b", "-a", "a?x"}) {
    EXPECT_FALSE(kubelet::node_name_of({"/usr/bin/kubelet"}, name)) << name;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
