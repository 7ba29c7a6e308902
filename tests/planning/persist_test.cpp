// SPDX-License-Identifier: Apache-2.0
// What makes a list last and is on the node is written, kept in step, and undone with the change.
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kPatch = "/etc/kubernetes/patches/kubeletconfiguration0+merge.yaml";
constexpr const char* kFragment = "/etc/eks/nodeadm.d/90-kubelet-sysctl.yaml";

planning::Change lasting(planning::Change change) {
  change.persist = true;
  return change;
}

std::string patch_of(const std::vector<std::string>& list) {
  std::string text =
      "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
      "allowedUnsafeSysctls:\n";
  for (const std::string& entry : list) text += "- " + entry + "\n";
  return text;
}

// Source: kubeadm(1), --patches: target[suffix][+patchtype].extension, target kubeletconfiguration.
TEST(Persist, PatchOfKubeadmHoldsTheWholeListAndGoesWithUndo) {
  Lab lab(std::string("kubeadm-deb"));
  lab.services().boot();
  const auto before = lab.tree().files();
  auto outcome = lab.change(lasting(add({"net.ipv4.tcp_rmem"})));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(lab.tree().read(kPatch),
            patch_of({"net.core.somaxconn", "kernel.shm*", "net.ipv4.tcp_rmem"}));
  ASSERT_TRUE(outcome->advice);
  EXPECT_NE(outcome->advice().object.find("- \"net.ipv4.tcp_rmem\"\n"), std::string::npos);
  auto undone = lab.undo(outcome->transaction);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(undone->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(lab.tree().files(), before);
}

TEST(Persist, PatchThatIsThereIsKeptInStepByEveryChange) {
  Lab lab(std::string("kubeadm-deb"));
  lab.services().boot();
  ASSERT_TRUE(lab.change(lasting(add({"net.ipv4.tcp_rmem"}))));
  auto outcome = lab.change(remove({"net.core.somaxconn"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(lab.tree().read(kPatch), patch_of({"kernel.shm*", "net.ipv4.tcp_rmem"}));
}

TEST(Persist, NothingIsWrittenElsewhereUnlessItIsAskedFor) {
  Lab lab(std::string("kubeadm-deb"));
  lab.services().boot();
  ASSERT_TRUE(lab.change(add({"net.ipv4.tcp_rmem"})));
  EXPECT_FALSE(lab.tree().exists(kPatch));
}

TEST(Persist, OtherKeysOfAnOperatorsPatchStay) {
  Lab lab(std::string("kubeadm-deb"));
  const std::string theirs =
      "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: 50\n";
  lab.tree().write(kPatch, theirs);
  lab.services().boot();
  auto outcome = lab.change(lasting(set({"kernel.sem"})));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(lab.tree().read(kPatch), theirs + "allowedUnsafeSysctls:\n- kernel.sem\n");
}

TEST(Persist, PatchThatIsNoKubeletConfigurationIsLeftToItsOwner) {
  Lab lab(std::string("kubeadm-deb"));
  lab.tree().write(kPatch, "maxPods: 50\n");
  lab.services().boot();
  auto refused = lab.change(lasting(set({"kernel.sem"})));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(refused.error().path, kPatch);
  auto outcome = lab.change(set({"kernel.sem"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(lab.tree().read(kPatch), "maxPods: 50\n");
}

TEST(Persist, ListThatStandsAlreadyIsMadeToLastWithoutARestart) {
  Lab lab(std::string("kubeadm-deb"));
  lab.services().boot();
  const auto pid = lab.services().pid();
  auto outcome = lab.change(lasting(add({"net.core.somaxconn"})));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(lab.tree().read(kPatch), patch_of({"net.core.somaxconn", "kernel.shm*"}));
  EXPECT_EQ(lab.services().pid(), pid);
}

TEST(Persist, DropInOfOurOwnTakesTheListOfAFileThatIsRewritten) {
  Lab lab(std::string("kubeadm-config-dir"));
  lab.tree().remove("/etc/kubernetes/kubelet.conf.d/20-sysctls.conf");
  lab.services().boot();
  const std::string before = lab.tree().read("/var/lib/kubelet/config.yaml");
  auto outcome = lab.change(add({"net.core.somaxconn"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->after,
            (std::vector<std::string>{"kernel.shm_rmid_forced", "net.core.somaxconn"}));
  EXPECT_EQ(lab.tree().read("/etc/kubernetes/kubelet.conf.d/90-kubelet-sysctl.conf"),
            patch_of({"kernel.shm_rmid_forced", "net.core.somaxconn"}));
  EXPECT_EQ(lab.tree().read("/var/lib/kubelet/config.yaml"), before);
}

TEST(Persist, PlaceThatNobodyRewritesNeedsNothingElse) {
  Lab lab(std::string("eks-al2023"));
  lab.services().boot();
  auto outcome = lab.change(lasting(add({"kernel.sem"})));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->edits.size(), 1U);
  EXPECT_FALSE(lab.tree().exists(kFragment));
  EXPECT_TRUE(outcome->advice) << "new machines still need it";
}

/// The node as nodeadm makes it when its NodeConfig sets no kubelet configuration.
void take_config_dir_away(Lab& lab) {
  constexpr const char* kEnvironment = "/etc/eks/kubelet/environment";
  std::string text = lab.tree().read(kEnvironment);
  const std::size_t at = text.find("--config-dir");
  ASSERT_NE(at, std::string::npos) << text;
  text.erase(at, text.find(' ', at) - at + 1);
  lab.tree().write(kEnvironment, text);
}

TEST(Persist, NodeadmGetsAFragmentOfItsOwnAndSomebodyElsesFileIsLeftAlone) {
  Lab lab(std::string("eks-al2023"));
  take_config_dir_away(lab);
  lab.services().boot();
  auto outcome = lab.change(lasting(add({"kernel.sem"})));
  ASSERT_TRUE(outcome) << outcome.error().message;
  const std::string text = lab.tree().read(kFragment);
  EXPECT_NE(text.find("kind: NodeConfig\nspec:\n  kubelet:\n    config:\n"), std::string::npos);
  EXPECT_NE(text.find("      - \"kernel.sem\"\n"), std::string::npos) << text;
  lab.tree().write(kFragment, "kind: NodeConfig\n");
  auto refused = lab.change(lasting(add({"net.ipv4.tcp_rmem"})));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(refused.error().path, kFragment);
}

}  // namespace
}  // namespace kubelet_sysctl
