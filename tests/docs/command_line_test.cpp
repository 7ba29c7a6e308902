// SPDX-License-Identifier: Apache-2.0
// The manual page names what the tables of the program hold.
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"

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
  for (const cli::Command* command : cli::all_commands()) {
    EXPECT_THAT(page, HasSubstr("\n.B kubelet-sysctl " + std::string(command->name) + '\n'));
    EXPECT_THAT(page, HasSubstr("\n.TP\n.B " + std::string(command->name) + '\n'));
  }
  for (const cli::OptionRow& row : cli::all_options()) {
    const std::string name(row.name);
    const bool named = page.find("\n.B " + name + '\n') != std::string::npos ||
                       page.find("\n.BI " + name + ' ') != std::string::npos ||
                       page.find("\n.BR " + name + ' ') != std::string::npos ||
                       page.find(", \" " + name) != std::string::npos;
    EXPECT_TRUE(named) << name;
  }
  for (const transaction::ExitCode& row : transaction::exit_codes()) {
    EXPECT_THAT(page, HasSubstr("\n.TP\n.B " + std::to_string(row.code) + '\n'));
  }
}

TEST(ManualPage, NamesNoOptionThatNobodyTakes) {
  // Those of the program without a command, of the kubelet, of kubeadm, and of dpkg.
  std::set<std::string> known{"--help",       "--version", "--allowed-unsafe-sysctls",
                              "--config-dir", "--patches", "--purge"};
  for (const cli::OptionRow& row : cli::all_options()) known.emplace(row.name);
  const std::string page = manual();
  const std::regex option("--[a-z][a-z0-9-]*");
  for (std::sregex_iterator one(page.begin(), page.end(), option), end; one != end; ++one) {
    EXPECT_TRUE(known.contains(one->str())) << one->str();
  }
}

TEST(ManualPage, HasTheCommandsInTheOrderOfTheHelp) {
  const std::string page = manual();
  for (const std::string start : {"\n.B kubelet-sysctl ", "\n.TP\n.B "}) {
    std::size_t last = 0;
    for (const cli::Command* command : cli::all_commands()) {
      const std::size_t found = page.find(start + std::string(command->name) + '\n');
      EXPECT_GT(found, last) << command->name;
      last = found;
    }
  }
}

TEST(ManualPage, HasNoExitCodeBesideThoseOfTheTable) {
  const std::string page = manual();
  const std::size_t begin = page.find(".SH EXIT STATUS");
  const std::string section = page.substr(begin, page.find(".SH ", begin + 1) - begin);
  std::set<std::string> expected;
  for (const transaction::ExitCode& row : transaction::exit_codes())
    expected.insert(std::to_string(row.code));
  std::set<std::string> seen;
  const std::regex code("\n\\.TP\n\\.B ([0-9]+)\n");
  for (std::sregex_iterator one(section.begin(), section.end(), code), end; one != end; ++one) {
    seen.insert((*one)[1].str());
  }
  EXPECT_EQ(seen, expected);
}

TEST(ManualPage, IsOfThisVersion) {
  EXPECT_THAT(manual(), HasSubstr("\"kubelet-sysctl " + std::string(cli::tool_version()) + '"'));
}

}  // namespace
}  // namespace kubelet_sysctl
