// SPDX-License-Identifier: Apache-2.0
// Which kubelets set `defaultPodSysctls`, which names they take, and which pods are passed over. Expected values are
// those of kubernetes/website "Using sysctls in a Kubernetes Cluster" and of feature-gates/DefaultPodSysctls.md.
#include "kubelet_sysctl/sysctl/pod_defaults.hpp"

#include <gtest/gtest.h>

namespace kubelet_sysctl::sysctl {
namespace {

using enum DefaultsState;

DefaultsState state(const char* version, std::optional<bool> own = std::nullopt,
                    std::optional<bool> all_alpha = std::nullopt) {
  return defaults_state(parse_kubelet_version(version), {.own = own, .all_alpha = all_alpha});
}

TEST(PodDefaults, AreInForceByReleaseAndGate) {
  EXPECT_EQ(state("1.36.3", true), kNoField);
  EXPECT_EQ(state("1.37.0"), kGateOff);
  EXPECT_EQ(state("1.37.0", true), kInForce);
  EXPECT_EQ(state("1.37.0", std::nullopt, true), kInForce);
  EXPECT_EQ(state("1.37.0", false, true), kGateOff);
  EXPECT_EQ(state("1.38.0", true), kInForce);
  EXPECT_EQ(state("1.38.0", false), kGateOff);
}

TEST(PodDefaults, OfAnUnknownReleaseOrDefaultOfTheGateCannotBeDetermined) {
  EXPECT_EQ(state("1.38.0"), kUnknown);
  EXPECT_EQ(state(""), kUnknown);
  EXPECT_EQ(state("", true), kUnknown);
  // Neither an old nor a new kubelet sets them then.
  EXPECT_EQ(state("", false), kGateOff);
}

TEST(PodDefaults, TakeEveryNamespacedNameInBothSpellingsAndNoPattern) {
  for (const char* name :
       {"net.ipv4.ip_forward", "net.core.somaxconn", "kernel.shmall", "kernel.msgmax", "kernel.sem",
        "fs.mqueue.msg_max", "user.max_user_namespaces", "kernel.domainname", "net/ipv4/tcp_rmem",
        "kernel.shm_rmid_forced"}) {
    EXPECT_FALSE(default_name_fault(name)) << name;
  }
  for (const char* name : {"vm.max_map_count", "kernel.hostname", "kernel.pid_max", "fs.file-max",
                           "net.*", "net.core.", "", "Net.core.somaxconn", "net core"}) {
    EXPECT_TRUE(default_name_fault(name)) << name;
  }
}

TEST(PodDefaults, ArePassedOverWhereThePodSharesTheNamespaceWithTheNode) {
  const PodShares none = {.network = false, .ipc = false, .users = false};
  const PodShares network = {.network = true, .ipc = false, .users = false};
  const PodShares ipc = {.network = false, .ipc = true, .users = false};
  const PodShares usual = {};  // hostUsers is true where a pod does not say it: PR 140892
  for (const char* name :
       {"net.core.somaxconn", "kernel.domainname", "kernel.sem", "user.max_user_namespaces"}) {
    EXPECT_EQ(skipped_because(name, none), "") << name;
  }
  EXPECT_NE(skipped_because("net.core.somaxconn", network), "");
  EXPECT_NE(skipped_because("kernel.domainname", network), "");
  EXPECT_EQ(skipped_because("kernel.sem", network), "");
  EXPECT_NE(skipped_because("kernel.sem", ipc), "");
  EXPECT_NE(skipped_because("fs.mqueue.msg_max", ipc), "");
  EXPECT_EQ(skipped_because("net.core.somaxconn", ipc), "");
  EXPECT_NE(skipped_because("user.max_user_namespaces", usual), "");
  EXPECT_EQ(skipped_because("net.core.somaxconn", usual), "");
}

}  // namespace
}  // namespace kubelet_sysctl::sysctl
