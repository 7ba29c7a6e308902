// SPDX-License-Identifier: Apache-2.0
// Tests of reading pods from manifests. The forms are those of k8s.io/api core/v1, apps/v1 and
// batch/v1.

#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/pods/manifest.hpp"

namespace kubelet_sysctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Read {
  std::vector<pods::PodSpec> pods;
  std::vector<std::string> skipped;
  Error error;
};

Read read(const std::string& bytes) {
  SourceFile file;
  file.path = "pod.yaml";
  file.real_path = file.path;
  file.kind = FileKind::kRegular;
  file.bytes = bytes;
  Read read;
  auto pods = pods::parse_manifests(file, read.skipped);
  if (pods) {
    read.pods = std::move(*pods);
  } else {
    read.error = pods.error();
  }
  return read;
}

std::vector<std::string> names_in(const Read& read) {
  std::vector<std::string> names;
  for (const pods::PodSpec& pod : read.pods) {
    for (const pods::PodSysctl& one : pod.sysctls) {
      names.push_back(pod.kind + "/" + pod.name + ":" + one.name + "=" + one.value);
    }
  }
  return names;
}

constexpr const char* kPod =
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata:\n"
    "  name: web\n"
    "  namespace: shop\n"
    "spec:\n"
    "  hostNetwork: true\n"
    "  securityContext:\n"
    "    sysctls:\n"
    "    - name: net.core.somaxconn\n"
    "      value: \"1024\"\n"
    "    - {name: kernel.msgmax, value: '65536'}\n"
    "  containers: []\n";

TEST(Manifest, GivesThePodWithItsSysctlsAndTheirLines) {
  const Read seen = read(kPod);
  ASSERT_EQ(seen.pods.size(), 1U) << seen.error.message;
  const pods::PodSpec& pod = seen.pods[0];
  EXPECT_EQ(pod.file, "pod.yaml");
  EXPECT_EQ(pod.kind, "Pod");
  EXPECT_EQ(pod.name, "web");
  EXPECT_EQ(pod.pod_namespace, "shop");
  EXPECT_EQ(pod.line, 1U);
  EXPECT_TRUE(pod.host_network);
  EXPECT_FALSE(pod.host_ipc);
  ASSERT_EQ(pod.sysctls.size(), 2U);
  EXPECT_EQ(pod.sysctls[0].name, "net.core.somaxconn");
  EXPECT_EQ(pod.sysctls[0].value, "1024");
  EXPECT_EQ(pod.sysctls[0].line, 10U);
  EXPECT_EQ(pod.sysctls[1].name, "kernel.msgmax");
  EXPECT_EQ(pod.sysctls[1].line, 12U);
}

std::string holder(const std::string& kind, const std::string& path) {
  std::string text = "kind: " + kind + "\nmetadata: {name: x}\n";
  std::string indent;
  std::string rest = path;
  while (!rest.empty()) {
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    text += indent + rest.substr(0, dot) + ":\n";
    indent += "  ";
    rest.erase(0, std::min(dot + 1, rest.size()));
  }
  return text + indent + "securityContext: {sysctls: [{name: a.b, value: \"1\"}]}\n";
}

TEST(Manifest, EveryKindHoldsItsPodWhereTheApiSays) {
  for (const auto& [kind, path] : std::vector<std::pair<std::string, std::string>>{
           {"Pod", "spec"},
           {"PodTemplate", "template.spec"},
           {"Deployment", "spec.template.spec"},
           {"DaemonSet", "spec.template.spec"},
           {"StatefulSet", "spec.template.spec"},
           {"ReplicaSet", "spec.template.spec"},
           {"ReplicationController", "spec.template.spec"},
           {"Job", "spec.template.spec"},
           {"CronJob", "spec.jobTemplate.spec.template.spec"}}) {
    const Read seen = read(holder(kind, path));
    EXPECT_THAT(names_in(seen), ElementsAre(kind + "/x:a.b=1")) << seen.error.message;
  }
}

TEST(Manifest, SeveralDocumentsAreReadAndOtherKindsAreNamed) {
  const Read seen = read("# only a comment\n---\nkind: Service\nmetadata: {name: web}\n---\n" +
                         holder("Pod", "spec") + "--- # another\n" +
                         holder("Job", "spec.template.spec") + "...\n---\n");
  EXPECT_THAT(names_in(seen), ElementsAre("Pod/x:a.b=1", "Job/x:a.b=1")) << seen.error.message;
  EXPECT_THAT(seen.skipped, ElementsAre("Service 'web'"));
  EXPECT_EQ(seen.pods[1].line, 11U);
  EXPECT_TRUE(read("").pods.empty());
}

TEST(Manifest, JsonIsReadToo) {
  const Read seen = read(R"({"kind": "Pod", "metadata": {"name": "\ud83d\ude00"},
  "spec": {"hostIPC": true,
    "securityContext": {"sysctls": [
      {"name": "kernel.sem", "value": "1 2 3 4"}]}}})");
  ASSERT_EQ(seen.pods.size(), 1U) << seen.error.message;
  EXPECT_EQ(seen.pods[0].name, "\xF0\x9F\x98\x80");
  EXPECT_TRUE(seen.pods[0].host_ipc);
  EXPECT_EQ(seen.pods[0].sysctls.at(0).value, "1 2 3 4");
  EXPECT_EQ(seen.pods[0].sysctls.at(0).line, 4U);
}

// The kubelet's /pods answers with a PodList, whose items have no kind.
TEST(Manifest, ListsHoldObjectsOfTheirOwnOrTheImpliedKind) {
  const std::string item =
      R"({"metadata": {"name": "a"}, "spec": {"securityContext": {"sysctls": [{"name": "a.b", "value": "1"}]}}})";
  EXPECT_THAT(names_in(read(R"({"kind": "PodList", "items": [)" + item + "]}")),
              ElementsAre("Pod/a:a.b=1"));
  EXPECT_THAT(names_in(read(R"({"kind": "List", "items": [{"kind": "Pod",)" + item.substr(1) +
                            R"(, {"kind": "Node", "metadata": {"name": "n"}}]})")),
              ElementsAre("Pod/a:a.b=1"));
  EXPECT_EQ(read(R"({"kind": "PodList", "items": []})").pods.size(), 0U);
}

TEST(Manifest, AnchorsAliasesAndMergeKeysAreFollowed) {
  const Read seen = read(
      "kind: Pod\nmetadata: {name: x}\nspec:\n  securityContext:\n    sysctls:\n"
      "    - &one {name: a.b, value: \"1\"}\n    - <<: *one\n      value: \"2\"\n    - *one\n");
  EXPECT_THAT(names_in(seen), ElementsAre("Pod/x:a.b=1", "Pod/x:a.b=2", "Pod/x:a.b=1"))
      << seen.error.message;
}

void expect_malformed(const std::string& bytes, std::size_t line, const std::string& says) {
  const Read seen = read(bytes);
  EXPECT_EQ(seen.error.kind, ErrorKind::kMalformed) << bytes;
  EXPECT_EQ(seen.error.path, "pod.yaml");
  EXPECT_EQ(seen.error.line, line) << bytes << seen.error.message;
  EXPECT_THAT(seen.error.message, HasSubstr(says)) << bytes;
}

TEST(Manifest, WhatIsMalformedIsNamedWithItsLine) {
  const std::string pod = holder("Pod", "spec");
  expect_malformed(pod + "---\nkind: [\n", 7, "this is no manifest");
  expect_malformed(pod + "---\nkind: Pod\n\tspec: {}\n", 7, "this is no manifest");
  expect_malformed("\n\n{\"kind\": \"Pod\",}\n", 3, "this is no manifest");
  expect_malformed("net.core.somaxconn\n", 1, "is a mapping");
  expect_malformed("metadata: {name: x}\n", 1, "has no 'kind'");
  expect_malformed("kind: Pod\nmetadata: {name: x}\n", 1, "Pod 'x' lacks 'spec'");
  expect_malformed("kind: Pod\nspec:\n  hostNetwork: \"true\"\n", 3, "neither true nor false");
  expect_malformed("kind: Pod\nspec:\n  securityContext:\n    sysctls: a.b\n", 4, "a list");
  expect_malformed("kind: Pod\nspec: {securityContext: {sysctls: [a.b]}}\n", 2,
                   "must be in a mapping");
  EXPECT_EQ(read("kind: \xff\n").error.kind, ErrorKind::kMalformed);
}

// Source: k8s.io/api core/v1 Sysctl.Value is a string; a number does not decode.
TEST(Manifest, AValueWithoutQuotesIsNamedWithItsMend) {
  const Read seen = read(
      "kind: Pod\nspec:\n  securityContext:\n    sysctls:\n    - name: a.b\n      value: 1024\n");
  EXPECT_EQ(seen.error.line, 6U);
  EXPECT_THAT(seen.error.message, HasSubstr("no text to Kubernetes"));
  EXPECT_EQ(seen.error.hint, "put it in quotes: \"1024\"");
}

TEST(Manifest, TheYesOfYaml11IsTrue) {
  EXPECT_TRUE(read("kind: Pod\nspec:\n  hostNetwork: yes\n").pods.at(0).host_network);
  EXPECT_FALSE(read("kind: Pod\nspec:\n  hostNetwork: off\n").pods.at(0).host_network);
  EXPECT_FALSE(read("kind: Pod\nspec:\n  hostNetwork: null\n").pods.at(0).host_network);
}

TEST(Manifest, AFewLinesOfAliasesDoNotBecomeMillionsOfPods) {
  std::string bomb = "kind: List\nitems:\n- &a0 {kind: Pod, spec: {containers: []}}\n";
  for (int i = 1; i < 4; ++i) {
    bomb += "- &a" + std::to_string(i) + "\n  kind: List\n  items: [";
    for (int j = 0; j < 60; ++j) bomb += "*a" + std::to_string(i - 1) + ", ";
    bomb += "]\n";
  }
  const Read seen = read(bomb);
  EXPECT_THAT(seen.error.message, HasSubstr("will not read this manifest"));
  std::string merges = "kind: Pod\nspec: {}\na0: &a0 {x: 1}\n";
  for (int i = 1; i < 30; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    merges += "a" + std::to_string(i) + ": &a" + std::to_string(i) + "\n  <<: [" + last + ", " +
              last + ", " + last + "]\n";
  }
  EXPECT_THAT(read(merges + "<<: *a29\n").error.message, HasSubstr("will not read this manifest"));
}

/// Processor time to read pods with so many sysctls, of which the last is at its line.
double seconds_for(std::size_t count) {
  constexpr std::size_t kOfAPod = 500;
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % kOfAPod == 0) {
      bytes += "---\napiVersion: v1\nkind: Pod\nspec:\n  securityContext:\n    sysctls:\n";
    }
    bytes += "    - name: net.core.x\n      value: \"1\"\n";
  }
  const std::clock_t begin = std::clock();
  const Read seen = read(bytes);
  const std::clock_t end = std::clock();
  EXPECT_EQ(seen.pods.size(), count / kOfAPod);
  if (seen.pods.size() == count / kOfAPod) {
    EXPECT_EQ(seen.pods.back().sysctls.back().line, 6 * seen.pods.size() + 2 * count - 1);
  }
  return static_cast<double>(end - begin) / CLOCKS_PER_SEC;
}

TEST(Manifest, APodOfMoreSysctlsThanAnyHasIsRefused) {
  std::string bytes = "apiVersion: v1\nkind: Pod\nspec:\n  securityContext:\n    sysctls:\n";
  for (int i = 0; i < 1001; ++i) bytes += "    - {name: net.core.x, value: \"1\"}\n";
  const Read seen = read(bytes);
  EXPECT_EQ(seen.error.kind, ErrorKind::kUnsupported);
  EXPECT_EQ(seen.error.line, 1006U);
  EXPECT_THAT(seen.error.message, HasSubstr("more than 1000 sysctls"));
}

// 16 MiB of them cost 1.5 GB.
TEST(Manifest, NodesThatNobodyWritesSoDenselyAreRefused) {
  std::string yaml = "a: [";
  std::string json = "{\"a\": [";
  for (int i = 0; i < 60'000; ++i) {
    yaml += "[],";
    json += "0,";
  }
  EXPECT_THAT(read(yaml + "[]]\n").error.message, HasSubstr("more than 50000 nodes"));
  EXPECT_THAT(read(json + "0]}\n").error.message, HasSubstr("more than 50000 nodes"));
  std::string block = "a:\n";
  for (int i = 0; i < 60'000; ++i) block += "- 1\n";
  EXPECT_THAT(read(block).error.message, HasSubstr("more than 50000 nodes"));
}

TEST(Manifest, TakesTimeInProportionToItsSize) {
  constexpr std::size_t kCount = 2000;
  // Twice as long for the noise; counting lines from the top for each would take 64 times as long.
  EXPECT_LT(seconds_for(8 * kCount), 2 * 8 * seconds_for(kCount) + 0.1);
}

}  // namespace
}  // namespace kubelet_sysctl
