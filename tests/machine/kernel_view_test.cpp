// SPDX-License-Identifier: Apache-2.0
// What was seen below /proc/sys and what it means, for kernels other than this one.

#include <gtest/gtest.h>

#include <string>

#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "machine/kernel_view.hpp"

namespace kubelet_sysctl {
namespace {

sysctl::KernelAnswer answer_from(const machine::KernelView& view, const std::string& entry) {
  return machine::answers_from(view, {entry}).front();
}

// The directories of nf_conntrack and br_netfilter exist while these are loaded, in pods too.
TEST(KernelView, NameOfAModuleThatIsNotLoadedIsUnknown) {
  for (const char* entry :
       {"net.netfilter.nf_conntrack_tcp_timeout_established", "net.nf_conntrack_max",
        "net.bridge.bridge-nf-call-iptables", "net.ipv4.vs.conntrack", "net.sctp.rto_min",
        "net.bridge.*", "net.netfilter.nf_conntrack_*", "net.sctp*"}) {
    const sysctl::KernelAnswer answer = answer_from({}, entry);
    EXPECT_EQ(answer.state, sysctl::KernelState::kUnknown) << entry;
    EXPECT_NE(answer.why.find("is not loaded on this node"), std::string::npos) << answer.why;
  }
}

TEST(KernelView, NameThatALoadedModuleDoesNotHaveIsAbsent) {
  const machine::KernelView view = {
      .pod = {{"net.netfilter.nf_conntrack_max", sysctl::KernelState::kReadOnly}},
      .faults = {},
      .node = {"net.netfilter.nf_conntrack_max", "net.nf_conntrack_max"}};
  EXPECT_EQ(answer_from(view, "net.netfilter.nf_conntrack_helper").state,
            sysctl::KernelState::kAbsent);
  EXPECT_EQ(answer_from(view, "net.nf_conntrack_max").state, sysctl::KernelState::kAbsent);
  EXPECT_EQ(answer_from(view, "net.netfilter.nf_conntrack_max").state,
            sysctl::KernelState::kReadOnly);
}

// runc 1.3.6, libcontainer/configs/validate/validator.go.
TEST(KernelView, NameThatRuntimesRefuseIsUnknownAndNoPatternListsIt) {
  const machine::KernelView view = {
      .pod = {{"kernel.shm_next_id", sysctl::KernelState::kWritable},
              {"kernel.shm_rmid_forced", sysctl::KernelState::kWritable}},
      .faults = {},
      .node = {"kernel.shm_next_id", "kernel.shm_rmid_forced"}};
  for (const char* entry : {"kernel.shm_next_id", "kernel.shm_n*"}) {
    const sysctl::KernelAnswer answer = answer_from(view, entry);
    EXPECT_EQ(answer.state, sysctl::KernelState::kUnknown) << entry;
    EXPECT_EQ(answer.why, "no container runtime lets a pod set it");
  }
  const sysctl::KernelAnswer all = answer_from(view, "kernel.shm*");
  ASSERT_EQ(all.names.size(), 1u);
  EXPECT_EQ(all.names.front().name, "kernel.shm_rmid_forced");
  EXPECT_EQ(answer_from(view, "kernel.shmfoo").state, sysctl::KernelState::kAbsent);
}

TEST(KernelView, FileThatSomethingElseKeepsClosedIsUnknownAndSoIsItsPattern) {
  const machine::KernelView view = {.pod = {{"net.core.somaxconn", sysctl::KernelState::kUnknown},
                                            {"net.core.txrehash", sysctl::KernelState::kWritable}},
                                    .faults = {{"net.core.somaxconn", "cannot open it"}},
                                    .node = {}};
  for (const char* entry : {"net.core.somaxconn", "net.core.*"}) {
    const sysctl::KernelAnswer answer = answer_from(view, entry);
    EXPECT_EQ(answer.state, sysctl::KernelState::kUnknown) << entry;
    EXPECT_EQ(answer.why, "cannot open it");
  }
}

TEST(KernelView, DotInTheNameOfAnInterfaceIsASlash) {
  EXPECT_EQ(machine::swap_separators("net/ipv4/conf/eno2.100/rp_filter"),
            "net.ipv4.conf.eno2/100.rp_filter");
  const auto question = machine::question_for({"net/ipv4/conf/eno2.100/rp_filter"});
  EXPECT_EQ(question.names, (std::set<std::string>{"net.ipv4.conf.eno2/100.rp_filter",
                                                   "net.ipv4.conf.lo.rp_filter"}));
}

}  // namespace
}  // namespace kubelet_sysctl
