// SPDX-License-Identifier: Apache-2.0
// What a list allows. Source: kubernetes pkg/kubelet/sysctl/allowlist.go, a pattern is a prefix.
#include <string>

#include <gtest/gtest.h>

#include "kubelet_sysctl/sysctl/pattern_set.hpp"

namespace kubelet_sysctl {
namespace {

std::string covering(const sysctl::EntrySet& set, const std::string& entry) {
  const auto found = set.covering(entry);
  return std::string(found.value_or("-"));
}

TEST(EntrySet, HoldsAnEntryInEitherSpelling) {
  const sysctl::EntrySet set({"net.core.somaxconn", "kernel/msg*"});
  EXPECT_TRUE(set.holds("net/core/somaxconn"));
  EXPECT_TRUE(set.holds("kernel.msg*"));
  EXPECT_FALSE(set.holds("kernel.msgmax"));
}

TEST(EntrySet, IsCoveredByItselfElseByTheWidestPattern) {
  const sysctl::EntrySet set({"net.core.*", "net.*", "kernel.msg*", "kernel.msgmax"});
  EXPECT_EQ(covering(set, "net.core.somaxconn"), "net.*");
  EXPECT_EQ(covering(set, "net.core.*"), "net.core.*");
  EXPECT_EQ(covering(set, "kernel.msgmax"), "kernel.msgmax");
  EXPECT_EQ(covering(set, "kernel.msg_next_id"), "kernel.msg*");
  EXPECT_EQ(covering(set, "kernel.sem"), "-");
  EXPECT_EQ(covering(set, "kernel.*"), "-");
}

TEST(EntrySet, TakesABadlySpeltEntryForItselfAlone) {
  const sysctl::EntrySet set({"net.*", "net.core somaxconn"});
  EXPECT_EQ(covering(set, "net.core somaxconn"), "net.core somaxconn");
  EXPECT_EQ(covering(set, "net.core  somaxconn"), "-");
}

}  // namespace
}  // namespace kubelet_sysctl
