// SPDX-License-Identifier: Apache-2.0
// From ExecStart= to words: prefixes, quotes, escapes, specifiers.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

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

Result<std::vector<systemd::StoredCommand>> commands_of(std::string_view line,
                                                        int version = systemd::kReferenceSystemd) {
  std::vector<systemd::FormUse> forms;
  return systemd::parse_exec_start(mapped(line, 0), specifiers(), version, forms);
}

Texts texts_of(const std::vector<systemd::Word>& words) {
  Texts texts;
  for (const systemd::Word& word : words) texts.push_back(word.text.text);
  return texts;
}

/// The stored words of a line with one command; what is wrong with it otherwise.
Texts words_of(std::string_view line) {
  const auto commands = commands_of(line);
  if (!commands) return {"error", commands.error().message};
  if (commands->size() != 1) return {"several"};
  return texts_of(commands->front().words);
}

std::string program_of(std::string_view line) {
  const auto commands = commands_of(line);
  return commands && commands->size() == 1 ? commands->front().program : "no single command";
}

bool is_refused(std::string_view line) {
  const auto commands = commands_of(line);
  return !commands && commands.error().kind == ErrorKind::kMalformed;
}

TEST(ExecStart, PrefixesAreTakenFromTheFirstWordInAnyOrder) {
  const auto commands = commands_of("-:+/bin/k a");
  ASSERT_TRUE(commands);
  ASSERT_EQ(commands->size(), 1u);
  EXPECT_TRUE(commands->front().ignore_failure);
  EXPECT_TRUE(commands->front().no_variables);
  EXPECT_EQ(commands->front().program, "/bin/k");
  EXPECT_EQ(words_of("\"-/bin/k\" a"), (Texts{"/bin/k", "a"}));
  EXPECT_EQ(words_of("!!/bin/k"), (Texts{"/bin/k"}));
}

TEST(ExecStart, APrefixCountsOnceAndWantsTheProgramBehindIt) {
  for (const char* line : {"--/bin/k", "- /bin/k", "+!/bin/k", "!!!/bin/k", "@@/bin/k k"}) {
    EXPECT_TRUE(is_refused(line)) << line;
  }
}

TEST(ExecStart, WithAnAtTheNextWordIsTheName) {
  EXPECT_EQ(words_of("@/bin/k name a"), (Texts{"name", "a"}));
  EXPECT_EQ(program_of("@/bin/k name a"), "/bin/k");
  EXPECT_TRUE(is_refused("@/bin/k"));
}

TEST(ExecStart, TheProgramIsAnAbsolutePathOrABareName) {
  EXPECT_EQ(program_of("kubelet a"), "kubelet");
  EXPECT_EQ(program_of("/usr//bin/./../k"), "/usr/bin/../k");
  EXPECT_EQ(words_of("/usr//bin/k"), (Texts{"/usr//bin/k"}));
  EXPECT_EQ(program_of("$KUBELET_BIN x"), "$KUBELET_BIN");
  for (const char* line : {"bin/k", "/bin/", "\"\"", "/bin/\\n", "."}) {
    EXPECT_TRUE(is_refused(line)) << line;
  }
}

TEST(ExecStart, QuotesOpenAnywhereInAWordAndAreRemoved) {
  EXPECT_EQ(words_of("/k --x=\"a b\"'c d' '\"' \"\""), (Texts{"/k", "--x=a bc d", "\"", ""}));
  EXPECT_TRUE(is_refused("/k \"a"));
}

TEST(ExecStart, EscapesAreDecodedInsideEveryKindOfQuotes) {
  const Texts words = {"/k", "a b", "a b", "a b", "A", "A", "\xc3\xa4", "\xf0\x9f\x98\x80", "\t\\"};
  EXPECT_EQ(words_of(R"(/k a\sb 'a\sb' "a\sb" \x41 \101 \u00e4 \U0001F600 \t\\)"), words);
}

TEST(ExecStart, AnUnknownEscapeStaysAsItIs) {
  EXPECT_EQ(words_of(R"(/k \. \q \x0 \x00 \07 \400 \u12)"),
            (Texts{"/k", "\\.", "\\q", "\\x0", "\\x00", "\\07", "\\400", "\\u12"}));
  EXPECT_EQ(words_of(R"(/k --a \ # note)"), (Texts{"/k", "--a", "\\ #", "note"}));
}

TEST(ExecStart, NothingIsAComment) {
  EXPECT_EQ(words_of("/k # ;a a;"), (Texts{"/k", "#", ";a", "a;"}));
}

TEST(ExecStart, ASemicolonWordBeginsAnotherCommand) {
  const auto commands = commands_of("/a x ; /b y");
  ASSERT_TRUE(commands);
  ASSERT_EQ(commands->size(), 2u);
  EXPECT_EQ(texts_of((*commands)[0].words), (Texts{"/a", "x"}));
  EXPECT_EQ(texts_of((*commands)[1].words), (Texts{"/b", "y"}));
  EXPECT_EQ(words_of("/a x ;"), (Texts{"/a", "x"}));
  EXPECT_EQ(words_of(R"(/a \; ";")"), (Texts{"/a", ";", ";"}));
}

TEST(ExecStart, SpecifiersAreReplacedAfterUnquotingAndAreNotSplit) {
  EXPECT_EQ(words_of("/k %n '%n' \\x25n %% %i 50%"),
            (Texts{"/k", "kubelet.service", "kubelet.service", "kubelet.service", "%", "", "50%"}));
}

TEST(ExecStart, AnUnknownSpecifierRefusesTheLineAndOneNotKnownHereStopsUs) {
  EXPECT_TRUE(is_refused("/k --x=a%2Fb"));
  const auto host = commands_of("/k %H");
  ASSERT_FALSE(host);
  EXPECT_EQ(host.error().kind, ErrorKind::kUnsupported);
}

TEST(ExecStart, RawSpansOfWordsCoverQuotesEscapesAndSpecifiers) {
  const std::string_view line = "/k --x=\"a b\" '%n' \\x41";
  const auto commands = commands_of(line);
  ASSERT_TRUE(commands);
  Texts raw;
  for (const systemd::Word& word : commands->front().words) {
    raw.emplace_back(line.substr(word.raw.begin, word.raw.end - word.raw.begin));
  }
  EXPECT_EQ(raw, (Texts{"/k", "--x=\"a b\"", "'%n'", "\\x41"}));
}

}  // namespace
}  // namespace kubelet_sysctl
