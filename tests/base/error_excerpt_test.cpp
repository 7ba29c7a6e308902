// SPDX-License-Identifier: Apache-2.0
// The line of a file that an error shows: how much of it, and where its caret is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/report/report.hpp"

namespace kubelet_sysctl {
namespace {

using testing::HasSubstr;
using testing::Not;

const TextStyle kPlain;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) lines.push_back(line);
  return lines;
}

TEST(ErrorExcerpt, ShowsNoMoreThanTwoHundredBytesOfALineWhateverItHolds) {
  for (const char* piece : {"a", "\u00E9", "\U0001F600", "\x1b", "\u202E", "\xff", "a\x1b\u00E9"}) {
    std::string line;
    while (line.size() < 4000) line += piece;
    for (const std::size_t column : {std::size_t{1}, line.size() / 2 + 1, line.size()}) {
      const Error error{.message = "m", .path = "/f", .line = 1, .column = column, .excerpt = line};
      const auto lines = lines_of(report::error_text(error, kPlain));
      ASSERT_EQ(lines.size(), 3u);
      EXPECT_LE(lines[1].size() - 2, 200u) << piece << " at " << column;
      EXPECT_GE(lines[1].size(), 80u) << piece << " at " << column;
      EXPECT_THAT(lines[1] + lines[2], Not(HasSubstr("\x1b")));
      EXPECT_LE(lines[2].size(), 110u);
    }
  }
}

TEST(ErrorExcerpt, TheCaretStandsUnderThePlaceAfterCharactersThatAreShownAsBytes) {
  const Error error{
      .message = "m", .path = "/f", .line = 1, .column = 6, .excerpt = "a\x1b\u202EXY", .width = 2};
  const auto lines = lines_of(report::error_text(error, kPlain));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[1], "  a\\x1b\\xe2\\x80\\xaeXY");
  EXPECT_EQ(lines[2], std::string(2 + 1 + 4 + 12, ' ') + "^~");
}

}  // namespace
}  // namespace kubelet_sysctl
