// SPDX-License-Identifier: Apache-2.0
// The manual page and the bash completion name what the tables of the program hold.
#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.hpp"
#include "kubelet_sysctl/outcome.hpp"

namespace kubelet_sysctl {
namespace {

using testing::HasSubstr;

std::string document(const std::string& name) {
  std::ifstream file(KUBELET_SYSCTL_TEST_DIR "/../docs/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The page without the marks of troff.
std::string manual() {
  std::string page = document("kubelet-sysctl.8");
  std::erase(page, '\\');
  return page;
}

TEST(ManualPage, NamesEveryCommandOptionAndExitCode) {
  const std::string page = manual();
  for (const Command* command : all_commands()) {
    EXPECT_THAT(page, HasSubstr("\n.B kubelet-sysctl " + std::string(command->name) + '\n'));
    EXPECT_THAT(page, HasSubstr("\n.TP\n.B " + std::string(command->name) + '\n'));
  }
  for (const OptionRow& row : all_options()) {
    const std::string name(row.name);
    const bool named = page.find("\n.B " + name + '\n') != std::string::npos ||
                       page.find("\n.BI " + name + ' ') != std::string::npos ||
                       page.find("\n.BR " + name + ' ') != std::string::npos ||
                       page.find(", \" " + name) != std::string::npos;
    EXPECT_TRUE(named) << name;
  }
  for (const ExitCode& row : exit_codes()) {
    EXPECT_THAT(page, HasSubstr("\n.TP\n.B " + std::to_string(row.code) + '\n'));
  }
}

TEST(ManualPage, IsOfThisVersion) {
  EXPECT_THAT(manual(), HasSubstr("\"kubelet-sysctl " + std::string(tool_version()) + '"'));
}

/// What bash offers after `line`, whose last word is being typed.
std::set<std::string> offered(const std::string& line) {
  const std::string script =
      "source " KUBELET_SYSCTL_TEST_DIR "/../docs/kubelet-sysctl.bash; COMP_WORDS=(" + line +
      " ''); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_WORDS[COMP_CWORD]=--; _kubelet_sysctl; "
      "printf '%s\\n' \"${COMPREPLY[@]}\"";
  std::set<std::string> words;
  const std::string command = "bash -c \"$(cat <<'SCRIPT'\n" + script + "\nSCRIPT\n)\"";
  // NOLINTNEXTLINE(cert-env33-c): a shell is what is tested, and the command is ours.
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"),
                                                             ::pclose);
  std::array<char, 4096> block{};
  std::string text;
  while (pipe && std::fgets(block.data(), block.size(), pipe.get()) != nullptr)
    text += block.data();
  std::istringstream lines(text);
  for (std::string word; lines >> word;) words.insert(word);
  return words;
}

TEST(BashCompletion, OffersTheOptionsOfEachCommandAndNoOther) {
  for (const Command* command : all_commands()) {
    std::set<std::string> expected;
    for (const OptionRow& row : all_options()) {
      if ((command->options & row.bit) != 0) expected.emplace(row.name);
    }
    EXPECT_EQ(offered("kubelet-sysctl " + std::string(command->name)), expected) << command->name;
  }
}

TEST(BashCompletion, OffersTheChoicesOfAnOption) {
  const std::string text = document("kubelet-sysctl.bash");
  for (const OptionRow& row : all_options()) {
    if (row.value.find('|') == std::string_view::npos) continue;
    std::string choices(row.value);
    std::replace(choices.begin(), choices.end(), '|', ' ');
    EXPECT_THAT(text, HasSubstr("words='" + choices + "'")) << row.name;
  }
  for (const Command* command : all_commands()) {
    EXPECT_THAT(text, HasSubstr(std::string(command->name)));
  }
}

}  // namespace
}  // namespace kubelet_sysctl
