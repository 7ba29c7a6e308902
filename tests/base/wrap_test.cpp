// SPDX-License-Identifier: Apache-2.0
// Lines that are wider than a terminal: where they may be broken, and where they may not.
#include "kubelet_sysctl/base/wrap.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace kubelet_sysctl {
namespace {

TEST(Wrapped, AQuotedTextEndsBeforeAQuestionMark) {
  EXPECT_EQ(wrapped("did you mean 'net.core.*'? else add '--force'\n", 26),
            "did you mean 'net.core.*'?\n  else add '--force'\n");
}

TEST(Wrap, BreaksBetweenWordsAndGoesOnTwoColumnsFurtherIn) {
  EXPECT_EQ(wrapped("one two three\n", 8), "one two\n  three\n");
  EXPECT_EQ(wrapped("  one two three\n", 10), "  one two\n    three\n");
  EXPECT_EQ(wrapped("a  b\nc\n", 4), "a  b\nc\n");
}

TEST(Wrap, WithoutAWidthTheTextStaysAsItIs) {
  const std::string text(300, 'x');
  EXPECT_EQ(wrapped(text + " y\n", 0), text + " y\n");
}

TEST(Wrap, AWordThatIsTooWideStaysWhole) {
  EXPECT_EQ(wrapped("see /etc/systemd/system now\n", 10), "see\n  /etc/systemd/system\n  now\n");
}

TEST(Wrap, ACommandIsNeverBroken) {
  EXPECT_EQ(wrapped("drift: yes; run: systemctl restart kubelet.service; then look\n", 24),
            "drift: yes; run:\n  systemctl restart kubelet.service;\n  then look\n");
  EXPECT_EQ(wrapped("say 'kubelet-sysctl keep 1' or not\n", 12),
            "say\n  'kubelet-sysctl keep 1'\n  or not\n");
  EXPECT_EQ(wrapped("type these:\n  cp -a /a/very/long /b\n", 10),
            "type these:\n  cp -a /a/very/long /b\n");
}

TEST(Wrap, ANumberStaysWithItsUnit) {
  EXPECT_EQ(wrapped("pid 86, healthy for 10.0 s\n", 24), "pid 86, healthy for\n  10.0 s\n");
  EXPECT_EQ(wrapped("ended (after 4 min, 2 s) so\n", 12), "ended (after\n  4 min,\n  2 s) so\n");
  EXPECT_EQ(filled("waits at most 30 seconds more", 17),
            (std::vector<std::string>{"waits at most", "30 seconds more"}));
}

TEST(Wrap, ANumberWithoutAUnitIsAWord) {
  EXPECT_EQ(wrapped("the kubelet is 1234 small\n", 20), "the kubelet is 1234\n  small\n");
  EXPECT_EQ(wrapped("one line of v1.2 s\n", 16), "one line of v1.2\n  s\n");
}

TEST(Wrap, AnApostropheInAWordOpensNoQuote) {
  EXPECT_EQ(wrapped("the kubelet's last words are 'a b'\n", 18),
            "the kubelet's last\n  words are 'a b'\n");
}

TEST(Wrap, TheLineOfAFileAndItsCaretStayTogether) {
  const std::string text = "  ExecStart=/usr/bin/kubelet --a\n              ^~~~\n";
  EXPECT_EQ(wrapped(text, 12), text);
}

TEST(Wrap, ColoursTakeNoColumns) {
  EXPECT_EQ(wrapped("\x1b[33mone two\x1b[0m\n", 7), "\x1b[33mone two\x1b[0m\n");
}

}  // namespace
}  // namespace kubelet_sysctl
