// SPDX-License-Identifier: Apache-2.0
// Every command that a hint prints works on the node that made it print it.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "golden/golden_node.hpp"

namespace kubelet_sysctl::golden {
namespace {

namespace fs = std::filesystem;

/// The commands behind "run: kubelet-sysctl" in what was said, each to the end of its sentence.
std::set<std::string> commands_in(const std::string& said) {
  const std::string mark = "run: kubelet-sysctl ";
  std::set<std::string> commands;
  for (std::size_t at = said.find(mark); at != std::string::npos; at = said.find(mark, at + 1)) {
    const std::size_t begin = at + mark.size();
    const std::size_t end = std::min(said.find('\n', begin), said.find("; ", begin));
    commands.insert(said.substr(begin, end - begin));
  }
  return commands;
}

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  bool quoted = false;
  bool open = false;
  for (const char byte : line) {
    if (byte == '\'') quoted = !quoted;
    const bool blank = byte == ' ' && !quoted;
    if (!blank && !open) words.emplace_back();
    open = !blank;
    if (!blank && byte != '\'') words.back() += byte;
  }
  return words;
}

std::set<std::string> hints_of(const GoldenNode& node) {
  std::set<std::string> commands;
  const std::vector<std::vector<std::string>> lines = {
      {"show", "-v"},
      {"doctor"},
      {"doctor", "--fix", "--dry-run"},
      {"add", "kernel.sem", "--dry-run"},
      {"remove", "net.core.somaxconn", "--dry-run"},
      {"set", "kernel.sem", "--dry-run", "--persist"},
      {"check", "net.core.somaxconn", "kernel.sem"}};
  for (auto line : lines) {
    line.insert(line.end(), {"--root", "ROOT"});
    const Said said = node.run(line);
    commands.merge(commands_in(said.out + said.err));
  }
  return commands;
}

void expect_hints_work(const std::string& kind, const std::string& config = {}) {
  const GoldenNode node(kind);
  const std::string path = "/var/lib/kubelet/config.yaml";
  if (!config.empty()) node.tree().write(path, config);
  for (const std::string& command : hints_of(node)) {
    const GoldenNode copy(kind);
    if (!config.empty()) copy.tree().write(path, config);
    auto words = words_of(command);
    if (std::find(words.begin(), words.end(), "--root") == words.end()) {
      words.insert(words.end(), {"--root", "ROOT"});
    }
    const Said said = copy.run(words);
    EXPECT_EQ(said.exit, 0) << kind << ": " << command << '\n' << config << said.err;
  }
}

TEST(Hints, EveryCommandOfEveryNodeWorksThere) {
  for (const fs::path& all : {nodes_directory(), cases_directory()}) {
    for (const auto& kind : fs::directory_iterator(all)) {
      if (fs::is_directory(kind.path() / "root")) {
        expect_hints_work(kind.path().filename().string());
      }
    }
  }
}

TEST(Hints, CommandsForMalformedListsWork) {
  const std::string head =
      "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
  const std::vector<std::vector<std::string>> lists = {
      {"net.core.somaxconn=1024", "net.ipv4.tcp_retries2"},
      {"Net.Core.Somaxconn", "net.core.somaxconn", " kernel.sem", "kernel.sem"},
      {"a..b", "kernel.sem"},
      {"a:b", "kernel.sem"},
      {"a b", "kernel.sem"},
      {"a b", "Kernel.Msgmnb"},
      {"vm.swappiness", "Kernel.Sem"},
      {"vm.swappiness", "vm.overcommit_memory", "kernel.sem"},
      {"a*b", "kernel.sem"},
      {"kernel.sem=1", "kernel.msgmax=2", "kernel.msgmnb"},
      {"kernel.sem=1", " kernel.msgmax", "Kernel.Msgmnb"}};
  for (const auto& list : lists) {
    std::string text = head + "allowedUnsafeSysctls:\n";
    for (const std::string& entry : list) text += "- \"" + entry + "\"\n";
    expect_hints_work("name-value", text);
  }
}

TEST(Hints, ListWithBlanksDoublesAndCapitalsIsForDoctorFix) {
  const GoldenNode node("name-value");
  node.tree().write(
      "/var/lib/kubelet/config.yaml",
      "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
      "allowedUnsafeSysctls:\n- Net.Core.Somaxconn\n- \" kernel.sem\"\n- kernel.sem\n");
  const Said said = node.run({"add", "kernel.msgmax", "--root", "ROOT"});
  EXPECT_EQ(said.exit, 3);
  EXPECT_NE(said.err.find("hint: run: kubelet-sysctl doctor --fix\n"), std::string::npos)
      << said.err;
  ASSERT_EQ(node.run({"doctor", "--fix", "--root", "ROOT"}).exit, 0);
  EXPECT_EQ(node.tree().read("/var/lib/kubelet/config.yaml"),
            "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
            "allowedUnsafeSysctls:\n- net.core.somaxconn\n- kernel.sem\n");
}

TEST(Hints, MalformedEntryIsRemovedByItsExactText) {
  for (const std::string entry :
       {"net.core.somaxconn=1", "Kernel.Sem", "a..b", "a b", "a:b", "a*b"}) {
    const GoldenNode node("name-value");
    const std::string head =
        "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
        "allowedUnsafeSysctls:\n";
    node.tree().write("/var/lib/kubelet/config.yaml",
                      head + "- \"" + entry + "\"\n- net.ipv4.tcp_retries2\n");
    const Said said = node.run({"remove", entry, "--root", "ROOT"});
    EXPECT_EQ(said.exit, 0) << entry << ": " << said.err;
    EXPECT_EQ(node.tree().read("/var/lib/kubelet/config.yaml"), head + "- net.ipv4.tcp_retries2\n");
  }
}

}  // namespace
}  // namespace kubelet_sysctl::golden
