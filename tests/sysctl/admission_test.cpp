// SPDX-License-Identifier: Apache-2.0
// What the kubelet and the API server say to a pod, by release; the table names its sources.
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/sysctl/releases.hpp"
#include "support/tables.hpp"

namespace kubelet_sysctl {
namespace {

using tables::Cells;
using tables::split;

sysctl::KubeletVersion release(const std::string& text) {
  const auto version = sysctl::parse_kubelet_version(text);
  EXPECT_TRUE(version) << text;
  return version.value_or(sysctl::KubeletVersion{});
}

TEST(Admission, APodIsJudgedInTheWordsOfTheRelease) {
  const auto rows = tables::table("sysctl/data/admission.tsv");
  ASSERT_GE(rows.size(), 25U);
  for (std::size_t row = 1; row < rows.size(); ++row) {
    const Cells& cells = rows[row];
    std::vector<std::string> list;
    if (cells[1] != "-") list = split(cells[1], ',');
    const sysctl::SysctlUse use = {.name = cells[2],
                                   .host_network = cells[3].find("net") != std::string::npos,
                                   .host_ipc = cells[3].find("ipc") != std::string::npos};
    for (const std::string& one : split(cells[0], ',')) {
      const auto seen = sysctl::admission_of(use, list, release(one), sysctl::KernelVersion{6, 1});
      EXPECT_EQ(name_of(seen.gate), cells[4]) << cells[2] << " on " << one;
      EXPECT_EQ(seen.reason.empty() ? "-" : seen.reason, cells[5]) << one;
    }
  }
}

TEST(Admission, AKernelThatCannotBeToldDropsTheSafeNamesWithAMinimum) {
  const sysctl::SysctlUse use = {.name = "net.ipv4.tcp_rmem"};
  EXPECT_EQ(sysctl::admission_of(use, {}, {1, 32, 0}, sysctl::KernelVersion{4, 15}).gate,
            sysctl::Gate::kNone);
  EXPECT_EQ(sysctl::admission_of(use, {}, {1, 32, 0}, sysctl::KernelVersion{4, 14}).gate,
            sysctl::Gate::kList);
  EXPECT_EQ(sysctl::admission_of(use, {}, {1, 32, 0}, std::nullopt).gate, sysctl::Gate::kList);
}

// Source: pkg/apis/core/validation, SysctlFmt up to 1.24, SysctlContainSlashFmt later.
TEST(PodSpelling, TakesSlashesFrom125OnAndNoPattern) {
  EXPECT_FALSE(sysctl::pod_spelling_fault("net.core.somaxconn", {1, 20, 0}));
  EXPECT_EQ(sysctl::pod_spelling_fault("net/core/somaxconn", {1, 24, 9}),
            "must have at most 253 characters and match regex "
            R"(^([a-z0-9]([-_a-z0-9]*[a-z0-9])?\.)*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$)");
  EXPECT_FALSE(sysctl::pod_spelling_fault("net/core/somaxconn", {1, 25, 0}));
  EXPECT_EQ(sysctl::pod_spelling_fault("net.*", {1, 29, 0}),
            "must have at most 253 characters and match regex "
            R"(^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$)");
  EXPECT_TRUE(sysctl::pod_spelling_fault("Net.core.somaxconn", {1, 29, 0}));
  EXPECT_TRUE(sysctl::pod_spelling_fault("", {1, 29, 0}));
}

// Source: runc libcontainer/configs/validate/validator.go, 1.3.6.
TEST(Runtime, RefusesWhatItDoesNotKnowToBeNamespaced) {
  for (const char* name : {"net.core.somaxconn", "kernel.sem", "kernel.shm_rmid_forced",
                           "fs.mqueue.msg_max", "kernel.msgmni"}) {
    EXPECT_FALSE(sysctl::runtime_refusal(name)) << name;
  }
  EXPECT_EQ(sysctl::runtime_refusal("kernel.msg_next_id"),
            "sysctl \"kernel.msg_next_id\" is not in a separate kernel namespace");
  EXPECT_TRUE(sysctl::runtime_refusal("net.ipv4.conf.eno2/100.rp_filter"));
}

}  // namespace
}  // namespace kubelet_sysctl
