// SPDX-License-Identifier: Apache-2.0
// Tests of the answers of `check`, and of what is said where something is not known. Which entries
// and pods are accepted follows from the tables of kubelet_rules_test; here it is about what is
// made of that.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/pods/manifest.hpp"
#include "kubelet_sysctl/pods/verdicts.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/report/verdicts.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// A node of that release with an empty list, whose kernel answers so.
pods::VerdictContext context_of(
    const std::string& version,
    const std::vector<std::pair<std::string, sysctl::KernelState>>& kernel = {}) {
  pods::VerdictContext context;
  context.version = sysctl::parse_kubelet_version(version);
  if (!context.version) context.version_why = "nobody was asked";
  context.kernel.release = "6.18.0";
  context.kernel.asked = true;
  for (const auto& [name, state] : kernel) {
    context.kernel.answers.push_back({.entry = name, .state = state});
  }
  context.list.emplace();
  context.pod_list.emplace();
  return context;
}

pods::VerdictContext with_list(pods::VerdictContext context, std::vector<std::string> list) {
  context.pod_list = list;
  context.list = std::move(list);
  return context;
}

std::string worth(const std::string& entry, const pods::VerdictContext& context) {
  return pods::name_of(pods::worth_of(pods::verdict_on_entry(entry, context)));
}

TEST(EntryVerdict, SumsUpKubeletNextKubeletRuntimeAndKernel) {
  const auto node =
      context_of("1.28.3", {{"net.core.somaxconn", sysctl::KernelState::kWritable},
                            {"net.core.rmem_max", sysctl::KernelState::kReadOnly},
                            {"net.core.netdev_max_backlog", sysctl::KernelState::kAbsent},
                            {"net.ipv4.*", sysctl::KernelState::kMixed},
                            {"kernel.shm_*", sysctl::KernelState::kMixed}});
  EXPECT_EQ(worth("net.core.somaxconn", node), "good");
  EXPECT_EQ(worth("net.ipv4.*", node), "good");
  EXPECT_EQ(worth("net.core.rmem_max", node), "useless");
  EXPECT_EQ(worth("net.core.netdev_max_backlog", node), "useless");
  EXPECT_EQ(worth("kernel.shm_*", node), "fatal later");
  EXPECT_EQ(worth("vm.max_map_count", node), "fatal");
  EXPECT_EQ(worth("Net.core.somaxconn", node), "fatal");
  EXPECT_EQ(worth("", node), "fatal");
  EXPECT_EQ(worth("kernel.shm_*", context_of("1.29.0")), "fatal");
  EXPECT_EQ(worth("net/core/somaxconn", context_of("1.22.0")), "fatal");
}

TEST(EntryVerdict, WhatTheKernelWasNotAskedIsAcceptedAndNoMore) {
  const auto verdict = pods::verdict_on_entry("net.core.somaxconn", context_of("1.28.3"));
  EXPECT_EQ(pods::worth_of(verdict), pods::EntryWorth::kAccepted);
  EXPECT_EQ(verdict.kernel.state, sysctl::KernelState::kUnknown);
  EXPECT_THAT(verdict.kernel.why, HasSubstr("not asked"));
}

TEST(EntryVerdict, OfUnknownReleaseIsKnownOnlyWhereAllReleasesAgree) {
  const auto node = context_of("?", {{"net.core.somaxconn", sysctl::KernelState::kWritable}});
  EXPECT_EQ(worth("net.core.somaxconn", node), "good");
  EXPECT_EQ(worth("vm.max_map_count", node), "fatal");
  const auto differs = pods::verdict_on_entry("kernel.shm_*", node);
  EXPECT_FALSE(differs.accepted);
  EXPECT_EQ(pods::worth_of(differs), pods::EntryWorth::kUnknown);
  EXPECT_EQ(differs.reason,
            "kubelet 1.29 and later: the sysctls \"kernel.shm_\" are not known to be namespaced");
  EXPECT_FALSE(pods::verdict_on_entry("net/core/somaxconn", node).accepted);
  pods::Verdicts all;
  all.entries = {differs};
  EXPECT_TRUE(pods::is_anything_found(all));
}

TEST(EntryVerdict, NamesTheEntryOfTheListThatCoversIt) {
  const auto node = with_list(context_of("1.28.3"), {"net.core.*", "net/ipv4/tcp_rmem"});
  EXPECT_EQ(pods::verdict_on_entry("net.core.somaxconn", node).listed_by, "net.core.*");
  EXPECT_EQ(pods::verdict_on_entry("net.ipv4.tcp_rmem", node).listed_by, "net/ipv4/tcp_rmem");
  EXPECT_EQ(pods::verdict_on_entry("net.ipv4.tcp_wmem", node).listed, std::optional(false));
  pods::VerdictContext unknown = node;
  unknown.list.reset();
  EXPECT_FALSE(pods::verdict_on_entry("net.core.somaxconn", unknown).listed.has_value());
}

TEST(EntryVerdict, IsSafeByReleaseAndKernel) {
  const auto safe = [](const std::string& version, const std::string& kernel) {
    pods::VerdictContext node = context_of(version);
    node.kernel.release = kernel;
    return pods::verdict_on_entry("net.ipv4.tcp_rmem", node).safe_now;
  };
  EXPECT_EQ(safe("1.31", "6.1.0"), std::optional(false));
  EXPECT_EQ(safe("1.32", "6.1.0"), std::optional(true));
  EXPECT_EQ(safe("1.32", "4.14.336"), std::optional(false));
  EXPECT_EQ(safe("1.31", ""), std::optional(false));
  EXPECT_FALSE(safe("1.32", "")) << "the kernel decides, and is not known";
  EXPECT_FALSE(safe("?", "6.1.0")) << "the release decides, and is not known";
  const auto verdict = pods::verdict_on_entry("net.ipv4.tcp_rmem", context_of("?"));
  ASSERT_TRUE(verdict.safe);
  EXPECT_EQ(verdict.safe->since_minor, 32);
  EXPECT_EQ(pods::verdict_on_entry("net.core.somaxconn", context_of("?")).safe_now,
            std::optional(false));
}

TEST(EntryVerdict, WhatRuntimesRefuseIsUseless) {
  const auto verdict = pods::verdict_on_entry("kernel.msg_next_id", context_of("1.28.0"));
  EXPECT_EQ(verdict.accepted, std::optional(true));
  EXPECT_THAT(verdict.runtime, HasSubstr("not in a separate kernel namespace"));
  EXPECT_FALSE(verdict.accepted_by_next);
  EXPECT_EQ(worth("net/ipv4/conf/eno2.100/rp_filter", context_of("1.29.0")), "useless");
}

// A whole group is said to be one, with the names that would do instead, and is not offered as a
// command.
TEST(EntryVerdict, AWidePatternIsNamedAndNotOffered) {
  pods::VerdictContext node = context_of("1.29");
  node.kernel.answers.push_back({.entry = "kernel.msg*",
                                 .state = sysctl::KernelState::kWritable,
                                 .names = {{"kernel.msgmax", sysctl::KernelState::kWritable},
                                           {"kernel.msgmnb", sysctl::KernelState::kWritable}}});
  const auto verdict = pods::verdict_on_entry("kernel.msg*", node);
  EXPECT_THAT(verdict.wide, HasSubstr("covers 2 names"));
  EXPECT_THAT(verdict.wide_hint, HasSubstr("'kernel.msgmax', 'kernel.msgmnb'"));
  EXPECT_EQ(pods::verdict_on_entry("kernel.msgmax", node).wide, "");
  const std::string text =
      report::verdicts_text(pods::verdicts_on({"kernel.msg*"}, {}, {}, node), node, {});
  EXPECT_THAT(text, HasSubstr("writable (2 of 2)"));
  EXPECT_THAT(text, Not(HasSubstr("kubelet-sysctl add")));
}

TEST(EntryVerdict, TheNameOfASettingIsJudged) {
  const auto node = context_of("1.29", {{"net.core.somaxconn", sysctl::KernelState::kWritable}});
  const auto verdict = pods::verdict_on_entry("net.core.somaxconn = 1024", node);
  EXPECT_EQ(verdict.entry, "net.core.somaxconn");
  EXPECT_EQ(verdict.value, "1024");
  EXPECT_EQ(pods::worth_of(verdict), pods::EntryWorth::kGood);
  EXPECT_EQ(worth("=1024", node), "fatal");
  EXPECT_THAT(pods::verdicts_on({"net.core.somaxconn=1"}, {}, {}, node).notes,
              ElementsAre(HasSubstr("a value is a pod's setting")));
}

pods::PodSpec pod(std::vector<std::string> names, bool host_network = false,
                  bool host_ipc = false) {
  pods::PodSpec spec;
  spec.file = "pod.yaml";
  spec.kind = "Pod";
  spec.name = "web";
  spec.pod_namespace = "default";
  spec.host_network = host_network;
  spec.host_ipc = host_ipc;
  for (std::string& name : names) spec.sysctls.push_back({std::move(name), "1", 0});
  return spec;
}

void expect_verdict(const pods::PodVerdict& verdict, std::optional<bool> admitted, const char* gate,
                    const std::string& reason) {
  EXPECT_EQ(verdict.admitted, admitted) << verdict.reason;
  EXPECT_STREQ(name_of(verdict.gate), gate);
  EXPECT_THAT(verdict.reason, HasSubstr(reason));
}

TEST(PodVerdict, NamesTheGateThatSpeaksAndTheCommandThatOpensIt) {
  const auto node = context_of("1.29", {{"net.core.somaxconn", sysctl::KernelState::kWritable}});
  const auto refused = pods::verdict_on_pod(pod({"net.core.somaxconn"}), node);
  expect_verdict(refused, false, "list",
                 "forbidden sysctl: \"net.core.somaxconn\" not allowlisted");
  EXPECT_THAT(refused.add, ElementsAre("net.core.somaxconn"));
  const auto admitted =
      pods::verdict_on_pod(pod({"net.core.somaxconn"}), with_list(node, {"net.core.*"}));
  expect_verdict(admitted, true, "none", "");
  EXPECT_THAT(admitted.add, IsEmpty());
  expect_verdict(pods::verdict_on_pod(pod({}), node), true, "none", "");
}

TEST(PodVerdict, SaysWhereNoEntryHelps) {
  const auto node = context_of("1.29", {{"net.core.rmem_max", sysctl::KernelState::kReadOnly},
                                        {"net.core.somaxconn", sysctl::KernelState::kWritable}});
  const auto kernel = pods::verdict_on_pod(pod({"net.core.rmem_max"}), node);
  expect_verdict(kernel, false, "list", "not allowlisted");
  EXPECT_THAT(kernel.sysctls[0].no_help, HasSubstr("read-only for pods"));
  const auto host = pods::verdict_on_pod(pod({"net.core.somaxconn"}, true), node);
  EXPECT_THAT(host.sysctls[0].no_help, HasSubstr("the node's network namespace"));
  const auto ipc = pods::verdict_on_pod(pod({"kernel.msgmax"}, false, true), node);
  EXPECT_THAT(ipc.sysctls[0].no_help, HasSubstr("the node's IPC namespace"));
  const auto never = pods::verdict_on_pod(pod({"vm.max_map_count"}), node);
  EXPECT_THAT(never.sysctls[0].no_help, HasSubstr("does not start with such an entry"));
  for (const pods::PodVerdict& one : {kernel, host, ipc, never}) EXPECT_THAT(one.add, IsEmpty());
  // One that cannot be helped leaves nothing to type for the others.
  EXPECT_THAT(pods::verdict_on_pod(pod({"net.core.somaxconn", "net.core.rmem_max"}), node).add,
              IsEmpty());
}

TEST(PodVerdict, TheGatesSpeakInTheOrderOfThePodsWay) {
  const auto node =
      with_list(context_of("1.28", {{"net.core.rmem_max", sysctl::KernelState::kReadOnly}}),
                {"net.core.rmem_max", "kernel.msg*", "net.core.somaxconn"});
  expect_verdict(pods::verdict_on_pod(pod({"net.core.rmem_max"}), node), false, "kernel",
                 "read-only");
  expect_verdict(pods::verdict_on_pod(pod({"net.core.rmem_max", "kernel.msg_next_id"}), node),
                 false, "runtime", "not in a separate kernel namespace");
  expect_verdict(
      pods::verdict_on_pod(pod({"net.core.rmem_max", "kernel.msg_next_id", "kernel.sem"}), node),
      false, "list", "\"kernel.sem\" not allowlisted");
  expect_verdict(pods::verdict_on_pod(pod({"kernel.sem", "Net.x"}), node), false, "spelling",
                 "regex");
  expect_verdict(pods::verdict_on_pod(pod({"net.core.somaxconn"}, true), node), false,
                 "host-network", "not allowed with host net enabled");
  expect_verdict(pods::verdict_on_pod(pod({"kernel.msgmax"}, false, true), node), false, "host-ipc",
                 "not allowed with host ipc enabled");
  expect_verdict(pods::verdict_on_pod(pod({"net.core.somaxconn", "net.core.somaxconn"}), node),
                 false, "spelling", "Duplicate value: \"net.core.somaxconn\"");
}

TEST(PodVerdict, OfUnknownReleaseIsKnownOnlyWhereAllReleasesAgree) {
  const auto node = context_of("?");
  const auto differs = pods::verdict_on_pod(pod({"net.ipv4.tcp_rmem"}), node);
  expect_verdict(differs, std::nullopt, "none", "depends on the kubelet's release");
  EXPECT_THAT(differs.add, ElementsAre("net.ipv4.tcp_rmem"));
  expect_verdict(pods::verdict_on_pod(pod({"net.core.somaxconn"}), node), false, "list",
                 "not allowlisted");
  expect_verdict(pods::verdict_on_pod(pod({"net.ipv4.tcp_syncookies"}), node), true, "none", "");
}

TEST(PodVerdict, OfAnUnknownListIsKnownOnlyWhereNoListMatters) {
  pods::VerdictContext node = context_of("1.29");
  node.list.reset();
  node.pod_list.reset();
  node.list_why = "there is no unit";
  expect_verdict(pods::verdict_on_pod(pod({"net.core.somaxconn"}), node), std::nullopt, "none",
                 "the list is not known: there is no unit");
  expect_verdict(pods::verdict_on_pod(pod({"net.core.somaxconn"}, true), node), false,
                 "host-network", "host Net");
  expect_verdict(pods::verdict_on_pod(pod({"vm.max_map_count"}), node), false, "list",
                 "not allowlisted");
  expect_verdict(pods::verdict_on_pod(pod({"net.ipv4.tcp_syncookies"}), node), true, "none", "");
  pods::Verdicts all;
  all.pods = {pods::verdict_on_pod(pod({"net.core.somaxconn"}), node)};
  EXPECT_TRUE(pods::is_anything_found(all)) << "what is unknown is not good";
}

TEST(PodVerdict, OfAnUnknownKernelSafeNamesWithAMinimumCannotBeTold) {
  pods::VerdictContext node = context_of("1.32");
  node.kernel.release.clear();
  expect_verdict(pods::verdict_on_pod(pod({"net.ipv4.tcp_rmem"}), node), std::nullopt, "none",
                 "depends on the kernel");
  node = with_list(node, {"net.ipv4.tcp_rmem"});
  expect_verdict(pods::verdict_on_pod(pod({"net.ipv4.tcp_rmem"}), node), true, "none", "");
}

TEST(PodVerdict, PodSecurityIsNamedOnceAndOnlyForUnsafeSysctls) {
  const auto node = context_of("1.29");
  const auto unsafe =
      pods::verdicts_on({}, {pod({"net.core.somaxconn"}), pod({"kernel.sem"})}, {}, node);
  EXPECT_THAT(unsafe.notes, ElementsAre(HasSubstr("Pod Security is another gate")));
  EXPECT_THAT(pods::verdicts_on({}, {pod({"net.ipv4.tcp_syncookies"})}, {}, node).notes, IsEmpty());
}

TEST(Verdicts, TheKernelIsAskedOnceForEachNameThatIsSpeltLikeOne) {
  EXPECT_THAT(pods::kernel_questions({"net.core.somaxconn=1", "Bad", "kernel.shm*"},
                                     {pod({"net.core.somaxconn", "kernel.sem"})}),
              ElementsAre("net.core.somaxconn", "kernel.shm*", "kernel.sem"));
}

TEST(Verdicts, AreFoundGoodOnlyWhereNothingSpeaksAgainstThem) {
  const auto node = context_of("1.29", {{"net.core.somaxconn", sysctl::KernelState::kWritable},
                                        {"net.core.rmem_max", sysctl::KernelState::kReadOnly}});
  EXPECT_FALSE(pods::is_anything_found(
      pods::verdicts_on({"net.core.somaxconn", "kernel.sem"}, {}, {}, node)));
  EXPECT_TRUE(pods::is_anything_found(pods::verdicts_on({"net.core.rmem_max"}, {}, {}, node)));
  EXPECT_TRUE(pods::is_anything_found(pods::verdicts_on({}, {pod({"kernel.sem"})}, {}, node)));
  EXPECT_FALSE(pods::is_anything_found(pods::verdicts_on({}, {pod({})}, {}, node)));
}

}  // namespace
}  // namespace kubelet_sysctl
