// SPDX-License-Identifier: Apache-2.0
// Text as Go's %q writes it.
#include <string>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/go_text.hpp"

namespace kubelet_sysctl {
namespace {

// Source: the examples and the tests of strconv.Quote (Go src/strconv/quote_test.go, quotetests).
TEST(GoText, IsQuotedAsStrconvDoes) {
  EXPECT_EQ(go_quoted("\a\b\f\r\n\t\v"), R"("\a\b\f\r\n\t\v")");
  EXPECT_EQ(go_quoted("\\"), R"("\\")");
  EXPECT_EQ(go_quoted("abc\xff"
                      "def"),
            R"("abc\xffdef")");
  EXPECT_EQ(go_quoted("☺"), "\"☺\"");
  EXPECT_EQ(go_quoted("\xf4\x8f\xbf\xbf"), R"("\U0010ffff")");
  EXPECT_EQ(go_quoted("\x04"), R"("\x04")");
  EXPECT_EQ(go_quoted("!\u00a0!\u2000!\u3000!"), R"("!\u00a0!\u2000!\u3000!")");
  EXPECT_EQ(go_quoted("\x7f"), R"("\x7f")");
}

TEST(GoText, EscapesTheDoubleQuoteAndNoOther) { EXPECT_EQ(go_quoted("a'b\"c`d"), R"("a'b\"c`d")"); }

}  // namespace
}  // namespace kubelet_sysctl
