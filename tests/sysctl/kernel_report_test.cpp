// SPDX-License-Identifier: Apache-2.0
// One answer of the kernel made of many.
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/sysctl/kernel_report.hpp"

namespace kubelet_sysctl {
namespace {

using sysctl::KernelState;

KernelState state_of(const std::vector<KernelState>& states) {
  std::vector<sysctl::KernelName> names;
  for (const KernelState state : states) names.push_back({.name = "n", .state = state});
  return sysctl::state_of(names);
}

TEST(KernelReport, AGroupIsWhatAllItsNamesAreElseMixed) {
  EXPECT_EQ(state_of({}), KernelState::kAbsent);
  EXPECT_EQ(state_of({KernelState::kWritable, KernelState::kWritable}), KernelState::kWritable);
  EXPECT_EQ(state_of({KernelState::kWritable, KernelState::kReadOnly}), KernelState::kMixed);
}

TEST(KernelReport, OneNameThatIsUnknownMakesTheGroupUnknown) {
  EXPECT_EQ(state_of({KernelState::kWritable, KernelState::kUnknown}), KernelState::kUnknown);
}

// Source: Linux net/netfilter/nf_conntrack_standalone.c.
TEST(KernelReport, NamesOfAModuleMayComeWithIt) {
  const sysctl::KernelModule& conntrack = sysctl::kKernelModules[0];
  EXPECT_TRUE(sysctl::may_be_of(conntrack, "net.netfilter.nf_conntrack_tcp_timeout_close", false));
  EXPECT_TRUE(sysctl::may_be_of(conntrack, "net.netfilter.", true));
  EXPECT_FALSE(sysctl::may_be_of(conntrack, "net.netfilter", false));
  EXPECT_FALSE(sysctl::may_be_of(conntrack, "net.ipv4.", true));
}

}  // namespace
}  // namespace kubelet_sysctl
