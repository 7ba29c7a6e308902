// SPDX-License-Identifier: Apache-2.0
// Every entry and every pod that real kubelets were asked about, words included.
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kubelet_sysctl/kubelet_rules.hpp"

namespace kubelet_sysctl {
namespace {

nlohmann::json vectors() {
  std::ifstream file(std::string(KUBELET_SYSCTL_TEST_DIR) + "/data/kubelet-vectors.json");
  return nlohmann::json::parse(file);
}

TEST(KubeletVectors, EveryEntryIsTakenOrRefusedInTheWordsOfTheRelease) {
  std::size_t asked = 0;
  const nlohmann::json all = vectors();
  for (const auto& row : all["entries"]) {
    const auto entry = row["entry"].get<std::string>();
    for (const auto& [release, words] : row["error"].items()) {
      const auto version = parse_kubelet_version(release);
      ASSERT_TRUE(version) << release;
      EXPECT_EQ(rejection_by(rule_set_of(*version), entry).value_or(""), words.get<std::string>())
          << release << " " << entry;
      ++asked;
    }
  }
  EXPECT_GE(asked, 182u * 4);
}

TEST(KubeletVectors, EveryPodIsAdmittedOrRefusedInTheWordsOf136) {
  std::size_t asked = 0;
  const KubeletVersion version{.major = 1, .minor = 36, .patch = 0};
  const KernelVersion kernel{.major = 6, .minor = 18};
  const nlohmann::json all = vectors();
  for (const auto& row : all["pods"]) {
    const auto list = row["list"].get<std::vector<std::string>>();
    std::string words;
    for (const auto& name : row["sysctls"]) {
      const SysctlUse use = {.name = name.get<std::string>(),
                             .host_network = row["hostNetwork"].get<bool>(),
                             .host_ipc = row["hostIPC"].get<bool>()};
      const Admission admission = admission_of(use, list, version, kernel);
      if (admission.gate == Gate::kNone) continue;
      words = admission.reason;
      break;
    }
    EXPECT_EQ(words, row["1.36"].get<std::string>()) << row.dump();
    ++asked;
  }
  EXPECT_EQ(asked, 280u);
}

}  // namespace
}  // namespace kubelet_sysctl
