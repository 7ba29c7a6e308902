// SPDX-License-Identifier: Apache-2.0
// The release of the kubelet in whole command lines: who asks the program, and who does not pay for
// it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden/live_node.hpp"

namespace kubelet_sysctl::golden {
namespace {

using testing::HasSubstr;
using testing::Not;

std::size_t times_asked(LiveNode& node) { return node.services.programs.calls.size(); }

TEST(KubeletRelease, IsInTheReportAndInTheDocumentAndNothingIsStarted) {
  LiveNode node("1.29.6");
  const std::string text = node.run({"show"}).out;
  EXPECT_THAT(text, HasSubstr("\n\nkubelet.service  kOps  kubelet 1.29.6  running, pid "));
  EXPECT_EQ(node.ask({"show"}).at("node").at("kubeletVersion"), "1.29.6");
  EXPECT_EQ(times_asked(node), 0U);
  EXPECT_THAT(node.run({"show", "--kubelet-version", "1.37"}).out, HasSubstr("kubelet 1.37.0"));
}

TEST(KubeletRelease, OfATreeIsWhatTheOptionSays) {
  const GoldenNode node("kops");
  EXPECT_EQ(node.ask({"show"}).at("node").at("kubeletVersion"), nullptr);
  EXPECT_EQ(node.ask({"show", "--kubelet-version", "1.31.2"}).at("node").at("kubeletVersion"),
            "1.31.2");
  const Said refused = node.run({"add", "kernel.shm_*", "--root", "ROOT"});
  EXPECT_EQ(refused.exit, 3);
  const Said taken =
      node.run({"add", "kernel.shm_*", "--kubelet-version", "1.28", "--root", "ROOT"});
  EXPECT_EQ(taken.exit, 0) << taken.err;
  EXPECT_THAT(taken.err, HasSubstr("[stops-next-kubelet]"));
}

TEST(KubeletRelease, OfAnUnknownKubeletIsNullAndSaidOnDemand) {
  LiveNode node("none");
  EXPECT_EQ(node.ask({"show"}).at("node").at("kubeletVersion"), nullptr);
  EXPECT_THAT(node.run({"show"}).out, Not(HasSubstr("kubelet unknown")));
  EXPECT_THAT(node.run({"show", "-v"}).out,
              HasSubstr("kubelet unknown (the file '/usr/local/bin/kubelet' does "
                        "not show it"));
}

TEST(KubeletRelease, AnAddWithNothingToDoStartsNoProgramAndKeepsNothing) {
  LiveNode node("1.28.3");
  EXPECT_EQ(node.run({"add", "net.core.somaxconn"}).exit, 0);
  EXPECT_EQ(times_asked(node), 0U);
  EXPECT_FALSE(node.tree().exists("/run/kubelet-sysctl"));
}

TEST(KubeletRelease, AnAddWithSomethingToDoJudgesByIt) {
  LiveNode node("1.28.3");
  const Said said = node.run({"add", "kernel.shm_*", "--window", "1s"});
  EXPECT_EQ(said.exit, 0) << said.out << said.err;
  // Before anything is written, so not among what became of it.
  EXPECT_THAT(said.err,
              HasSubstr("warning: 'kernel.shm_*' starts the kubelet of this node (1.28.3) "
                        "and stops 1.29 and later"));
  EXPECT_EQ(times_asked(node), 0U);
  LiveNode newer("1.29.6");
  const Said refused = newer.run({"add", "kernel.shm_*"});
  EXPECT_EQ(refused.exit, 3);
  EXPECT_THAT(refused.err, HasSubstr("would stop the kubelet of this node (1.29.6)"));
  EXPECT_TRUE(newer.services.changes.empty());
}

}  // namespace
}  // namespace kubelet_sysctl::golden
