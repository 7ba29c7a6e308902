// SPDX-License-Identifier: Apache-2.0
// What is resolved for an old systemd, and what is refused: the table of forms and its use.

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"

namespace kubelet_sysctl {
namespace {

std::vector<systemd::Form> forms_of(std::string_view exec_start) {
  std::vector<systemd::FormUse> uses;
  const systemd::Specifiers specifiers = {{'n', "kubelet.service"}, {'E', "/etc"}};
  const auto commands = systemd::parse_exec_start(mapped(exec_start, 0), specifiers,
                                                  systemd::kReferenceSystemd, uses);
  if (commands) {
    for (const systemd::StoredCommand& command : *commands) {
      systemd::Environment environment;
      environment["A"].value = mapped("--x='a b' --y", 1);
      systemd::expand_command(command, environment, uses);
    }
  }
  std::vector<systemd::Form> forms;
  forms.reserve(uses.size());
  for (const systemd::FormUse& use : uses) forms.push_back(use.form);
  return forms;
}

TEST(Versions, EveryFormHasItsRowInTheOrderOfTheEnumeration) {
  const auto& table = systemd::form_table();
  ASSERT_EQ(table.size(), static_cast<std::size_t>(systemd::Form::kByteOrderMark) + 1);
  for (std::size_t i = 0; i < table.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(table[i].form), i);
    EXPECT_GT(table[i].alike_since, 219);
    EXPECT_LE(table[i].alike_since, systemd::kOldestResolved);
    EXPECT_FALSE(table[i].what.empty());
    EXPECT_FALSE(table[i].source.empty());
  }
}

TEST(Versions, From247OnNothingDiffers) {
  std::vector<systemd::FormUse> all;
  for (const systemd::FormFacts& facts : systemd::form_table()) all.push_back({facts.form, {}});
  EXPECT_EQ(systemd::first_differing(all, 247), nullptr);
  EXPECT_EQ(systemd::first_differing(all, 257), nullptr);
}

TEST(Versions, AnOlderReleaseDiffersUntilTheOneThatReadsItAlike) {
  const std::vector<systemd::FormUse> uses = {{systemd::Form::kQuoteInsideWord, {}},
                                              {systemd::Form::kColonPrefix, {}}};
  EXPECT_EQ(systemd::first_differing(uses, 219), &uses[0]);
  EXPECT_EQ(systemd::first_differing(uses, 229), &uses[1]);
  EXPECT_EQ(systemd::first_differing(uses, 237), &uses[1]);
  EXPECT_EQ(systemd::first_differing(uses, 245), nullptr);
  EXPECT_EQ(systemd::first_differing({}, 219), nullptr);
}

TEST(Versions, AnOrdinaryCommandReadsAlikeEverywhere) {
  EXPECT_TRUE(forms_of("/usr/bin/kubelet --a=b 'c d' \"e\" ${B} %n -- \\x41").empty());
}

TEST(Versions, EachFormOfACommandIsNoted) {
  const std::vector<std::pair<std::string, systemd::Form>> rows = {
      {"/k --x=\"a b\"", systemd::Form::kQuoteInsideWord},
      {"/k $A", systemd::Form::kQuoteInsideWord},
      {"/k \\u0041", systemd::Form::kNumericEscape},
      {"/k \";\"", systemd::Form::kQuotedSemicolon},
      {"; /k", systemd::Form::kStraySemicolon},
      {"/k $$A", systemd::Form::kDollarDollarFirst},
      {"/k ${A:-x}", systemd::Form::kColonInBraces},
      {"/k 5%", systemd::Form::kPercentAtEnd},
      {"+/k", systemd::Form::kPrivilegePrefix},
      {":/k", systemd::Form::kColonPrefix},
      {"k", systemd::Form::kBareProgram},
      {"/k %E", systemd::Form::kNewSpecifier},
      {"/k%%", systemd::Form::kPercentInProgram},
  };
  for (const auto& [line, form] : rows) {
    const auto forms = forms_of(line);
    ASSERT_FALSE(forms.empty()) << line;
    EXPECT_EQ(forms.front(), form) << line;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
