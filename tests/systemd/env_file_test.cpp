// SPDX-License-Identifier: Apache-2.0
// The rules of EnvironmentFile= as systemd's src/basic/env-file.c has them, one text for each.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/env_file.hpp"

namespace kubelet_sysctl {
namespace {

using std::string_view_literals::operator""sv;
using Pairs = std::vector<std::pair<std::string, std::string>>;

/// As Debian 12 reads it.
Result<std::vector<systemd::EnvAssignment>> parse_env_file(std::string_view text) {
  auto file = systemd::parse_env_file(text, 0, systemd::kReferenceSystemd);
  if (!file) return std::move(file).error();
  return std::move(file->assignments);
}

Pairs pairs_of(std::string_view text, int version = systemd::kReferenceSystemd) {
  const auto file = systemd::parse_env_file(text, 0, version);
  if (!file) return {{"error", file.error().message}};
  Pairs pairs;
  for (const systemd::EnvAssignment& one : file->assignments)
    pairs.emplace_back(one.name, one.value.text);
  return pairs;
}

/// The value of the one assignment to A.
std::string value_of(std::string_view text) {
  const Pairs pairs = pairs_of(text);
  return pairs.size() == 1 && pairs[0].first == "A" ? pairs[0].second : "not one A";
}

/// For each byte of the value of A, the bytes of the text that made it.
std::vector<std::string> bytes_of(std::string_view text) {
  const auto parsed = parse_env_file(text);
  if (!parsed || parsed->size() != 1) return {"not one A"};
  std::vector<std::string> made_of;
  for (const CharOrigin& at : parsed->front().value.at) {
    made_of.emplace_back(text.substr(at.begin, at.end - at.begin));
  }
  return made_of;
}

std::vector<systemd::Form> forms_of(std::string_view text) {
  const auto file = systemd::parse_env_file(text, 0, systemd::kReferenceSystemd);
  std::vector<systemd::Form> forms;
  if (!file) return forms;
  for (const systemd::FormUse& use : file->forms) forms.push_back(use.form);
  return forms;
}

TEST(EnvFile, KeepsEveryAssignmentSoTheWinnerCanBeEdited) {
  auto parsed = parse_env_file("A=1\nB=2\nA=3\n");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 3u);
  EXPECT_EQ((*parsed)[2].value_at, (Span{10, 11}));
}

TEST(EnvFile, CommentsBeginALineWithAHashOrASemicolon) {
  EXPECT_EQ(pairs_of("# A=1\n  ; B=2\nC=3\n"), (Pairs{{"C", "3"}}));
}

TEST(EnvFile, AfterAValueThereIsNoComment) {
  EXPECT_EQ(value_of("A=--x # note\n"), "--x # note");
  EXPECT_EQ(value_of("A=\"--x\" # note\n"), "--x# note");
}

TEST(EnvFile, ACommentThatEndsInABackslashSwallowsTheNextLineBefore254) {
  EXPECT_EQ(pairs_of("# note \\\nA=1\nB=2\n", 252), (Pairs{{"B", "2"}}));
  EXPECT_EQ(pairs_of("# note \\\nA=1\nB=2\n", 255), (Pairs{{"A", "1"}, {"B", "2"}}));
}

TEST(EnvFile, BlanksAroundTheNameAndUnquotedValueAreDropped) {
  EXPECT_EQ(value_of(" \tA \t= \t--x  --y \t\n"), "--x  --y");
}

TEST(EnvFile, FormFeedAndVerticalTabAreNoBlanks) { EXPECT_EQ(value_of("A=1\f\v\n"), "1\f\v"); }

TEST(EnvFile, ALineWithoutAnEqualsSignIsSkipped) {
  EXPECT_EQ(pairs_of("A\nB=2\n"), (Pairs{{"B", "2"}}));
}

TEST(EnvFile, AnInvalidNameIsDroppedAlone) {
  EXPECT_EQ(pairs_of("export A=1\nA-B=1\nA.B=1\n1A=1\n=1\n_a1=2\n"), (Pairs{{"_a1", "2"}}));
}

TEST(EnvFile, AByteOrderMarkSpoilsTheFirstName) {
  EXPECT_EQ(pairs_of("\xef\xbb\xbf"
                     "A=1\nB=2\n"),
            (Pairs{{"B", "2"}}));
}

TEST(EnvFile, AnEmptyValueIsAnAssignment) {
  EXPECT_EQ(pairs_of("A=\nB=\"\"\nC="), (Pairs{{"A", ""}, {"B", ""}, {"C", ""}}));
}

TEST(EnvFile, QuotesCountAtTheStartOfAValueOnly) {
  EXPECT_EQ(value_of("A=\"--x --y\"\n"), "--x --y");
  EXPECT_EQ(value_of("A='--x \"y\"'\n"), "--x \"y\"");
  EXPECT_EQ(value_of("A=--x=\"a b\"\n"), "--x=\"a b\"");
}

TEST(EnvFile, QuotedPiecesJoinAndTheBlanksBetweenThemVanish) {
  EXPECT_EQ(value_of("A=\"a b\"  'c'\n"), "a bc");
  EXPECT_EQ(value_of("A=\"--x\" --y\n"), "--x--y");
  EXPECT_EQ(value_of("A='it'\\''s'\n"), "it''s'");
}

TEST(EnvFile, ABackslashOutsideQuotesMakesTheNextByteLiteral) {
  EXPECT_EQ(value_of("A=a\\nb\\\\c\n"), "anb\\c");
  EXPECT_EQ(value_of("A=x\\ \n"), "x ");
}

TEST(EnvFile, ABackslashAtTheLineEndJoinsWithoutABlank) {
  EXPECT_EQ(value_of("A=a\\\nb\n"), "ab");
  EXPECT_EQ(value_of("A=\"a\\\nb\"\n"), "ab");
  EXPECT_EQ(value_of("A=\"x\" \\\n\"y\"\n"), "x\"y\"");
}

TEST(EnvFile, InSingleQuotesEverythingIsLiteral) {
  EXPECT_EQ(value_of("A='a\\\nb\\'\n"), "a\\\nb\\");
}

TEST(EnvFile, InDoubleQuotesABackslashEscapesFourCharacters) {
  EXPECT_EQ(value_of("A=\"\\\"\\\\\\`\\$\\n\"\n"), "\"\\`$\\n");
}

TEST(EnvFile, AQuoteMayStayOpenToTheEndOfTheFile) {
  EXPECT_EQ(value_of("A=\"--x\nB=2\n"), "--x\nB=2\n");
}

TEST(EnvFile, CrlfIsALineEndOutsideQuotesAndTextInside) {
  EXPECT_EQ(pairs_of("A=1\r\nB=2\r\n"), (Pairs{{"A", "1"}, {"B", "2"}}));
  EXPECT_EQ(value_of("A=\"1\r\n2\"\r\n"), "1\r\n2");
  EXPECT_EQ(pairs_of("A=1\\\r\nB=2\r\n"), (Pairs{{"A", "1"}, {"B", "2"}}));
}

TEST(EnvFile, BytesThatAreNotUtf8SpoilTheFileUnlessTheyStandInAComment) {
  EXPECT_EQ(pairs_of("# \xff\nA=1\n"), (Pairs{{"A", "1"}}));
  for (const std::string_view text : {"A=1\nB=\xff\n", "A=1\nB\xff=2\n"}) {
    const auto parsed = parse_env_file(text);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().kind, ErrorKind::kMalformed);
    EXPECT_EQ(parsed.error().line, 2u);
  }
}

TEST(EnvFile, ANulByteSpoilsTheFileWhereverItStands) {
  const auto parsed = parse_env_file("A=1\n# \0\n"sv);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().kind, ErrorKind::kMalformed);
  EXPECT_EQ(parsed.error().line, 2u);
}

TEST(EnvFile, ValueSpansCoverTheQuotesAndLeaveBlanksOut) {
  const std::string_view text = "A = \"--x\"  \nB=--y \t\nC='a'  \"b\"\nD=\n";
  const auto parsed = parse_env_file(text);
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 4u);
  const auto written = [&](std::size_t i) {
    return text.substr((*parsed)[i].value_at.begin, (*parsed)[i].value_at.size());
  };
  EXPECT_EQ(written(0), "\"--x\"");
  EXPECT_EQ(written(1), "--y");
  EXPECT_EQ(written(2), "'a'  \"b\"");
  EXPECT_EQ(written(3), "");
  EXPECT_EQ((*parsed)[0].name_at, (Span{0, 1}));
}

TEST(EnvFile, ValueSpansReachTheEndOfAFileThatStopsInAValue) {
  for (const std::string_view text : {"A= \"", "A= '", "A= \\", "A= x\\", "A= \"x\\", "A= 'x"}) {
    const auto parsed = parse_env_file(text);
    ASSERT_TRUE(parsed);
    ASSERT_EQ(parsed->size(), 1u);
    EXPECT_EQ((*parsed)[0].value_at, (Span{3, text.size()})) << text;
  }
}

TEST(EnvFile, EachByteOfAValueKnowsTheBytesThatMadeIt) {
  EXPECT_EQ(bytes_of("A=\"a\\\"b\"\n"), (std::vector<std::string>{"a", "\\\"", "b"}));
  EXPECT_EQ(bytes_of("A=a\\ b\r\n"), (std::vector<std::string>{"a", "\\ ", "b"}));
  EXPECT_EQ(bytes_of("A=\"a\\\nb\"'c'\n"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(bytes_of("A=\"\\n\"\n"), (std::vector<std::string>{"\\", "n"}));
}

TEST(EnvFile, FormsThatOldReleasesReadDifferentlyAreNoted) {
  EXPECT_EQ(forms_of("A='a\\b'\n"),
            (std::vector<systemd::Form>{systemd::Form::kBackslashInSingle}));
  EXPECT_EQ(forms_of("A=\"a\\$b\"\n"),
            (std::vector<systemd::Form>{systemd::Form::kBackslashInDouble}));
  EXPECT_EQ(forms_of("A=\"a\nb\"\n"), (std::vector<systemd::Form>{systemd::Form::kControlInValue}));
  EXPECT_TRUE(forms_of("A=\"--x='a b'\tc\"\n# \\\nB=a\\b\n").empty());
}

}  // namespace
}  // namespace kubelet_sysctl
