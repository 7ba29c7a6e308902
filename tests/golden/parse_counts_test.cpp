// SPDX-License-Identifier: Apache-2.0
// One look, one parse: how often a command reads the node, and how often it parses each text.
#include <algorithm>
#include <array>
#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "golden/live_node.hpp"
#include "kubelet_sysctl/base/counted.hpp"

namespace kubelet_sysctl::golden {
namespace {

constexpr std::array<std::string_view, 8> kNames = {
    "discover",  "resolve",          "resolve_command", "kind_of",
    "unit file", "environment file", "exec line",       "kubelet config"};

/// What was done between one discover() and the next.
struct Look {
  std::map<Counted, int> calls;
  std::map<std::pair<Counted, std::string>, int> texts;
};

thread_local std::vector<Look> looks;

void note(Counted what, std::string_view text) {
  if (what == Counted::kDiscover || looks.empty()) looks.emplace_back();
  ++looks.back().calls[what];
  if (!text.empty()) ++looks.back().texts[{what, std::string(text)}];
}

/// The looks of one command line.
std::vector<Look> looks_of(LiveNode& node, const std::vector<std::string>& words) {
  looks.clear();
  count_hook = note;
  const Said said = node.run(words);
  count_hook = nullptr;
  EXPECT_EQ(said.exit, 0) << said.out << said.err;
  return looks;
}

/// "resolve_command 7", of all looks together and of the text that was parsed most often in one of them.
void print(const std::string& title, const std::vector<Look>& all) {
  std::cout << title << ':';
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const auto what = static_cast<Counted>(i);
    int calls = 0;
    int most = 0;
    for (const Look& look : all) {
      const auto found = look.calls.find(what);
      if (found != look.calls.end()) calls += found->second;
      for (const auto& [key, times] : look.texts) {
        if (key.first == what) most = std::max(most, times);
      }
    }
    std::cout << fmt::format("  {} {}", kNames[i], calls);
    if (most > 0) std::cout << fmt::format(" (one text {} in one look)", most);
  }
  std::cout << '\n';
}

struct Node {
  const char* kind;
  const char* program;
};
constexpr Node kArguments = {"kops", kKubelet};
constexpr Node kFile = {"kubeadm-deb", "/usr/bin/kubelet"};

/// What one look may do beside discover(): resolve the node, and where a plan is made also the node as it will be.
/// The edit of a configuration reads the tree that it changes, and the new one to compare them.
struct Limit {
  int models;
  int config_readings;
};
constexpr Limit kReads{.models = 1, .config_readings = 1};
constexpr Limit kPlans{.models = 2, .config_readings = 2};

void expect_within(const Look& look, const Limit& limit) {
  const auto calls = [&look](Counted what) {
    const auto found = look.calls.find(what);
    return found == look.calls.end() ? 0 : found->second;
  };
  EXPECT_EQ(calls(Counted::kDiscover), 1);
  for (const Counted what : {Counted::kResolve, Counted::kResolveCommand, Counted::kKindOf}) {
    EXPECT_GE(calls(what), 1) << kNames[static_cast<std::size_t>(what)];
    EXPECT_LE(calls(what), limit.models) << kNames[static_cast<std::size_t>(what)];
  }
  EXPECT_GE(calls(Counted::kUnitFile), 1);
  EXPECT_GE(calls(Counted::kEnvironmentFile), 1);
  EXPECT_GE(calls(Counted::kExecLine), 1);
  for (const auto& [key, times] : look.texts) {
    const int most = key.first == Counted::kKubeletConfig ? limit.config_readings : 1;
    EXPECT_LE(times, most) << kNames[static_cast<std::size_t>(key.first)] << ": " << key.second;
  }
}

class ParseCounts : public testing::TestWithParam<Node> {
 protected:
  std::string title(const std::string& command) const {
    return fmt::format("{} {}", GetParam().kind, command);
  }

  LiveNode node_{"1.29.6", GetParam().kind, GetParam().program};
};

TEST_P(ParseCounts, OfShowAreOne) {
  const auto all = looks_of(node_, {"show"});
  print(title("show"), all);
  ASSERT_EQ(all.size(), 1U);
  expect_within(all.front(), kReads);
}

TEST_P(ParseCounts, OfAnAddThatWritesAreOneForEachLookAndOneForItsProof) {
  // The first since the boot asks the kubelet for its release, and plans again by its rules.
  const auto first = looks_of(node_, {"add", "kernel.msgmax"});
  print(title("add, the first since the boot"), first);
  ASSERT_EQ(first.size(), 3U);
  const auto all = looks_of(node_, {"add", "net.ipv4.tcp_rmem"});
  print(title("add"), all);
  ASSERT_EQ(all.size(), 3U);
  expect_within(all[0], kPlans);  // before the lock
  expect_within(all[1], kPlans);  // under it
  expect_within(all[2], kReads);  // after the restart
  expect_within(first[1], kPlans);
  expect_within(first[2], kReads);
}

TEST_P(ParseCounts, OfAnAddWithNothingToDoAreOne) {
  const auto all = looks_of(node_, {"add", "net.core.somaxconn"});
  print(title("add, nothing to do"), all);
  ASSERT_EQ(all.size(), 1U);
  expect_within(all.front(), kReads);
}

INSTANTIATE_TEST_SUITE_P(Nodes, ParseCounts, testing::Values(kArguments, kFile),
                         [](const auto& one) { return std::string(one.param.kind).substr(0, 4); });

}  // namespace
}  // namespace kubelet_sysctl::golden
