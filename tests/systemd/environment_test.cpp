// SPDX-License-Identifier: Apache-2.0
// From the environment to words: what variables hold, where they are replaced, and how values
// are split.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"

namespace kubelet_sysctl {
namespace {

using Texts = std::vector<std::string>;

const systemd::Specifiers& specifiers() {
  static const systemd::Specifiers known = {{'n', "kubelet.service"}, {'i', ""}, {'E', "/etc"}};
  return known;
}

Texts texts_of(const std::vector<systemd::Word>& words) {
  Texts texts;
  for (const systemd::Word& word : words) texts.push_back(word.text.text);
  return texts;
}

systemd::Environment environment_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
  systemd::Environment environment;
  for (const auto& [name, value] : pairs) environment[name].value = mapped(value, 1);
  return environment;
}

Result<std::vector<systemd::StoredCommand>> commands_of(std::string_view line) {
  std::vector<systemd::FormUse> forms;
  return systemd::parse_exec_start(mapped(line, 0), specifiers(), systemd::kReferenceSystemd,
                                   forms);
}

/// argv of a command with variables replaced.
Texts argv_of(std::string_view line,
              const std::vector<std::pair<std::string, std::string>>& variables) {
  const auto commands = commands_of(line);
  if (!commands || commands->size() != 1) return {"no single command"};
  std::vector<systemd::FormUse> forms;
  return texts_of(systemd::expand_command(commands->front(), environment_of(variables), forms));
}

Texts split(std::string_view value) {
  std::vector<systemd::FormUse> forms;
  return texts_of(systemd::split_value(mapped(value, 0), forms));
}

/// "NAME=value" of what one Environment= line sets, then the number of words that it lost.
Texts environment_line(std::string_view line) {
  systemd::Environment environment;
  std::vector<systemd::FormUse> forms;
  const std::size_t dropped = systemd::apply_environment(mapped(line, 0), specifiers(),
                                                         OriginKind::kUnit, environment, forms);
  Texts texts;
  for (const auto& [name, variable] : environment)
    texts.push_back(name + "=" + variable.value.text.str());
  texts.push_back(std::to_string(dropped));
  return texts;
}

/// The path of an EnvironmentFile= line, "-" in front when it is optional, "ignored" when it is.
std::string file_line(std::string_view line) {
  std::vector<systemd::FormUse> forms;
  const auto parsed = systemd::parse_environment_file_line(mapped(line, 0), specifiers(), forms);
  if (!parsed) return parsed.error().message;
  if (!*parsed) return "ignored";
  return ((*parsed)->optional ? "-" : "") + (*parsed)->path;
}

TEST(Expansion, AWordThatIsADollarNameIsSplitHoweverItWasQuoted) {
  for (const char* line : {"/k $A", "/k \"$A\"", "/k '$A'"}) {
    EXPECT_EQ(argv_of(line, {{"A", "--x --y"}}), (Texts{"/k", "--x", "--y"})) << line;
  }
}

TEST(Expansion, AnUnsetOrBlankDollarNameVanishes) {
  EXPECT_EQ(argv_of("/k $A $B b", {{"B", " \t"}}), (Texts{"/k", "b"}));
}

TEST(Expansion, TheNameGoesToTheEndOfTheWordAndOddNamesVanish) {
  EXPECT_EQ(argv_of("/k $A-x $A,$B $A/x $A$B $", {{"A", "1"}, {"B", "2"}}), (Texts{"/k"}));
}

TEST(Expansion, BracesGiveOneWordAsItIsAndAnEmptyOneWhenUnset) {
  EXPECT_EQ(argv_of("/k ${A} --x=${A}! ${B}", {{"A", "a  'b'"}}),
            (Texts{"/k", "a  'b'", "--x=a  'b'!", ""}));
}

TEST(Expansion, ADollarNameInTheMiddleOfAWordIsLiteral) {
  EXPECT_EQ(argv_of("/k --x=$A", {{"A", "1"}}), (Texts{"/k", "--x=$A"}));
}

TEST(Expansion, TwoDollarsAreOne) {
  EXPECT_EQ(argv_of("/k $$A a$$b $$$$", {{"A", "1"}}), (Texts{"/k", "$A", "a$b", "$$"}));
}

TEST(Expansion, OpenBracesAndColonsInThemStayAndADashLooksUpNothing) {
  EXPECT_EQ(argv_of("/k ${A a${A:-x} b${A-x}", {{"A", "1"}}),
            (Texts{"/k", "${A", "a${A:-x}", "b"}));
}

TEST(Expansion, WithAColonPrefixNothingIsReplaced) {
  EXPECT_EQ(argv_of(":/k $A ${A} $$", {{"A", "1"}}), (Texts{"/k", "$A", "${A}", "$$"}));
}

TEST(Expansion, TheNameOfTheProgramIsReplacedToo) {
  EXPECT_EQ(argv_of("@/k $A x", {{"A", "1 2"}}), (Texts{"1", "2", "x"}));
}

TEST(Expansion, AWordSaysWhichVariablesItCameThrough) {
  const auto commands = commands_of("/k $A --y=${B}");
  ASSERT_TRUE(commands);
  std::vector<systemd::FormUse> forms;
  const auto words =
      systemd::expand_command(commands->front(), environment_of({{"A", "--x"}, {"B", "2"}}), forms);
  ASSERT_EQ(words.size(), 3u);
  EXPECT_EQ(words[1].variable, "A");
  EXPECT_EQ(words[1].raw, (CharOrigin{1, 0, 3}));
  EXPECT_EQ(words[2].variable, "");
  EXPECT_EQ(words[2].inner, (Texts{"B"}));
  EXPECT_EQ(words[2].raw, (CharOrigin{0, 6, 14}));            // where the command names it
  EXPECT_EQ(words[2].text.at.back(), (CharOrigin{1, 0, 1}));  // where the value is
}

TEST(ValueSplitting, QuotesGroupAnywhereAndTheOtherKindIsLiteral) {
  EXPECT_EQ(split("a\tb\r\nc"), (Texts{"a", "b", "c"}));
  EXPECT_EQ(split(R"(--x='a b'"c d" '"' "'" '')"), (Texts{"--x=a bc d", "\"", "'", ""}));
}

TEST(ValueSplitting, ABackslashMakesTheNextByteLiteralInEveryKindOfQuotes) {
  EXPECT_EQ(split(R"(a\ b \n '\'' "\"" \\)"), (Texts{"a b", "n", "'", "\"", "\\"}));
}

TEST(ValueSplitting, AnOpenQuoteAndABackslashAtTheEndAreAccepted) {
  EXPECT_EQ(split("a 'b c"), (Texts{"a", "b c"}));
  EXPECT_EQ(split("a b\\"), (Texts{"a", "b"}));
}

TEST(ValueSplitting, NothingElseIsSpecial) {
  EXPECT_EQ(split("# ; * $A ${A} %n"), (Texts{"#", ";", "*", "$A", "${A}", "%n"}));
}

TEST(EnvironmentLine, QuotesMayStandAroundTheWholeOrTheValueOrTheName) {
  EXPECT_EQ(environment_line(R"(A="x y" "B=x y" 'C'=1 D=)"),
            (Texts{"A=x y", "B=x y", "C=1", "D=", "0"}));
}

TEST(EnvironmentLine, AWordThatIsNoAssignmentIsDroppedAlone) {
  EXPECT_EQ(environment_line("A=--v=2 --x=1 1B=2 C=3"), (Texts{"A=--v=2", "C=3", "2"}));
}

TEST(EnvironmentLine, AnUnknownEscapeOrAnOpenQuoteEndsTheLine) {
  EXPECT_EQ(environment_line(R"(A=1 B=\q C=3)"), (Texts{"A=1", "1"}));
  EXPECT_EQ(environment_line("A=1 'B=2 C=3"), (Texts{"A=1", "1"}));
}

TEST(EnvironmentLine, SpecifiersAreReplacedAndVariablesAreNot) {
  EXPECT_EQ(environment_line("A=%E/k B=$A${A}"), (Texts{"A=/etc/k", "B=$A${A}", "0"}));
}

TEST(EnvironmentLine, ALaterAssignmentWins) {
  EXPECT_EQ(environment_line("A=1 A=2"), (Texts{"A=2", "0"}));
}

TEST(EnvironmentFileLine, IsOnePathWithBlanksAndNoQuotes) {
  EXPECT_EQ(file_line("/etc/a b"), "/etc/a b");
  EXPECT_EQ(file_line("-%E//./k/*.env"), "-/etc/k/*.env");
}

TEST(EnvironmentFileLine, IsIgnoredUnlessItIsAnAbsolutePathWithoutDotDot) {
  for (const char* line : {"\"/etc/a\"", "etc/a", "- /etc/a", "--/etc/a", "/etc/../a", "-", "%1"}) {
    EXPECT_EQ(file_line(line), "ignored") << line;
  }
}

TEST(NameList, HoldsNamesAndAssignments) {
  EXPECT_EQ(systemd::parse_name_list(mapped("A 'B=x y'", 0), specifiers()), (Texts{"A", "B=x y"}));
}

}  // namespace
}  // namespace kubelet_sysctl
