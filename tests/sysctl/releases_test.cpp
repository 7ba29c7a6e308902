// SPDX-License-Identifier: Apache-2.0
// Tests of the kubelet's rules by release, against tables in tests/sysctl/data. Those are written by
// hand from the sources that they name; entry-spellings.tsv by a script that restates the rules in
// Python.

#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/sysctl/pattern.hpp"
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

/// The entry that a cell stands for.
std::string entry_of(const std::string& cell) {
  if (cell == "\\e") return "";
  if (cell.starts_with("net.a*")) {
    return "net." + std::string(std::stoul(cell.substr(6)) - 4, 'a');
  }
  std::string entry;
  for (std::size_t i = 0; i < cell.size(); ++i) {
    if (cell.compare(i, 2, "\\s") == 0) {
      entry += ' ';
      ++i;
    } else {
      entry += cell[i];
    }
  }
  return entry;
}

// Restated here from the sources, so that a slip in the program's own copy is seen.
const std::string kSpelling = " must have at most 253 characters and match regex ";
const std::string kDots = R"(([a-z0-9]([-_a-z0-9]*[a-z0-9])?\.)*([a-z0-9][-_a-z0-9]*)?[a-z0-9*])";
const std::string kSlashes =
    R"(([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9*])";

TEST(KubeletRules, EachReleaseStartsWithTheEntriesOfTheTable) {
  const auto rows = tables::table("sysctl/data/entries.tsv");
  ASSERT_GE(rows.size(), 151U);
  for (std::size_t row = 1; row < rows.size(); ++row) {
    const std::string entry = entry_of(rows[row][0]);
    for (std::size_t column = 1; column < rows[row].size(); ++column) {
      SCOPED_TRACE(entry + " on " + rows[0][column]);
      const auto words = sysctl::rejection_by(sysctl::rule_set_of(release(rows[0][column])), entry);
      const std::string& verdict = rows[row][column];
      ASSERT_TRUE(verdict == "yes" || verdict == "pattern" || verdict == "table") << verdict;
      EXPECT_EQ(!words, verdict == "yes");
      if (!words || verdict == "yes") continue;
      EXPECT_EQ(words->find(kSpelling) != std::string::npos, verdict == "pattern") << *words;
      EXPECT_EQ(words->find("not known to be namespaced") != std::string::npos, verdict == "table");
    }
  }
}

TEST(KubeletRules, EachReleaseSaysToASpellingWhatTheRulesSay) {
  const auto rows = tables::table("sysctl/data/entry-spellings.tsv");
  ASSERT_GE(rows.size(), 400U);
  for (std::size_t row = 1; row < rows.size(); ++row) {
    const std::string& entry = rows[row][0];
    for (std::size_t column = 1; column < rows[row].size(); ++column) {
      const sysctl::KubeletVersion version = release(rows[0][column]);
      std::string expected = rows[row][column];
      if (expected == "pattern") {
        expected = "sysctl \"" + entry + '"' + kSpelling + (version.minor <= 22 ? kDots : kSlashes);
      }
      EXPECT_EQ(sysctl::rejection_by(sysctl::rule_set_of(version), entry).value_or(""), expected)
          << entry << " on " << rows[0][column];
    }
  }
}

TEST(KubeletRules, TheRulesChangeWith123AndWith129) {
  EXPECT_EQ(sysctl::rule_set_of({1, 16, 0}), sysctl::RuleSet::kUpTo122);
  EXPECT_EQ(sysctl::rule_set_of({1, 22, 17}), sysctl::RuleSet::kUpTo122);
  EXPECT_EQ(sysctl::rule_set_of({1, 23, 0}), sysctl::RuleSet::kUpTo128);
  EXPECT_EQ(sysctl::rule_set_of({1, 28, 15}), sysctl::RuleSet::kUpTo128);
  EXPECT_EQ(sysctl::rule_set_of({1, 29, 0}), sysctl::RuleSet::kFrom129);
  EXPECT_EQ(sysctl::rule_set_of({2, 0, 0}), sysctl::RuleSet::kFrom129);
  EXPECT_EQ(sysctl::rule_set_of(sysctl::newest_known_kubelet()), sysctl::RuleSet::kFrom129);
}

TEST(KubeletRules, ANameIsSafeFromItsReleaseAndKernelOn) {
  const auto rows = tables::table("sysctl/data/safe.tsv");
  std::size_t safe = 0;
  for (std::size_t row = 1; row < rows.size(); ++row) {
    for (std::size_t column = 1; column < rows[row].size(); ++column) {
      const Cells head = split(rows[0][column], '/');
      const auto* found = sysctl::safe_sysctl(rows[row][0], release(head[0]),
                                              sysctl::parse_kernel_version(head[1]));
      EXPECT_EQ(found != nullptr, rows[row][column] == "yes") << rows[row][0] << ' ' << head[0];
      if (rows[row][column] == "yes" && column == 10) ++safe;
    }
  }
  EXPECT_EQ(safe, sysctl::safe_sysctls().size()) << "a name of the program is missing in the table";
}

// Source: component-base version/verflag prints "Kubernetes " and the git version.
TEST(KubeletVersion, IsReadFromWhatKubeletsPrint) {
  const auto reads = [](const char* text) {
    const auto version = sysctl::parse_kubelet_version(text);
    return version ? sysctl::text_of(*version) : "-";
  };
  EXPECT_EQ(reads("Kubernetes v1.29.6\n"), "1.29.6");
  EXPECT_EQ(reads("Kubernetes v1.29.6-eks-036c24b\n"), "1.29.6");
  EXPECT_EQ(reads("Kubernetes v1.27.4+k3s1"), "1.27.4");
  EXPECT_EQ(reads("Kubernetes v1.32.0-rc.0"), "1.32.0");
  EXPECT_EQ(reads("Kubernetes v1.22.3-rc.0+a70bfb5"), "1.22.3");
  EXPECT_EQ(reads("v1.20.2"), "1.20.2");
  EXPECT_EQ(reads("1.29"), "1.29.0");
}

TEST(KubeletVersion, OfOtherTextIsNotKnown) {
  for (const char* text :
       {"", "Kubernetes", "Kubernetes v", "1", "1.", "1.x", "v1.29.6 extra", "1.29.6.1", "-1.29",
        "1.29-", "kubelet version 1.29.6", "Kubernetes v1.29.6\nKubernetes v1.30.0",
        "99999999999.1", "1.29.6_1", "k3s version v1.29.6+k3s1 (1c2c0b6)", "1 .29"}) {
    EXPECT_FALSE(sysctl::parse_kubelet_version(text)) << text;
  }
}

TEST(KernelVersion, IsThoseOfTheFirstTwoNumbers) {
  EXPECT_EQ(sysctl::parse_kernel_version("6.1.0-28-amd64"), (sysctl::KernelVersion{6, 1}));
  EXPECT_EQ(sysctl::parse_kernel_version("3.10.0-1160.el7.x86_64"), (sysctl::KernelVersion{3, 10}));
  EXPECT_EQ(sysctl::parse_kernel_version("5.15"), (sysctl::KernelVersion{5, 15}));
  for (const char* text : {"", "linux", "6", "6.", "x.1"}) {
    EXPECT_FALSE(sysctl::parse_kernel_version(text)) << text;
  }
}

TEST(SysctlNamespace, FollowsTheTableOfTheRelease) {
  EXPECT_EQ(namespace_of("net.core.somaxconn", sysctl::RuleSet::kUpTo122),
            sysctl::SysctlNamespace::kNet);
  EXPECT_EQ(namespace_of("net/core/*", sysctl::RuleSet::kFrom129), sysctl::SysctlNamespace::kNet);
  EXPECT_EQ(namespace_of("net/core/*", sysctl::RuleSet::kUpTo122), sysctl::SysctlNamespace::kNone);
  EXPECT_EQ(namespace_of("kernel.shm_*", sysctl::RuleSet::kUpTo128), sysctl::SysctlNamespace::kIpc);
  EXPECT_EQ(namespace_of("kernel.shm_*", sysctl::RuleSet::kFrom129),
            sysctl::SysctlNamespace::kNone);
  EXPECT_EQ(namespace_of("fs.mqueue.msg_max", sysctl::RuleSet::kFrom129),
            sysctl::SysctlNamespace::kIpc);
  EXPECT_EQ(namespace_of("vm.max_map_count", sysctl::RuleSet::kFrom129),
            sysctl::SysctlNamespace::kNone);
}

}  // namespace
}  // namespace kubelet_sysctl
