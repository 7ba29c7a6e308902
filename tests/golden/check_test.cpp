// SPDX-License-Identifier: Apache-2.0
// check, whole command lines: on a pretend node that runs, on a tree of files, and where there is
// no kubelet.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "golden/golden_node.hpp"
#include "golden/live_node.hpp"

namespace kubelet_sysctl::golden {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Check, TellsATiredOperatorAtOnce) {
  LiveNode node("1.29.6");
  const Said said = node.run({"check", "net.core.somaxconn", "net.core.rmem_max",
                              "vm.max_map_count", "kernel.shm.*", "net.ipv4.tcp_rmem"});
  EXPECT_EQ(said.exit, 6);
  EXPECT_EQ(said.err, "");
  EXPECT_EQ(
      said.out,
      "kubelet 1.29.6, newest known 1.37; kernel 6.18.0; the list has 2 entries\n"
      "\n"
      "entry               verdict  kubelet 1.29.6  kubelet 1.37  listed  kernel, for pods  "
      "namespace\n"
      "net.core.somaxconn  good     starts          starts        yes     writable          net\n"
      "net.core.rmem_max   useless  starts          starts        no      read-only         net\n"
      "vm.max_map_count    fatal    ends            ends          no      -                 none\n"
      "kernel.shm.*        fatal    ends            ends          no      absent            ipc\n"
      "net.ipv4.tcp_rmem   good     starts          starts        no      writable          net\n"
      "\n"
      "net.core.rmem_max: the kubelet accepts it, but it is read-only for pods in kernel 6.18.0\n"
      "  hint: an entry will not help; what pods cannot set is set for the whole node, by a file "
      "in "
      "'/etc/sysctl.d'\n"
      "vm.max_map_count: the kubelet exits: the sysctls \"vm.max_map_count\" are not known "
      "to "
      "be namespaced\n"
      "  hint: 'vm.max_map_count' belongs in the node's own sysctl configuration: a file in "
      "'/etc/sysctl.d'\n"
      "kernel.shm.*: the kubelet exits: the sysctls \"kernel.shm.\" are not known to be "
      "namespaced\n"
      "  hint: use 'kernel.shm*', which every kubelet accepts\n"
      "net.ipv4.tcp_rmem: will need no entry: it is safe since kubelet 1.32 on kernel 4.15 and "
      "later\n"
      "to allow what is good and not listed, run: kubelet-sysctl add net.ipv4.tcp_rmem\n");
}

TEST(Check, AnswersInOneDocument) {
  LiveNode node("1.28.3");
  const json seen = node.ask({"check", "net.core.rmem_max", "kernel.shm_*",
                              "net.core.somaxconn=1024", "net.ipv4.tcp_syncookies", "kernel.shm*"});
  EXPECT_EQ(seen.at("kind"), "Verdicts");
  EXPECT_EQ(seen.at("node").at("kubeletVersion"), "1.28.3");
  EXPECT_EQ(seen.at("node").at("kernel"), "6.18.0");
  const json& entries = seen.at("entries");
  ASSERT_EQ(entries.size(), 5U);
  EXPECT_EQ(entries[0].at("accepted"), true);
  EXPECT_EQ(entries[0].at("kernel"), "read-only");
  EXPECT_EQ(entries[0].at("namespace"), "net");
  EXPECT_EQ(entries[0].at("listed"), false);
  EXPECT_EQ(entries[0].at("reason"), nullptr);
  EXPECT_EQ(entries[1].at("accepted"), true);
  EXPECT_EQ(entries[1].at("acceptedByNext"), false);
  EXPECT_EQ(entries[1].at("nextReason"),
            "the sysctls \"kernel.shm_\" are not known to be namespaced");
  EXPECT_EQ(entries[2].at("entry"), "net.core.somaxconn");
  EXPECT_EQ(entries[2].at("value"), "1024");
  EXPECT_EQ(entries[2].at("listedBy"), "net.core.somaxconn");
  EXPECT_EQ(entries[3].at("safeSince"), "1.4");
  EXPECT_EQ(entries[3].at("safe"), true);
  EXPECT_EQ(entries[4].at("covers"), (json{{"names", 2}, {"settable", 2}}));
}

constexpr const char* kPods =
    "kind: Pod\n"
    "metadata: {name: unsafe}\n"
    "spec:\n"
    "  securityContext:\n"
    "    sysctls:\n"
    "    - {name: kernel.msgmax, value: \"65536\"}\n"
    "    - {name: net.core.somaxconn, value: \"1024\"}\n"
    "    - {name: net.core.netdev_max_backlog, value: \"3000\"}\n"
    "---\n"
    "kind: Deployment\n"
    "metadata: {name: host, namespace: shop}\n"
    "spec: {template: {spec: {hostNetwork: true, securityContext: {sysctls: [\n"
    "  {name: net.core.somaxconn, value: \"1\"}]}}}}\n"
    "---\n"
    "kind: Job\n"
    "metadata: {name: near}\n"
    "spec: {template: {spec: {securityContext: {sysctls: [{name: kernel.msgmax, value: "
    "\"1\"}]}}}}\n"
    "---\n"
    "kind: Pod\n"
    "metadata: {name: fine}\n"
    "spec: {securityContext: {sysctls: [{name: net.core.somaxconn, value: \"1\"}]}}\n"
    "---\n"
    "kind: Service\n"
    "metadata: {name: web}\n";

TEST(Check, SaysOfEachPodWhichGateRefusesItAndWhatOpensIt) {
  LiveNode node("1.20.2");
  const Said said = node.run({"check", "-f", "-"}, kPods);
  EXPECT_EQ(said.exit, 6);
  EXPECT_EQ(
      said.out,
      "kubelet 1.20.2, newest known 1.37; kernel 6.18.0; the list has 2 entries\n"
      "\n"
      "standard input:1: Pod default/unsafe: refused by the list\n"
      "  kernel.msgmax=65536               forbidden sysctl: \"kernel.msgmax\" not whitelisted\n"
      "  net.core.somaxconn=1024           admitted\n"
      "  net.core.netdev_max_backlog=3000  forbidden sysctl: \"net.core.netdev_max_backlog\" not "
      "whitelisted; an entry will not help: 'net.core.netdev_max_backlog' is absent for pods in "
      "this "
      "kernel (6.18.0)\n"
      "\n"
      "standard input:10: Deployment shop/host: refused by host network\n"
      "  net.core.somaxconn=1  forbidden sysctl: \"net.core.somaxconn\" not allowed with host net "
      "enabled; an entry will not help: the pod shares the node's network namespace\n"
      "\n"
      "standard input:15: Job default/near: refused by the list\n"
      "  kernel.msgmax=1  forbidden sysctl: \"kernel.msgmax\" not whitelisted\n"
      "  to make it pass, run: kubelet-sysctl add kernel.msgmax\n"
      "\n"
      "standard input:19: Pod default/fine: admitted\n"
      "  net.core.somaxconn=1  admitted\n"
      "\n"
      "skipped: Service 'web'\n"
      "note: API servers of 1.29 and later refuse a pod that sets sysctls of a namespace that it "
      "shares with the node\n"
      "note: Pod Security is another gate: at its levels baseline and restricted the API server "
      "refuses every unsafe sysctl, whatever this node allows\n");
}

TEST(Check, PodsAreInTheDocumentWithTheirGates) {
  LiveNode node("1.29.6");
  const json seen = node.ask({"check", "-f", "-"}, kPods);
  const json& pods = seen.at("pods");
  ASSERT_EQ(pods.size(), 4U);
  EXPECT_EQ(pods[0].at("admitted"), false);
  EXPECT_EQ(pods[0].at("gate"), "list");
  EXPECT_EQ(pods[0].at("name"), "unsafe");
  EXPECT_EQ(pods[0].at("reason"), "forbidden sysctl: \"kernel.msgmax\" not allowlisted");
  EXPECT_EQ(pods[1].at("gate"), "host-network");
  EXPECT_EQ(pods[1].at("reason"),
            "forbidden sysctl: \"net.core.somaxconn\" not allowed with host Net enabled");
  EXPECT_EQ(pods[2].at("add"), json::array({"kernel.msgmax"}));
  EXPECT_EQ(pods[3].at("admitted"), true);
  EXPECT_EQ(pods[3].at("gate"), "none");
  EXPECT_EQ(seen.at("skipped"), json::array({"Service 'web'"}));
}

TEST(Check, EndsWithZeroWhereNothingSpeaksAgainstIt) {
  LiveNode node("1.29.6");
  EXPECT_EQ(node.run({"check", "net.core.somaxconn", "kernel.msgmax"}).exit, 0);
  EXPECT_EQ(node.run({"check", "net.core.somaxconn", "-q"}).out, "");
  EXPECT_EQ(node.run({"check", "net.core.rmem_max", "-q"}).exit, 6);
}

TEST(Check, NeedsAQuestionAndAManifestThatIsOne) {
  LiveNode node("1.29.6");
  EXPECT_EQ(node.run({"check"}).exit, 2);
  const Said broken = node.run({"check", "-f", "-"}, "kind: Pod\nspec: [\n");
  EXPECT_EQ(broken.exit, 1);
  EXPECT_THAT(broken.err, StartsWith("kubelet-sysctl: error: standard input:"));
  EXPECT_EQ(node.run({"check", "-f", "/nowhere/pod.yaml"}).exit, 1);
  EXPECT_EQ(node.run({"check", "a.b", "--kubelet-version", "new"}).exit, 2);
  EXPECT_EQ(node.run({"check", "net.core.somaxconn", "--unit", "other.service"}).exit, 1);
}

TEST(Check, AsksTheProgramOnceAndTheKernelForEachName) {
  LiveNode node("1.29.6");
  node.run({"check", "net.core.somaxconn", "kernel.msgmax"});
  node.run({"check", "net.core.somaxconn"});
  EXPECT_EQ(node.services.programs.calls.size(), 0U);
  ASSERT_EQ(node.services.kernel.questions.size(), 2U);
  EXPECT_THAT(node.services.kernel.questions[0],
              testing::ElementsAre("net.core.somaxconn", "kernel.msgmax"));
  EXPECT_TRUE(node.services.changes.empty());
}

TEST(Check, WithAnUnknownReleaseSaysSo) {
  LiveNode node("is a secret");
  const Said said = node.run({"check", "kernel.shm_*", "net.core.somaxconn"});
  EXPECT_EQ(said.exit, 6);
  EXPECT_THAT(said.out,
              StartsWith("kubelet of unknown release (the file '/usr/local/bin/kubelet' does "
                         "not show it, and this command starts no program)"));
  EXPECT_THAT(said.out, HasSubstr("\nkernel.shm_*        unknown  unknown  ends "));
  EXPECT_THAT(said.out, HasSubstr("\nnet.core.somaxconn  good     starts   starts "));
}

TEST(Check, WithAKernelThatCannotBeAskedSaysSo) {
  LiveNode node("1.29.6");
  node.services.kernel.why = "only root may make namespaces";
  const Said said = node.run({"check", "net.core.somaxconn"});
  EXPECT_EQ(said.exit, 0);
  EXPECT_THAT(said.out, HasSubstr("net.core.somaxconn  accepted  starts"));
  EXPECT_THAT(said.out, HasSubstr("the kernel was not asked: only root may make namespaces"));
}

TEST(Check, OfATreeOfFilesKnowsItsListAndNoKernel) {
  const GoldenNode node("kops");
  const json seen =
      node.ask({"check", "net.core.somaxconn", "kernel.sem", "--kubelet-version", "1.29"});
  EXPECT_EQ(seen.at("node").at("kernel"), nullptr);
  EXPECT_EQ(seen.at("entries")[0].at("listed"), true);
  EXPECT_EQ(seen.at("entries")[0].at("kernel"), "unknown");
  EXPECT_EQ(seen.at("entries")[1].at("listed"), false);
  const Said said = node.run({"check", "kernel.shm_*", "--root", "ROOT"});
  EXPECT_EQ(said.exit, 6);
  EXPECT_THAT(said.out,
              HasSubstr("kubelet of unknown release (no program of a tree of files is run)"));
  EXPECT_THAT(said.out, HasSubstr("the kernel was not asked: a tree of files says nothing"));
}

TEST(Check, WithoutAKubeletTheListIsUnknownAndEntriesAreJudged) {
  LiveNode node("1.29.6");
  node.services.is_booted = false;
  const Said said = node.run({"check", "net.core.somaxconn", "--kubelet-version", "1.29"});
  EXPECT_EQ(said.exit, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("the list is not known"));
  EXPECT_THAT(said.out, HasSubstr("net.core.somaxconn  good     starts"));
  const json pod =
      node.ask({"check", "-f", "-", "--kubelet-version", "1.29"},
               "kind: Pod\nspec: {securityContext: {sysctls: [{name: kernel.sem, value: "
               "'1'}]}}\n");
  EXPECT_EQ(pod.at("pods")[0].at("admitted"), nullptr);
  EXPECT_EQ(pod.at("pods")[0].at("gate"), "none");
  EXPECT_THAT(pod.at("pods")[0].at("reason").get<std::string>(), HasSubstr("list is not known"));
}

TEST(Check, ThePodsOfADriftedNodeAreJudgedByTheRunningList) {
  LiveNode node("1.29.6");
  node.services.write("/etc/sysconfig/kubelet",
                      "DAEMON_ARGS=\"--allowed-unsafe-sysctls=kernel.sem\"\n");
  const json seen = node.ask({"check", "kernel.sem", "-f", "-"}, kPods);
  EXPECT_EQ(seen.at("entries")[0].at("listed"), true);
  EXPECT_EQ(seen.at("pods")[3].at("admitted"), true);
  EXPECT_THAT(seen.at("notes").dump(), HasSubstr("another list than the files say"));
}

}  // namespace
}  // namespace kubelet_sysctl::golden
