// SPDX-License-Identifier: Apache-2.0
// Names that exist in some kernel, and what a misspelt one was meant to be.
// Expected: Documentation/networking/ip-sysctl.rst and the other sources of the table.
#include <gtest/gtest.h>

#include "kubelet_sysctl/sysctl/known_sysctls.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"

namespace kubelet_sysctl {
namespace {

sysctl::SysctlPattern entry(std::string_view text) { return *sysctl::SysctlPattern::parse(text); }

TEST(KnownSysctls, HoldNamesAndPatternsOfEveryInterface) {
  for (const char* name :
       {"net.core.somaxconn", "net/core/somaxconn", "net.ipv4.tcp_tw_recycle", "kernel.shm*",
        "kernel.shm_rmid_forced", "net.ipv4.conf.eth0.rp_filter", "net.ipv4.conf.*", "net.*",
        "net.ipv6.conf.all.disable_ipv6", "net/ipv4/conf/eth0.1/rp_filter",
        "net.ipv4.tcp_keepalive_*", "net.ipv4.conf.eth0.rp_*", "net.nf_conntrack_max",
        "fs.mqueue.msg_max"}) {
    EXPECT_TRUE(sysctl::is_known_sysctl(entry(name))) << name;
  }
  for (const char* name :
       {"net.core.somaxcon", "net.core", "net.cor.*", "net.ipv4.conf.eth0.rp_filtr", "kernel.msg",
        "net.ipv4.tcp_fin_timout", "net.ipv4.conf.eth0.x*"}) {
    EXPECT_FALSE(sysctl::is_known_sysctl(entry(name))) << name;
  }
}

TEST(KnownSysctls, TellWhatASlipOfTheFingerWasMeantToBe) {
  const std::pair<const char*, const char*> slips[] = {
      {"net.core.somaxcon", "net.core.somaxconn"},
      {"net.core.soamxconn", "net.core.somaxconn"},
      {"net.core", "net.core.*"},
      {"net.ipv4.tcp_fin_timout", "net.ipv4.tcp_fin_timeout"},
      {"net.ipv4.tcp_keepalive", "net.ipv4.tcp_keepalive*"},
      {"net.ipv4.somaxconn", "net.core.somaxconn"},
      {"net.cor.*", "net.core.*"},
      {"net.ipv4.conf.eth0.rp_filtr", "net.ipv4.conf.eth0.rp_filter"},
      {"net.example.unheard_of", ""},
  };
  for (const auto& [slip, meant] : slips)
    EXPECT_EQ(sysctl::meant_sysctl(entry(slip)), meant) << slip;
}

}  // namespace
}  // namespace kubelet_sysctl
