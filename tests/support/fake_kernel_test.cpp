// SPDX-License-Identifier: Apache-2.0
// The pretend kernel says what it was reported, in the form of the real one.
#include "support/fake_kernel.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"

#include <gtest/gtest.h>

namespace kubelet_sysctl {
namespace {

TEST(FakeKernel, CannotBeAskedBeforeItWasTold) {
  FakeKernel kernel;
  const sysctl::KernelReport report = kernel.ask({"net.core.somaxconn"});
  EXPECT_FALSE(report.asked);
  EXPECT_FALSE(report.why.empty());
  EXPECT_EQ(report.answers.front().state, sysctl::KernelState::kUnknown);
  EXPECT_EQ(report.answers.front().why, report.why);
}

TEST(FakeKernel, SaysWhatItWasToldOfNamesAndPatterns) {
  FakeKernel kernel;
  kernel.answer_from("5.10.0\nnet.core.somaxconn writable\nnet.core.netdev_max_backlog absent\n");
  const sysctl::KernelReport report =
      kernel.ask({"net/core/somaxconn", "net.core.*", "net.core.n*", "net.core.other"});
  EXPECT_TRUE(report.asked);
  EXPECT_EQ(report.release, "5.10.0");
  ASSERT_EQ(report.answers.size(), 4u);
  EXPECT_EQ(report.answers[0].state, sysctl::KernelState::kWritable);
  EXPECT_EQ(report.answers[1].state, sysctl::KernelState::kMixed);
  EXPECT_EQ(report.answers[1].names.size(), 2u);
  EXPECT_EQ(report.answers[2].state, sysctl::KernelState::kAbsent);
  EXPECT_EQ(report.answers[3].state, sysctl::KernelState::kUnknown);
  EXPECT_FALSE(report.answers[3].why.empty());
  EXPECT_EQ(kernel.questions.size(), 1u);
}

TEST(FakePrograms, SayTheirOutputOrErrorAndOthersAreNotFound) {
  FakePrograms programs;
  programs.outputs.insert_or_assign("/usr/bin/kubelet", std::string("Kubernetes v1.29.6\n"));
  EXPECT_EQ(*programs.output_of("/usr/bin/kubelet", {"--version"}, {}), "Kubernetes v1.29.6\n");
  EXPECT_EQ(programs.output_of("/usr/bin/crictl", {}, {}).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(programs.calls, (std::vector<std::vector<std::string>>{
                                {"/usr/bin/kubelet", "--version"}, {"/usr/bin/crictl"}}));
}

}  // namespace
}  // namespace kubelet_sysctl
