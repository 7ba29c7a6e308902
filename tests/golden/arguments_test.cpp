// SPDX-License-Identifier: Apache-2.0
// No change of the list takes a flag from the kubelet: command lines made by chance, read as pflag reads them.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
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

/// The words of the command in force without the list's; nothing where the command is unknown.
std::optional<std::vector<std::string>> other_words(const GoldenNode& node) {
  const Said explained = node.run({"explain", "-o", "json", "--root", "ROOT"});
  if (explained.exit != 0) return std::nullopt;
  std::vector<std::string> words;
  bool value = false;
  for (const json& word : json::parse(explained.out).at("words")) {
    const std::string text = word.at("text");
    if (!value && text != kList && !text.starts_with(kList + "=")) words.push_back(text);
    value = !value && text == kList;
  }
  return words;
}

std::vector<std::string> all_nodes() {
  std::vector<std::string> names;
  for (const auto& all : {nodes_directory(), cases_directory()}) {
    for (const auto& one : std::filesystem::directory_iterator(all)) {
      if (std::filesystem::is_directory(one.path() / "root"))
        names.push_back(one.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

class EveryNode : public testing::TestWithParam<std::string> {};

// A file that a change makes, as our own drop-in, counts too: its words are those of the command in force.
TEST_P(EveryNode, KeepsEveryOtherWordOfItsCommandWhateverTheChange) {
  const std::vector<std::vector<std::string>> verbs = {{"add", "kernel.shmmax"},
                                                       {"add", "kernel.shmmax", "--via", "args"},
                                                       {"add", "kernel.shmmax", "--via", "config"},
                                                       {"remove", "net.core.somaxconn"},
                                                       {"set", "kernel.msgmnb"},
                                                       {"set", "--empty"},
                                                       {"doctor", "--fix"},
                                                       {"sync"}};
  for (auto verb : verbs) {
    const GoldenNode node(GetParam());
    node.tree().write("/etc/kubelet-sysctl.conf", "mode = exact\nkernel.shmmni\n");
    const auto before = other_words(node);
    const std::string shown = verb.front() + (verb.size() > 1 ? " " + verb[1] : "");
    verb.insert(verb.end(), {"--root", "ROOT", "--allow-wide"});
    if (verb.front() == "doctor" || verb.front() == "remove") verb.pop_back();
    const Said said = node.run(verb);
    if (said.exit != 0) {
      EXPECT_EQ(other_words(node), before) << shown;
      continue;
    }
    // Where the words are not known beforehand nothing may be written.
    if (!before) {
      EXPECT_FALSE(node.tree().exists("/var/lib/kubelet-sysctl/transactions")) << shown << said.out;
      continue;
    }
    EXPECT_EQ(other_words(node), before) << shown << '\n' << said.out << said.err;
    if (!node.tree().exists("/var/lib/kubelet-sysctl/transactions")) continue;
    const Said undone = node.run({"undo", "--root", "ROOT"});
    EXPECT_EQ(undone.exit, 0) << shown << '\n' << undone.out << undone.err;
    EXPECT_EQ(other_words(node), before) << "undo of " << shown;
  }
}

INSTANTIATE_TEST_SUITE_P(Arguments, EveryNode, testing::ValuesIn(all_nodes()), [](const auto& one) {
  std::string name = one.param;
  std::replace_if(
      name.begin(), name.end(),
      [](char byte) { return !std::isalnum(static_cast<unsigned char>(byte)); }, '_');
  return name;
});

/// The seed of a fifth of the 1,000 lines.
class ManyLines : public testing::TestWithParam<unsigned> {};

TEST_P(ManyLines, KeepEveryOtherFlagAsPflagReadsIt) {
  constexpr int kLines = 200;
  const GoldenNode node("single-dash");
  std::mt19937 random(GetParam());
  const std::vector<std::vector<std::string>> verbs = {
      {"add", "kernel.sem"}, {"remove", "net.core.somaxconn"},       {"set", "kernel.msgmnb"},
      {"doctor", "--fix"},   {"add", "kernel.sem", "--via", "args"}, {"sync"}};
  node.tree().write("/etc/kubelet-sysctl.conf", "mode = exact\nkernel.shmmni\n");
  node.tree().write("/etc/os-release", "ID=debian\nVERSION_ID=12\n");
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
  EXPECT_GT(written, kLines / 40);
}

INSTANTIATE_TEST_SUITE_P(Arguments, ManyLines, testing::Values(6888U, 6889U, 6890U, 6891U, 6892U));

}  // namespace
}  // namespace kubelet_sysctl::golden
