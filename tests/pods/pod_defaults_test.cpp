// SPDX-License-Identifier: Apache-2.0
// What a pod ends up with of the node's defaults: kubernetes/website "Precedence and Overriding" and "Host
// Namespaces and Filtering".
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/model/pod_defaults.hpp"
#include "kubelet_sysctl/pods/manifest.hpp"
#include "kubelet_sysctl/pods/verdicts.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"

namespace kubelet_sysctl::pods {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

VerdictContext node(sysctl::DefaultsState state = sysctl::DefaultsState::kInForce) {
  VerdictContext context;
  context.version = sysctl::KubeletVersion{.major = 1, .minor = 37, .patch = 0};
  context.kernel.release = "6.18.0";
  context.list.emplace();
  context.pod_list.emplace();
  context.defaults.state = state;
  for (const char* name : {"kernel.domainname", "kernel.msgmax", "net.core.rmem_max",
                           "net/core/somaxconn", "user.max_net_namespaces"}) {
    context.defaults.sysctls.push_back({.name = name, .value = "7", .at = {}});
  }
  return context;
}

/// "name set", "name not: reason" of each default in a pod.
std::vector<std::string> outcome(const PodSpec& pod, const VerdictContext& context) {
  std::vector<std::string> made;
  for (const DefaultVerdict& one : verdict_on_pod(pod, context).defaults) {
    const char* word = !one.set ? " unknown" : *one.set ? " set" : " not";
    made.push_back(one.name + word + (one.reason.empty() ? "" : ": " + one.reason));
  }
  return made;
}

TEST(PodDefaultsInPods, AreSetUnlessThePodSharesTheNamespace) {
  EXPECT_THAT(outcome({}, node()),
              ElementsAre("kernel.domainname set", "kernel.msgmax set", "net.core.rmem_max set",
                          "net/core/somaxconn set", HasSubstr("user.max_net_namespaces not")));
  PodSpec host;
  host.host_network = host.host_ipc = true;
  host.host_users = false;
  EXPECT_THAT(outcome(host, node()),
              ElementsAre(HasSubstr("kernel.domainname not"), HasSubstr("kernel.msgmax not"),
                          HasSubstr("net.core.rmem_max not"), HasSubstr("net/core/somaxconn not"),
                          "user.max_net_namespaces set"));
}

TEST(PodDefaultsInPods, ThePodsOwnValueIsInAndNeedsItsEntryAsBefore) {
  PodSpec pod;
  pod.sysctls = {{.name = "kernel.msgmax", .value = "9"}};
  EXPECT_THAT(outcome(pod, node())[1],
              HasSubstr("not: the pod's own value is in, 9; without that the pod has this one and "
                        "needs no entry"));
  EXPECT_EQ(verdict_on_pod(pod, node()).admitted, false);
  VerdictContext allowing = node();
  allowing.pod_list->emplace_back("kernel.msg*");
  EXPECT_THAT(outcome(pod, allowing)[1], "kernel.msgmax not: the pod's own value is in, 9");
}

TEST(PodDefaultsInPods, AreNormalisedAndThePodsOwnNamesAreNot) {
  PodSpec pod;
  pod.sysctls = {{.name = "net.core.somaxconn", .value = "9"}};
  EXPECT_THAT(outcome(pod, node())[3], HasSubstr("not: the pod's own value is in, 9"));
  pod.sysctls = {{.name = "net/core/somaxconn", .value = "9"}};
  EXPECT_THAT(outcome(pod, node())[3], HasSubstr("unknown: the pod sets 'net/core/somaxconn'"));
}

TEST(PodDefaultsInPods, OneThatTheKernelDoesNotGivePodsStopsThePod) {
  VerdictContext context = node();
  context.kernel.answers = {
      {.entry = "net.core.rmem_max", .state = sysctl::KernelState::kReadOnly}};
  const PodVerdict verdict = verdict_on_pod({}, context);
  EXPECT_EQ(verdict.admitted, false);
  EXPECT_EQ(verdict.gate, sysctl::Gate::kKernel);
  EXPECT_THAT(verdict.reason, HasSubstr("'net.core.rmem_max'"));
  context.defaults.state = sysctl::DefaultsState::kUnknown;
  EXPECT_EQ(verdict_on_pod({}, context).admitted, std::nullopt);
  PodSpec host;
  host.host_network = true;
  EXPECT_EQ(verdict_on_pod(host, context).admitted, true);
}

TEST(PodDefaultsInPods, AreNoneWhereTheKubeletSetsNoneAndOpenWhereThatIsNotKnown) {
  EXPECT_THAT(outcome({}, node(sysctl::DefaultsState::kGateOff)), IsEmpty());
  EXPECT_THAT(outcome({}, node(sysctl::DefaultsState::kNoField)), IsEmpty());
  EXPECT_THAT(outcome({}, node(sysctl::DefaultsState::kUnknown))[1], "kernel.msgmax unknown");
}

}  // namespace
}  // namespace kubelet_sysctl::pods
