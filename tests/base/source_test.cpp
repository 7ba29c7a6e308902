// SPDX-License-Identifier: Apache-2.0
// Tests of lines and columns, mapped text, errors that name a place, and UTF-8.

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"

namespace kubelet_sysctl {
namespace {

TEST(Source, LinesAndColumnsCountFromOneInBytes) {
  const std::string_view text =
      "a\n\xC3\xA4"
      "b\n\nc";
  EXPECT_EQ(line_column(text, 0), (LineColumn{1, 1}));
  EXPECT_EQ(line_column(text, 1), (LineColumn{1, 2}));  // the line end belongs to its line
  EXPECT_EQ(line_column(text, 4), (LineColumn{2, 3}));
  EXPECT_EQ(line_column(text, 6), (LineColumn{3, 1}));
  EXPECT_EQ(line_column(text, 7), (LineColumn{4, 1}));
}

TEST(Source, AnOffsetPastTheEndCountsAsTheEnd) {
  EXPECT_EQ(line_column("ab\nc", 99), (LineColumn{2, 2}));
  EXPECT_EQ(line_column("", 99), (LineColumn{1, 1}));
  EXPECT_EQ(line_at("ab\nc", 99), "c");
}

TEST(Source, ALineIsGivenWithoutItsLineEnd) {
  EXPECT_EQ(line_at("ab\ncd\n", 0), "ab");
  EXPECT_EQ(line_at("ab\ncd\n", 2), "ab");
  EXPECT_EQ(line_at("ab\ncd\n", 3), "cd");
  EXPECT_EQ(line_at("ab\r\ncd", 1), "ab");
  EXPECT_EQ(line_at("\n\nx", 1), "");
}

TEST(Source, MappedTextKnowsTheBytesOfEachOfItsBytes) {
  MappedText text = mapped("ab", 3, 10);
  text.append("XY", {3, 20, 24});
  ASSERT_EQ(text.text, "abXY");
  EXPECT_EQ(text.at[1], (CharOrigin{3, 11, 12}));
  const MappedText part = text.sub(1, 3);
  EXPECT_EQ(part.text, "bX");
  ASSERT_EQ(part.at.size(), 2u);
  EXPECT_EQ(part.at[0], (CharOrigin{3, 11, 12}));
  EXPECT_EQ(part.at[1], (CharOrigin{3, 20, 24}));
  EXPECT_EQ(text.sub(3, 99).text, "Y");
}

TEST(Source, OriginsInRunsAreThoseOfEachByte) {
  // Places that follow each other, that repeat, that jump, and that are wider than a byte.
  const std::vector<CharOrigin> wanted = {
      {1, 4, 5},  {1, 5, 6},   {1, 5, 6},   {1, 5, 6},  {1, 6, 7},  {2, 7, 8},   {2, 8, 9},
      {1, 9, 11}, {1, 11, 13}, {1, 11, 13}, {-1, 0, 0}, {-1, 0, 0}, {1, 20, 22}, {1, 21, 23}};
  MappedText text;
  for (const CharOrigin& one : wanted) text.push('x', one);
  EXPECT_EQ(std::vector<CharOrigin>(text.at.begin(), text.at.end()), wanted);
  for (std::size_t begin = 0; begin <= wanted.size(); ++begin) {
    for (std::size_t end = begin; end <= wanted.size(); ++end) {
      MappedText part = text.sub(begin, end);
      part.append(text);
      std::vector<CharOrigin> both(wanted.begin() + static_cast<std::ptrdiff_t>(begin),
                                   wanted.begin() + static_cast<std::ptrdiff_t>(end));
      both.insert(both.end(), wanted.begin(), wanted.end());
      ASSERT_EQ(std::vector<CharOrigin>(part.at.begin(), part.at.end()), both)
          << begin << ' ' << end;
      part.at.resize(end - begin);
      part.append("ab", {3, 1, 2});
      EXPECT_EQ(part.at.size(), end - begin + 2);
      EXPECT_EQ(part.at.back(), (CharOrigin{3, 1, 2}));
    }
  }
}

TEST(Source, AnErrorNamesPathLineColumnAndShowsTheLine) {
  SourceFile file;
  file.path = "/etc/x";
  file.bytes = "first\nkey: value\n";
  const Error error = error_at(ErrorKind::kMalformed, file, {11, 16}, "bad", "fix it");
  EXPECT_EQ(error.kind, ErrorKind::kMalformed);
  EXPECT_EQ(error.path, "/etc/x");
  EXPECT_EQ(error.line, 2u);
  EXPECT_EQ(error.column, 6u);
  EXPECT_EQ(error.excerpt, "key: value");
  EXPECT_EQ(error.width, 5u);
  EXPECT_EQ(error.hint, "fix it");
}

TEST(Source, TheCaretStaysUnderTheLineThatIsShown) {
  SourceFile file;
  file.bytes = "ab\ncd\n";
  EXPECT_EQ(error_at(ErrorKind::kIo, file, {1, 6}, "").width, 1u);
  EXPECT_EQ(error_at(ErrorKind::kIo, file, {6, 6}, "").width, 1u);
}

// The rows are the boundaries of Unicode 15, table 3-7.
TEST(Source, Utf8IsWellFormedWithoutSurrogatesAndOverlongForms) {
  for (const std::string_view good : {"", "abc", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF",
                                      "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const std::string_view bad :
       {"\x80", "a\xFF", "\xC2", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE1\x80",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC2z"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

TEST(SharedText, CopiesAreOneTextUntilOneIsChanged) {
  const SharedText first = std::string("a text");
  SharedText second = first;
  EXPECT_EQ(second.data(), first.data());
  second.edit() += "!";
  EXPECT_EQ(first, "a text");
  EXPECT_EQ(second, "a text!");
}

TEST(SharedText, OneThatWasNeverSetIsEmpty) {
  SharedText text;
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(text, "");
  text.edit().push_back('a');
  EXPECT_EQ(text.str(), "a");
  text.clear();
  EXPECT_EQ(text, SharedText());
}

}  // namespace
}  // namespace kubelet_sysctl
