// SPDX-License-Identifier: Apache-2.0
// Tests of reading pods from what runtimes and the kubelet show. The forms are those of the runtime
// specification (config-linux.md); the annotations those of containerd (pkg/cri/annotations) and CRI-O
// (server/sandbox_run_linux.go); the list is core/v1 PodList as the kubelet encodes it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/pods/manifest.hpp"
#include "kubelet_sysctl/pods/pods.hpp"

namespace kubelet_sysctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

SourceFile file_of(const std::string& bytes) {
  SourceFile file;
  file.path = "config.json";
  file.kind = FileKind::kRegular;
  file.bytes = bytes;
  return file;
}

/// What containerd 1.7 writes for a sandbox, but for parts that say nothing here.
std::string containerd(const std::string& type, const std::string& namespaces) {
  return R"({"ociVersion":"1.1.0","process":{"args":["/pause"],"cwd":"/"},)"
         R"("hostname":"web","annotations":{)"
         R"("io.kubernetes.cri.container-type":")" +
         type +
         R"(","io.kubernetes.cri.sandbox-id":"4f1c",)"
         R"("io.kubernetes.cri.sandbox-log-directory":"/var/log/pods/shop_web_0c2a",)"
         R"("io.kubernetes.cri.sandbox-name":"web",)"
         R"("io.kubernetes.cri.sandbox-namespace":"shop",)"
         R"("io.kubernetes.cri.sandbox-uid":"0c2a"},)"
         R"("linux":{"sysctl":{"net.core.somaxconn":"1024","net.ipv4.ping_group_range":)"
         R"("0 2147483647"},"cgroupsPath":"kubepods.slice:cri-containerd:4f1c",)"
         R"("namespaces":[)" +
         namespaces + "]}}";
}

constexpr const char* kOwnNamespaces =
    R"({"type":"pid"},{"type":"ipc"},{"type":"uts"},{"type":"mount"},)"
    R"({"type":"network","path":"/var/run/netns/cni-1f2e"})";

std::vector<std::string> names_of(const pods::PodSpec& pod) {
  std::vector<std::string> names;
  for (const pods::PodSysctl& one : pod.sysctls) names.push_back(one.name);
  return names;
}

TEST(Sandbox, OfContainerdTellsThePodAndItsSysctls) {
  const auto pod = pods::parse_sandbox(file_of(containerd("sandbox", kOwnNamespaces)));
  ASSERT_TRUE(pod);
  ASSERT_TRUE(*pod);
  EXPECT_EQ((*pod)->pod_namespace, "shop");
  EXPECT_EQ((*pod)->name, "web");
  EXPECT_FALSE((*pod)->host_network);
  EXPECT_FALSE((*pod)->host_ipc);
  EXPECT_THAT(names_of(**pod),
              UnorderedElementsAre("net.core.somaxconn", "net.ipv4.ping_group_range"));
}

TEST(Sandbox, IsNotAContainerOfThePod) {
  const auto pod = pods::parse_sandbox(file_of(containerd("container", kOwnNamespaces)));
  ASSERT_TRUE(pod);
  EXPECT_FALSE(*pod);
}

TEST(Sandbox, WithoutANamespaceOrWithThatOfProcess1SharesTheNodes) {
  const auto network = pods::parse_sandbox(file_of(containerd("sandbox", R"({"type":"ipc"})")));
  ASSERT_TRUE(network && *network);
  EXPECT_TRUE((*network)->host_network);
  EXPECT_FALSE((*network)->host_ipc);
  const auto ipc = pods::parse_sandbox(file_of(
      containerd("sandbox", R"({"type":"network"},{"type":"ipc","path":"/proc/1/ns/ipc"})")));
  ASSERT_TRUE(ipc && *ipc);
  EXPECT_FALSE((*ipc)->host_network);
  EXPECT_TRUE((*ipc)->host_ipc);
}

TEST(Sandbox, OfOldContainerdIsNamedByItsLogDirectory) {
  const auto pod = pods::parse_sandbox(file_of(
      R"({"annotations":{"io.kubernetes.cri.container-type":"sandbox",)"
      R"("io.kubernetes.cri.sandbox-log-directory":"/var/log/pods/kube-system_dns-1_77aa"},)"
      R"("linux":{"sysctl":{"kernel.sem":"1 2 3 4"}}})"));
  ASSERT_TRUE(pod && *pod);
  EXPECT_EQ((*pod)->pod_namespace, "kube-system");
  EXPECT_EQ((*pod)->name, "dns-1");
}

TEST(Sandbox, OfCrioTellsThePodAndItsHostNetwork) {
  const auto pod = pods::parse_sandbox(file_of(
      R"({"annotations":{"io.kubernetes.cri-o.ContainerType":"sandbox",)"
      R"("io.kubernetes.cri-o.Annotations":"{\"sandbox\":\"\\u00e9\"}",)"
      R"("io.kubernetes.cri-o.HostNetwork":"true","io.kubernetes.cri-o.KubeName":"router",)"
      R"("io.kubernetes.cri-o.Namespace":"ingress","io.container.manager":"cri-o",)"
      R"("io.kubernetes.pod.name":"router"},)"
      R"("linux":{"sysctl":{"kernel.shm_rmid_forced":"1"},"namespaces":[{"type":"ipc"}]}})"));
  ASSERT_TRUE(pod && *pod);
  EXPECT_EQ((*pod)->pod_namespace, "ingress");
  EXPECT_EQ((*pod)->name, "router");
  EXPECT_TRUE((*pod)->host_network);
  EXPECT_THAT(names_of(**pod), ElementsAre("kernel.shm_rmid_forced"));
}

TEST(Sandbox, ThatIsCutShortIsAnErrorAndNotAPodWithoutSysctls) {
  std::string bytes = containerd("sandbox", kOwnNamespaces);
  bytes.resize(bytes.size() - 3);
  const auto pod = pods::parse_sandbox(file_of(bytes));
  ASSERT_FALSE(pod);
  EXPECT_EQ(pod.error().kind, ErrorKind::kMalformed);
}

TEST(InspectedSandbox, IsReadFromTheConfigurationThatCrictlPrints) {
  const auto pod = pods::parse_inspected_sandbox(
      file_of(R"({"status":{"state":"SANDBOX_READY"},"info":{"pid":7,"runtimeSpec":)" +
              containerd("sandbox", kOwnNamespaces) + "}}"));
  ASSERT_TRUE(pod && *pod);
  EXPECT_EQ((*pod)->name, "web");
}

TEST(InspectedSandbox, ThatTheRuntimeDoesNotShowIsUnknown) {
  const auto pod =
      pods::parse_inspected_sandbox(file_of(R"({"status":{"state":"SANDBOX_READY"},"info":{}})"));
  ASSERT_FALSE(pod);
  EXPECT_THAT(pod.error().message, HasSubstr("does not show"));
}

/// An item of a PodList: without a kind, as the kubelet encodes it.
std::string item(const std::string& name, const std::string& phase) {
  return R"({"metadata":{"name":")" + name +
         R"(","namespace":"shop"},"spec":{"securityContext":{"sysctls":)"
         R"([{"name":"kernel.sem","value":"1 2 3 4"}]}},"status":{"phase":")" +
         phase + R"("}})";
}

TEST(PodList, LeavesOutWhatHasEndedAndNothingElse) {
  const auto pods = pods::parse_pod_list(
      file_of(R"({"kind":"PodList","apiVersion":"v1","metadata":{},"items":[)" +
              item("a", "Running") + "," + item("b", "Succeeded") + "," + item("c", "Failed") +
              "," + item("d", "Pending") + "," + item("e", "Unknown") + "]}"));
  ASSERT_TRUE(pods) << pods.error().message;
  std::vector<std::string> names;
  for (const pods::PodSpec& pod : *pods) names.push_back(pod.name);
  EXPECT_THAT(names, ElementsAre("a", "d", "e"));
}

TEST(PodList, OfANodeWithoutPodsIsEmpty) {
  // Go writes a nil list of items as null.
  for (const char* items : {"[]", "null"}) {
    const auto pods = pods::parse_pod_list(
        file_of(std::string(R"({"kind":"PodList","apiVersion":"v1","items":)") + items + "}"));
    ASSERT_TRUE(pods);
    EXPECT_TRUE(pods->empty());
  }
}

TEST(PodList, IsNotWhateverElseAnswersOnThePort) {
  EXPECT_FALSE(pods::parse_pod_list(file_of("<html>hello</html>")));
  EXPECT_FALSE(pods::parse_pod_list(file_of(R"({"kind":"Status","code":403})")));
}

}  // namespace
}  // namespace kubelet_sysctl
