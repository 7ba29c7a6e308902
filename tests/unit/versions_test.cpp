// SPDX-License-Identifier: Apache-2.0
// What is resolved for an old systemd, and what is refused: the table of forms and its use.
#include "kubelet_sysctl/versions.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/command_line.hpp"

namespace kubelet_sysctl {
namespace {

std::vector<Form> forms_of(std::string_view exec_start) {
  std::vector<FormUse> uses;
  const Specifiers specifiers = {{'n', "kubelet.service"}, {'E', "/etc"}};
  const auto commands =
      parse_exec_start(mapped(exec_start, 0), specifiers, kReferenceSystemd, uses);
  if (commands) {
    for (const StoredCommand& command : *commands) {
      Environment environment;
      environment["A"].value = mapped("--x='a b' --y", 1);
      expand_command(command, environment, uses);
    }
  }
  std::vector<Form> forms;
  forms.reserve(uses.size());
  for (const FormUse& use : uses) forms.push_back(use.form);
  return forms;
}

TEST(Versions, EveryFormHasItsRowInTheOrderOfTheEnumeration) {
  const auto& table = form_table();
  ASSERT_EQ(table.size(), static_cast<std::size_t>(Form::kByteOrderMark) + 1);
  for (std::size_t i = 0; i < table.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(table[i].form), i);
    EXPECT_GT(table[i].alike_since, 219);
    EXPECT_LE(table[i].alike_since, kOldestResolved);
    EXPECT_FALSE(table[i].what.empty());
    EXPECT_FALSE(table[i].source.empty());
  }
}

TEST(Versions, From247OnNothingDiffers) {
  std::vector<FormUse> all;
  for (const FormFacts& facts : form_table()) all.push_back({facts.form, {}});
  EXPECT_EQ(first_differing(all, 247), nullptr);
  EXPECT_EQ(first_differing(all, 257), nullptr);
}

TEST(Versions, AnOlderReleaseDiffersUntilTheOneThatReadsItAlike) {
  const std::vector<FormUse> uses = {{Form::kQuoteInsideWord, {}}, {Form::kColonPrefix, {}}};
  EXPECT_EQ(first_differing(uses, 219), &uses[0]);
  EXPECT_EQ(first_differing(uses, 229), &uses[1]);
  EXPECT_EQ(first_differing(uses, 237), &uses[1]);
  EXPECT_EQ(first_differing(uses, 245), nullptr);
  EXPECT_EQ(first_differing({}, 219), nullptr);
}

TEST(Versions, AnOrdinaryCommandReadsAlikeEverywhere) {
  EXPECT_TRUE(forms_of("/usr/bin/kubelet --a=b 'c d' \"e\" ${B} %n -- \\x41").empty());
}

TEST(Versions, EachFormOfACommandIsNoted) {
  const std::vector<std::pair<std::string, Form>> rows = {
      {"/k --x=\"a b\"", Form::kQuoteInsideWord},
      {"/k $A", Form::kQuoteInsideWord},
      {"/k \\u0041", Form::kNumericEscape},
      {"/k \";\"", Form::kQuotedSemicolon},
      {"; /k", Form::kStraySemicolon},
      {"/k $$A", Form::kDollarDollarFirst},
      {"/k ${A:-x}", Form::kColonInBraces},
      {"/k 5%", Form::kPercentAtEnd},
      {"+/k", Form::kPrivilegePrefix},
      {":/k", Form::kColonPrefix},
      {"k", Form::kBareProgram},
      {"/k %E", Form::kNewSpecifier},
      {"/k%%", Form::kPercentInProgram},
  };
  for (const auto& [line, form] : rows) {
    const auto forms = forms_of(line);
    ASSERT_FALSE(forms.empty()) << line;
    EXPECT_EQ(forms.front(), form) << line;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
