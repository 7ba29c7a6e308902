// SPDX-License-Identifier: Apache-2.0
// No change of the list takes a flag from the kubelet: command lines made by chance, read as pflag reads them.
#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "golden/golden_node.hpp"

namespace kubelet_sysctl::golden {
namespace {

using nlohmann::json;

using Flags = std::vector<std::pair<std::string, std::string>>;

const std::string kList = "--allowed-unsafe-sysctls";

/// Every flag but the list's with its value, in order; a word that is no flag is one without a value. Written
/// for the flags of this test alone: all take a value but two.
Flags flags_of(const json& explained) {
  std::vector<std::string> words;
  for (const json& word : explained.at("words")) words.push_back(word.at("text"));
  Flags flags;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    const std::size_t equals = word.find('=');
    std::string name = word.substr(0, equals);
    std::string value = equals == std::string::npos ? std::string() : word.substr(equals + 1);
    const bool boolean = name == "--fail-swap-on" || name == "--runonce";
    const bool takes = word.starts_with("--") && equals == std::string::npos && !boolean;
    if (takes && i + 1 < words.size()) value = words[++i];
    if (name != kList) flags.emplace_back(std::move(name), std::move(value));
  }
  return flags;
}

/// Pieces of a value of an environment file: good words, and everything that goes wrong in one.
std::string some_arguments(std::mt19937& random) {
  static const std::vector<std::string> pieces = {
      "--v=2",
      "--v 4",
      "--fail-swap-on=false",
      "--runonce",
      "--node-labels=a=b,c=d",
      "--node-labels='a=b'",
      "--node-labels 'a=b --v=3'",
      "--node-ip=",
      "--hostname-override ''",
      "--max-pods",
      "--root-dir='/var/lib/ku belet'",
      "--allowed-unsafe-sysctls=net.core.somaxconn",
      "--allowed-unsafe-sysctls=net.core.somaxconn,kernel.msgmax",
      "--allowed-unsafe-sysctls='net.core.somaxconn'",
      "--allowed-unsafe-sysctls='net.core.somaxconn --cgroup-root=/",
      "--allowed-unsafe-sysctls='net.core.somaxconn --max-pods=9'",
      "--allowed-unsafe-sysctls net.core.somaxconn",
      "--allowed-unsafe-sysctls",
      "--allowed-unsafe-sysctls=",
      "--allowed-unsafe-sysctls=kernel.sem\\ --max-pods=7",
      "--allowed-unsafe-sysctls=kernel.sem,--max-pods=7",
      "--allowed-unsafe-sysctls=${OTHER}",
      "'--pod-cidr=10.0.0.0/24'",
      "'",
  };
  std::string text;
  const std::size_t count = 1 + random() % 5;
  for (std::size_t i = 0; i < count; ++i) {
    text += (text.empty() ? "" : " ") + pieces[random() % pieces.size()];
  }
  return text;
}

TEST(Arguments, EveryOtherFlagOfThousandsOfCommandLinesStaysWhatPflagReads) {
  constexpr unsigned kSeed = 6888;
  constexpr int kLines = 5000;
  const GoldenNode node("single-dash");
  std::mt19937 random(kSeed);
  const std::vector<std::vector<std::string>> verbs = {
      {"add", "kernel.sem"}, {"remove", "net.core.somaxconn"},       {"set", "kernel.msgmnb"},
      {"doctor", "--fix"},   {"add", "kernel.sem", "--via", "args"}, {"sync"}};
  node.tree().write("/etc/kubelet-sysctl.conf", "mode = exact\nkernel.shmmni\n");
  int written = 0;
  for (int line = 0; line < kLines; ++line) {
    const std::string arguments = some_arguments(random);
    const std::string other = some_arguments(random);
    const char* form = std::vector<const char*>{"$ARGS", "${ARGS}", "\"$ARGS\""}[random() % 3];
    node.tree().write("/etc/kubelet.args", "ARGS=\"" + arguments + "\"\nOTHER=\"" + other + "\"\n");
    node.tree().write("/etc/systemd/system/kubelet.service",
                      std::string("[Service]\nEnvironmentFile=/etc/kubelet.args\n"
                                  "ExecStart=/usr/bin/kubelet ") +
                          form + " $OTHER --port=1\n");
    auto verb = verbs[static_cast<std::size_t>(line) % verbs.size()];
    verb.insert(verb.end(), {"--root", "ROOT"});
    const Said explained = node.run({"explain", "-o", "json", "--root", "ROOT"});
    if (explained.exit != 0) continue;
    const Flags before = flags_of(json::parse(explained.out));
    const std::string bytes = node.tree().read("/etc/kubelet.args");
    const Said said = node.run(verb);
    if (said.exit != 0) {
      EXPECT_EQ(node.tree().read("/etc/kubelet.args"), bytes) << said.err;
      continue;
    }
    ++written;
    const json after = node.ask({"explain"});
    ASSERT_EQ(flags_of(after), before)
        << form << '\n'
        << bytes << node.tree().read("/etc/kubelet.args") << verb.front();
    node.tree().remove("/etc/systemd/system/kubelet.service.d/90-kubelet-sysctl.conf");
  }
  // Most are refused: a test in which all are would say nothing.
  EXPECT_GT(written, kLines / 20);
}

}  // namespace
}  // namespace kubelet_sysctl::golden
