// SPDX-License-Identifier: Apache-2.0
// sync as a unit and a script see it: exit codes, documents, and what is left alone.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden/golden_node.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"

namespace kubelet_sysctl::golden {
namespace {

using testing::HasSubstr;

constexpr const char* kState = "/var/lib/kubelet-sysctl";
constexpr const char* kDesired = "/etc/kubelet-sysctl.conf";

TEST(Sync, BeforeTheStartLeavesAllToARunThatHoldsTheLock) {
  const GoldenNode node("kops");
  node.tree().write(kDesired, "kernel.sem\n");
  machine::Disk other(node.tree().root());
  const auto held = other.lock(std::string(kState) + "/lock", Milliseconds{0}, "add kernel.sem");
  ASSERT_TRUE(held);
  const auto before = node.things();
  const Said said = node.run({"sync", "--before-start", "--root", "ROOT"});
  EXPECT_EQ(said.exit, 0);
  EXPECT_THAT(said.err, HasSubstr("nothing was inspected"));
  const auto document = node.ask({"sync", "--before-start"});
  EXPECT_EQ(document["outcome"], "unchanged");
  EXPECT_EQ(document["changed"], false);
  EXPECT_EQ(document["findings"][0]["id"], "left-to-another-run");
  EXPECT_EQ(node.run({"sync", "--lock-timeout", "10ms", "--root", "ROOT"}).exit, 7);
  EXPECT_EQ(node.things(), before);
}

TEST(Sync, IsPendingWithoutAWriteWhereTheConfigurationIsToCome) {
  const GoldenNode node("kubeadm-deb");
  node.tree().remove("/var/lib/kubelet/config.yaml");
  node.tree().write(kDesired, "kernel.sem\n");
  const auto before = node.things();
  const auto document = node.ask({"sync"});
  EXPECT_EQ(document["outcome"], "pending");
  EXPECT_EQ(document["changed"], false);
  EXPECT_EQ(document["edits"].size(), 0U);
  EXPECT_EQ(document["findings"][0]["id"], "waits-for-config");
  EXPECT_EQ(node.things(), before);
  EXPECT_EQ(node.run({"sync", "--unchanged-exit-77", "--root", "ROOT"}).exit, 0);
}

TEST(Sync, RecordsTheVerbAndTheReasonOfTheWishUnlessOneIsGiven) {
  const GoldenNode node("kubeadm-deb");
  node.tree().write(kDesired, "kernel.sem owner=team-db reason=postgres\n");
  const auto first = node.ask({"sync"});
  EXPECT_EQ(first["verb"], "sync");
  auto history = node.ask({"history"});
  EXPECT_EQ(history["transactions"][0]["verb"], "sync");
  EXPECT_EQ(history["transactions"][0]["reason"], "kernel.sem (team-db): postgres");
  node.tree().write(kDesired, "kernel.sem\nkernel.msgmax owner=x\n");
  EXPECT_EQ(node.run({"sync", "--reason", "image 7", "--root", "ROOT"}).exit, 0);
  history = node.ask({"history"});
  EXPECT_EQ(history["transactions"][1]["reason"], "image 7");
}

TEST(Sync, WithoutAWishedListIsAMistakeOfWhoeverTypesIt) {
  const GoldenNode node("kubeadm-deb");
  const Said said = node.run({"sync", "--root", "ROOT"});
  EXPECT_EQ(said.exit, 1);
  EXPECT_THAT(said.err, HasSubstr("there is no desired list"));
}

}  // namespace
}  // namespace kubelet_sysctl::golden
