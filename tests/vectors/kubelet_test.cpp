// SPDX-License-Identifier: Apache-2.0
// Every entry and every pod that real kubelets were asked about, words included.
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

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
      const auto version = sysctl::parse_kubelet_version(release);
      ASSERT_TRUE(version) << release;
      EXPECT_EQ(sysctl::rejection_by(sysctl::rule_set_of(*version), entry).value_or(""),
                words.get<std::string>())
          << release << " " << entry;
      ++asked;
    }
  }
  EXPECT_GE(asked, 182u * 4);
}

TEST(KubeletVectors, EveryPodIsAdmittedOrRefusedInTheWordsOf136) {
  std::size_t asked = 0;
  const sysctl::KubeletVersion version{.major = 1, .minor = 36, .patch = 0};
  const sysctl::KernelVersion kernel{.major = 6, .minor = 18};
  const nlohmann::json all = vectors();
  for (const auto& row : all["pods"]) {
    const auto list = row["list"].get<std::vector<std::string>>();
    std::string words;
    for (const auto& name : row["sysctls"]) {
      const sysctl::SysctlUse use = {.name = name.get<std::string>(),
                                     .host_network = row["hostNetwork"].get<bool>(),
                                     .host_ipc = row["hostIPC"].get<bool>()};
      const sysctl::Admission admission = sysctl::admission_of(use, list, version, kernel);
      if (admission.gate == sysctl::Gate::kNone) continue;
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
