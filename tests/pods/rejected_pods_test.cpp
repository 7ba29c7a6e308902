// SPDX-License-Identifier: Apache-2.0
// Tests of whom a narrower list refuses and what is said of them. Admission is that of the kubelet,
// pkg/kubelet/sysctl/allowlist.go; the safe lists those of the table in the sysctl page of the website.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/pods/pods.hpp"
#include "kubelet_sysctl/pods/rejected_pods.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using List = std::vector<std::string>;
constexpr sysctl::KubeletVersion k129 = {.major = 1, .minor = 29, .patch = 6};
constexpr sysctl::KernelVersion kKernel = {.major = 6, .minor = 1};

pods::SeenPod pod(const std::string& name, const List& sysctls) {
  pods::SeenPod seen;
  seen.spec.name = name;
  seen.spec.pod_namespace = "shop";
  for (const std::string& one : sysctls) seen.spec.sysctls.push_back({.name = one, .value = "1"});
  seen.where = "containerd";
  return seen;
}

List refused(const std::vector<pods::SeenPod>& pods, const List& before, const List& after,
             std::optional<sysctl::KubeletVersion> version = k129) {
  List texts;
  for (const pods::RejectedPod& victim :
       pods::rejected_pods(pods, before, after, version, kKernel)) {
    for (const std::string& one : victim.sysctls) {
      texts.push_back(victim.pod.spec.name + ":" + one);
    }
  }
  return texts;
}

TEST(Narrowing, IsWhateverTheNewListDoesNotCover) {
  EXPECT_TRUE(pods::narrows({"kernel.sem"}, {}));
  EXPECT_TRUE(pods::narrows({"net.ipv4.*"}, {"net.ipv4.tcp_rmem"}));
  EXPECT_FALSE(pods::narrows({"net.ipv4.tcp_rmem", "kernel.sem"}, {"kernel.sem", "net.ipv4.*"}));
  EXPECT_FALSE(pods::narrows({"net/ipv4/tcp_rmem"}, {"net.ipv4.tcp_rmem"}));
  EXPECT_FALSE(pods::narrows({}, {"kernel.sem"}));
}

TEST(RejectedPods, AreThoseWhomTheOldListAdmitsAndTheNewOneRefuses) {
  const std::vector<pods::SeenPod> pods = {
      pod("name", {"net.core.somaxconn"}), pod("pattern", {"kernel.msgmax", "kernel.msgmnb"}),
      pod("stays", {"kernel.sem"}), pod("safe", {"net.ipv4.tcp_syncookies"}),
      pod("never", {"net.ipv4.tcp_mem"})};
  const List before = {"net.core.somaxconn", "kernel.msg*", "kernel.sem"};
  EXPECT_THAT(refused(pods, before, {"kernel.sem", "kernel.msgmnb"}),
              ElementsAre("name:net.core.somaxconn", "pattern:kernel.msgmax"));
  EXPECT_THAT(refused(pods, before, before), IsEmpty());
}

TEST(RejectedPods, OfAHostNetworkWereNeverAdmitted) {
  pods::SeenPod host = pod("host", {"net.core.somaxconn", "kernel.sem"});
  host.spec.host_network = true;
  EXPECT_THAT(refused({host}, {"net.core.somaxconn", "kernel.sem"}, {}),
              ElementsAre("host:kernel.sem"));
}

TEST(RejectedPods, AreJudgedByTheSafeListOfTheirKubeletAndByAnyWhenItIsNotKnown) {
  // net.ipv4.tcp_rmem is safe from 1.32 on.
  const std::vector<pods::SeenPod> pods = {pod("web", {"net.ipv4.tcp_rmem"})};
  const List before = {"net.ipv4.tcp_rmem"};
  EXPECT_THAT(refused(pods, before, {}, k129), ElementsAre("web:net.ipv4.tcp_rmem"));
  EXPECT_THAT(refused(pods, before, {}, sysctl::KubeletVersion{1, 32, 0}), IsEmpty());
  EXPECT_THAT(refused(pods, before, {}, std::nullopt), ElementsAre("web:net.ipv4.tcp_rmem"));
}

TEST(RejectedPods, HaveTheKubeletsWordsOfItsRelease) {
  const std::vector<pods::SeenPod> pods = {pod("web", {"kernel.sem"})};
  const auto now = pods::rejected_pods(pods, {"kernel.sem"}, {}, k129, kKernel);
  ASSERT_EQ(now.size(), 1U);
  EXPECT_EQ(now[0].reason, "forbidden sysctl: \"kernel.sem\" not allowlisted");
  const auto then =
      pods::rejected_pods(pods, {"kernel.sem"}, {}, sysctl::KubeletVersion{1, 20, 2}, kKernel);
  ASSERT_EQ(then.size(), 1U);
  EXPECT_EQ(then[0].reason, "forbidden sysctl: \"kernel.sem\" not whitelisted");
}

planning::Plan removal() {
  planning::Plan plan;
  plan.verb = planning::Verb::kRemove;
  plan.restart = true;
  return plan;
}

std::vector<pods::RejectedPod> crowd(std::size_t count) {
  std::vector<pods::SeenPod> pods;
  for (std::size_t i = 0; i < count; ++i) {
    pods.push_back(pod("web-" + std::to_string(i), {"kernel.sem"}));
  }
  return pods::rejected_pods(pods, {"kernel.sem"}, {}, k129, kKernel);
}

pods::PodsSeen all_seen() {
  pods::PodsSeen seen;
  seen.whole = true;
  return seen;
}

TEST(RejectedPodFindings, RefuseTheRunThatWouldEndThePodsAndNameTwentyOfThem) {
  const auto said = pods::rejected_pod_findings(crowd(25), all_seen(), removal(), true, {});
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(said.error().message, HasSubstr("25 pods"));
  EXPECT_THAT(said.error().hint, HasSubstr("--evict-pods"));
  const std::string& detail = said.error().detail;
  EXPECT_EQ(std::count(detail.begin(), detail.end(), '\n'), 21);
  EXPECT_THAT(detail, HasSubstr("shop/web-19 sets kernel.sem (seen in containerd)\nand 5 more\n"));
}

TEST(RejectedPodFindings, AreWarningsWhereTheOperatorSaidSo) {
  const auto said =
      pods::rejected_pod_findings(crowd(21), all_seen(), removal(), true, {.evict = true});
  ASSERT_TRUE(said);
  ASSERT_EQ(said->size(), 21U);
  EXPECT_EQ((*said)[0].id, "pod-refused");
  EXPECT_EQ((*said)[0].severity, Severity::kWarning);
  EXPECT_THAT((*said)[0].message, HasSubstr("'shop/web-0' at this restart"));
  EXPECT_THAT((*said)[20].message, HasSubstr("and 1 pod"));
}

TEST(RejectedPodFindings, AreWarningsWhereNothingRestartsNow) {
  planning::Plan pending = removal();
  pending.pending = true;
  for (const auto& said :
       {pods::rejected_pod_findings(crowd(1), all_seen(), removal(), true, {.restart = false}),
        pods::rejected_pod_findings(crowd(1), all_seen(), removal(), false, {}),
        pods::rejected_pod_findings(crowd(1), all_seen(), pending, true, {.evict = true})}) {
    ASSERT_TRUE(said);
    ASSERT_EQ(said->size(), 1U);
    EXPECT_THAT((*said)[0].message, HasSubstr("when it starts next"));
  }
}

TEST(RejectedPodFindings, AskForLeaveToEndPodsWhileTheKubeletIsStoppedToo) {
  planning::Plan pending = removal();
  pending.pending = true;
  const auto said = pods::rejected_pod_findings(crowd(1), all_seen(), pending, true, {});
  ASSERT_FALSE(said);
  EXPECT_THAT(said.error().hint, HasSubstr("--evict-pods"));
}

TEST(RejectedPodFindings, DoNotRefuseAnAdd) {
  planning::Plan plan = removal();
  plan.verb = planning::Verb::kAdd;
  const auto said = pods::rejected_pod_findings(crowd(1), all_seen(), plan, true, {});
  ASSERT_TRUE(said);
  EXPECT_EQ(said->size(), 1U);
}

TEST(RejectedPodFindings, SayWhenNobodyCouldLook) {
  pods::PodsSeen seen;
  seen.not_inspected = {"containerd has no pods here", "there is no crictl"};
  const auto nobody = pods::rejected_pod_findings({}, seen, removal(), true, {});
  ASSERT_TRUE(nobody);
  ASSERT_EQ(nobody->size(), 1U);
  EXPECT_EQ((*nobody)[0].id, "pods-not-seen");
  EXPECT_THAT((*nobody)[0].message,
              HasSubstr("could not search for running pods that the new list refuses: containerd "
                        "has no pods here; there is no crictl"));
  seen.whole = true;
  seen.unreadable = 2;
  seen.unreadable_why = "cannot read it";
  const auto some = pods::rejected_pod_findings({}, seen, removal(), true, {});
  ASSERT_TRUE(some);
  ASSERT_EQ(some->size(), 1U);
  EXPECT_EQ((*some)[0].message, "could not see what 2 pods of this node set: cannot read it");
}

TEST(RejectedPodFindings, AreNoneWhenAllWasSeenAndNobodyIsRefused) {
  const auto said = pods::rejected_pod_findings({}, all_seen(), removal(), true, {});
  ASSERT_TRUE(said);
  EXPECT_THAT(*said, IsEmpty());
}

}  // namespace
}  // namespace kubelet_sysctl
