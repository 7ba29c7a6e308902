// SPDX-License-Identifier: Apache-2.0
// Values of the wrong type, by release. A kubelet ignores a field that its release does not have
// (kubernetes PR 83204), so only the fields of its own release can end it. Which release has what is
// that of staging/src/k8s.io/kubelet/config/v1beta1/types.go; the source is beside each row.
#include <algorithm>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

using built::add_file;
using built::node_with_unit;
using ::testing::HasSubstr;

constexpr const char* kHead =
    "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
constexpr const char* kStarts = "starts";
constexpr const char* kDies = "dies";
constexpr const char* kUnknown = "unknown";

nodes::NodeSnapshot node(const std::string& main, std::optional<int> minor) {
  nodes::NodeSnapshot snapshot =
      node_with_unit("[Service]\nExecStart=/usr/bin/kubelet --config=/c.yaml --config-dir=/d\n");
  add_file(snapshot, "/c.yaml", kHead + main);
  snapshot.config_dirs["/d"] = {};
  if (minor)
    snapshot.kubelet_version = sysctl::KubeletVersion{.major = 1, .minor = *minor, .patch = 0};
  return snapshot;
}

std::string fate(const nodes::NodeSnapshot& snapshot) {
  auto model = model::resolve(snapshot);
  if (!model) {
    EXPECT_THAT(model.error().message, HasSubstr("a kubelet does not start with this file"));
    return kDies;
  }
  return model->config_doubt ? kUnknown : kStarts;
}

std::string fate(const std::string& main, std::optional<int> minor) {
  return fate(node(main, minor));
}

std::string fate_of_drop_in(const std::string& text, std::optional<int> minor) {
  nodes::NodeSnapshot snapshot = node("", minor);
  const std::int32_t source = add_file(snapshot, "/d/10.conf", kHead + text);
  snapshot.config_dirs["/d"].push_back({"/d/10.conf", source});
  return fate(snapshot);
}

TEST(KubeletConfigFields, OneOfEveryReleaseEndsEveryKubelet) {
  for (const std::optional<int> minor :
       {std::optional<int>(), std::optional<int>(20), std::optional<int>(36)}) {
    EXPECT_EQ(fate("maxPods: '5'\n", minor), kDies);
    EXPECT_EQ(fate("authentication:\n  webhook:\n    enabled: 5\n", minor), kDies);
    EXPECT_EQ(fate("nobodyKnowsThis: '5'\n", minor), kStarts);
  }
}

TEST(KubeletConfigFields, OneThatTheReleaseLacksIsIgnoredAsTheKubeletDoes) {
  const struct {
    const char* text;
    int since;
  } rows[] = {
      {"reservedMemory: 5\n", 21},                          // KEP 1769
      {"seccompDefault: 5\n", 22},                          // KEP 2413
      {"memorySwap: off\n", 22},                            // KEP 2400
      {"shutdownGracePeriodByPodPriority: {}\n", 23},       // KEP 2712
      {"registerWithTaints: [a=b:NoSchedule]\n", 23},       // PR 105437
      {"tracing: on\n", 25},                                // KEP 2831
      {"topologyManagerPolicyOptions: [a]\n", 26},          // KEP 3545
      {"maxParallelImagePulls: '5'\n", 27},                 // KEP 3673
      {"containerRuntimeEndpoint: 5\n", 27},                // PR 112136
      {"imageMaximumGCAge: 5\n", 29},                       // KEP 4210
      {"podLogsDir: 5\n", 30},                              // PR 112957
      {"failCgroupV1: 'false'\n", 31},                      // KEP 4569
      {"singleProcessOOMKill: 'true'\n", 32},               // PR 126096
      {"crashLoopBackOff: 5m\n", 32},                       // CHANGELOG-1.32
      {"mergeDefaultEvictionSettings: 'true'\n", 33},       // PR 127577
      {"imagePullCredentialsVerificationPolicy: 5\n", 33},  // KEP 2535
      {"tlsCurvePreferences: [X25519]\n", 36},              // PR 137115
      {"memoryReservationPolicy: 5\n", 36},                 // PR 137719
  };
  for (const auto& row : rows) {
    EXPECT_EQ(fate(row.text, row.since - 1), kStarts) << row.text;
    EXPECT_EQ(fate(row.text, row.since), kDies) << row.text;
    EXPECT_EQ(fate(row.text, std::nullopt), kUnknown) << row.text;
  }
}

TEST(KubeletConfigFields, AReleaseBetweenTwoThatAreKnownIsNotGuessed) {
  const std::string text = "registerNode: 'yes'\n";  // not in v1.20.2, in v1.32.7
  EXPECT_EQ(fate(text, 20), kStarts);
  EXPECT_EQ(fate(text, 26), kUnknown);
  EXPECT_EQ(fate(text, 32), kDies);
}

TEST(KubeletConfigFields, ATypeThatChangedIsThatOfTheRelease) {
  // component-base v0.20.2 has none; a time.Duration at first; v0.32.3 takes both.
  const std::string text = "logging:\n  flushFrequency: 5s\n";
  EXPECT_EQ(fate(text, 22), kStarts);
  EXPECT_EQ(fate(text, 23), kDies);
  EXPECT_EQ(fate(text, 28), kUnknown);
  EXPECT_EQ(fate(text, 32), kStarts);
  EXPECT_EQ(fate("logging:\n  flushFrequency: 5000000000\n", 28), kStarts);
  EXPECT_EQ(fate("logging:\n  flushFrequency: [5]\n", 28), kDies);
  EXPECT_EQ(fate("logging:\n  sanitization: 5\n", 20), kDies);  // v0.20.2; gone with PR 107207
  EXPECT_EQ(fate("logging:\n  sanitization: 5\n", 24), kStarts);
}

TEST(KubeletConfigFields, NullIsNoDurationButWhereTheFieldIsAPointer) {
  EXPECT_EQ(fate("syncFrequency: null\n", 32), kDies);
  EXPECT_EQ(fate("cpuCFSQuotaPeriod: null\n", 32), kStarts);
  EXPECT_EQ(fate("containerLogMonitorInterval: null\n", 32),
            kStarts);  // *metav1.Duration in v1.32.7
  EXPECT_EQ(fate("containerLogMonitorInterval: 5\n", 32), kDies);
}

TEST(KubeletConfigFields, ADropInThatIsMergedAsAPatchTakesAFieldAwayWithNull) {
  EXPECT_EQ(fate_of_drop_in("syncFrequency: null\n", 36), kStarts);
  EXPECT_EQ(fate_of_drop_in("syncFrequency: 5\n", 36), kDies);
  // 1.28 decodes each file by itself, and by the exact names.
  EXPECT_EQ(fate_of_drop_in("maxpods: '5'\n", 36), kDies);
}

TEST(KubeletConfigFields, WhatCannotBeToldIsAWarningWithItsPlace) {
  const nodes::NodeSnapshot snapshot = node("podLogsDir: 5\n", std::nullopt);
  auto model = checks::resolve_and_check(snapshot);
  ASSERT_TRUE(model);
  const auto found = checks::run_checks(snapshot, *model);
  const auto it = std::find_if(found.begin(), found.end(), [](const Finding& finding) {
    return finding.id == "config-doubtful";
  });
  ASSERT_NE(it, found.end());
  EXPECT_EQ(it->severity, Severity::kWarning);
  EXPECT_EQ(it->path, "/c.yaml");
  EXPECT_EQ(it->line, 3u);
  EXPECT_EQ(
      it->message,
      "some releases of the kubelet do not start with this file: json: cannot unmarshal number "
      "into Go struct field KubeletConfiguration.podLogsDir of type string");
  EXPECT_THAT(it->hint, HasSubstr("--kubelet-version"));
}

}  // namespace
}  // namespace kubelet_sysctl
