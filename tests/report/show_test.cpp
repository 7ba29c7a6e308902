// SPDX-License-Identifier: Apache-2.0
// What an operator reads of errors, findings, the list and the command line: places, carets, and
// nothing unknown.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "support/reported.hpp"

namespace kubelet_sysctl {
namespace {

using reported::Node;
using reported::running_node;
using reported::short_command;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const TextStyle kPlain{};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// The example of the house style, section 5.
TEST(ErrorText, PutsThePlaceFirstThenTheLineWithItsCaretThenTheHint) {
  const Error error{.kind = ErrorKind::kUnsupported,
                    .message = "will not edit this list: part of it comes from '${EXTRA}'",
                    .path = "/etc/systemd/system/kubelet.service",
                    .line = 9,
                    .column = 55,
                    .excerpt = "ExecStart=/usr/bin/kubelet --allowed-unsafe-sysctls=a,${EXTRA}",
                    .hint = "set EXTRA in '/etc/default/kubelet'"};
  EXPECT_EQ(report::error_text(error, kPlain),
            "kubelet-sysctl: error: /etc/systemd/system/kubelet.service:9:55: will not edit this "
            "list: part of it comes from '${EXTRA}'\n"
            "  ExecStart=/usr/bin/kubelet --allowed-unsafe-sysctls=a,${EXTRA}\n"
            "                                                        ^\n"
            "hint: set EXTRA in '/etc/default/kubelet'\n");
}

TEST(ErrorText, WithoutAPlaceOrAHintIsOneLine) {
  EXPECT_EQ(report::error_text(Error{.message = "no systemd here"}, kPlain),
            "kubelet-sysctl: error: no systemd here\n");
}

TEST(ErrorText, TheCaretStandsUnderThePlaceAlsoAfterTabsAndWideCharacters) {
  const std::string before = "\té=";  // four bytes, three columns
  const Error error{.message = "m",
                    .path = "/f",
                    .line = 1,
                    .column = before.size() + 1,
                    .excerpt = before + "XY z",
                    .width = 2};
  const auto lines = lines_of(report::error_text(error, kPlain));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[1], "   é=XY z");
  EXPECT_EQ(lines[2], "     ^~");
}

TEST(ErrorText, ALongLineIsShownInAWindowAroundThePlace) {
  const std::string secret = "--token=abcdef";
  std::string line = secret + std::string(2000, ' ') + "HERE" + std::string(2000, 'y');
  const std::size_t at = line.find("HERE");
  const Error error{.message = "m", .path = "/f", .line = 1, .column = at + 1, .excerpt = line};
  const auto lines = lines_of(report::error_text(error, kPlain));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[1], Not(HasSubstr(secret)));
  EXPECT_THAT(lines[1], StartsWith("  ..."));
  EXPECT_LE(lines[1].size(), 110u);  // two marks of three bytes each
  EXPECT_EQ(lines[1].substr(lines[2].find('^'), 4), "HERE");
}

TEST(ErrorText, ShowsTextThatChangesHowOtherTextIsReadAsBytes) {
  const std::string shown =
      report::error_text({.message = "\u202Ea\u2066b\u200Bc\u2028d\uFEFF \u00E9"}, kPlain);
  EXPECT_THAT(shown, HasSubstr("\\xe2\\x80\\xaea\\xe2\\x81\\xa6b\\xe2\\x80\\x8bc"
                               "\\xe2\\x80\\xa8d\\xef\\xbb\\xbf \u00E9"));
}

TEST(ErrorText, LetsNoEscapeSequenceOfAFileReachTheTerminal) {
  const Error error{.message = "bad \x1b[2J here",
                    .path = "/f\n",
                    .line = 1,
                    .column = 1,
                    .excerpt = "a\x1b[2Jb\xff"};
  const std::string text = report::error_text(error, kPlain);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("bad \\x1b[2J here"));
  EXPECT_EQ(lines_of(text).size(), 3u);
}

TEST(ErrorText, HasColourOnlyWhenAsked) {
  TextStyle colour;
  colour.colour = true;
  EXPECT_THAT(report::error_text(Error{.message = "m"}, colour), HasSubstr("\x1b["));
  EXPECT_THAT(report::error_text(Error{.message = "m"}, kPlain), Not(HasSubstr("\x1b")));
}

TEST(FindingText, SaysItsSeverityPlaceAndId) {
  Finding finding;
  finding.id = "shadowed-list";
  finding.severity = Severity::kWarning;
  finding.message = "2 entries here are not in force";
  finding.path = "/etc/config.yaml";
  finding.line = 7;
  finding.hint = "do this";
  EXPECT_EQ(report::finding_text(finding, kPlain),
            "kubelet-sysctl: warning: /etc/config.yaml:7: 2 entries here are not in force "
            "[shadowed-list]\nhint: do this\n");
}

TEST(ShowText, SaysWhoSetsTheListWhatIsShadowedAndHowTheRunningListIsKnown) {
  const Node node = running_node();
  EXPECT_EQ(
      reported::show_text(node, kPlain),
      "ok: the kubelet is healthy and has the configured list, 2 entries\n"
      "\n"
      "kubelet.service  -  running, pid 27340, started 2026-11-20T22:57:26Z (12 s ago), healthy\n"
      "\n"
      "configured  2 entries, set by the flag on the command line\n"
      "  kernel.msg*         /etc/sysconfig/kubelet:1  $DAEMON_ARGS\n"
      "  net.core.somaxconn  /etc/sysconfig/kubelet:1  $DAEMON_ARGS\n"
      "\n"
      "shadowed    1 entry in the configuration file at /var/lib/kubelet/config.yaml:31: NOT "
      "in force\n"
      "  net.ipv4.tcp_rmem  /var/lib/kubelet/config.yaml:32\n"
      "\n"
      "running     the same, read from the arguments of the process\n");
}

TEST(ShowText, DriftNamesTheDifferenceAndTheCommandThatMendsIt) {
  Node node = running_node();
  node.model.drift = true;
  node.model.running->entries = {{"kernel.msg*", "kernel.sem"}};
  ports::UnitState state;
  state.needs_reload = true;
  node.snapshot.state = state;
  EXPECT_THAT(
      reported::show_text(node, kPlain),
      StartsWith("drift: the kubelet is healthy, but its list is not the configured one: it lacks "
                 "'net.core.somaxconn' and still allows 'kernel.sem'; run: systemctl "
                 "daemon-reload && systemctl restart kubelet.service\n"));
}

TEST(ShowText, ClaimsNothingAboutAListThatCannotBeTold) {
  Node node = running_node();
  node.model.running->evidence = model::RunningList::Evidence::kNone;
  node.model.running->entries.reset();
  const std::string text = reported::show_text(node, kPlain);
  EXPECT_THAT(text, HasSubstr("running     unknown: "));
  EXPECT_THAT(text, StartsWith("unknown: the kubelet is healthy, its list is unknown"));
}

TEST(ShowText, AnEmptyListIsSaidToBeNone) {
  Node node;
  node.snapshot.live = true;
  ports::UnitState state;
  state.active_state = "inactive";
  state.sub_state = "dead";
  node.snapshot.state = state;
  const std::string text = reported::show_text(node, kPlain);
  EXPECT_THAT(text, HasSubstr("not running (inactive/dead)"));
  EXPECT_THAT(text, HasSubstr("configured  (none)\n"));
  EXPECT_THAT(text, StartsWith("down: the kubelet does not run\n"));
}

TEST(ExplainText, GivesEachWordItsPlaceAndVariableAndListsTheUnsetOnes) {
  EXPECT_EQ(report::explain_text(nodes::NodeSnapshot{}, short_command(), kPlain),
            "/usr/lib/systemd/system/kubelet.service:8                /usr/local/bin/kubelet\n"
            "/etc/sysconfig/kubelet:1                   $DAEMON_ARGS  --v=2\n"
            "/etc/sysconfig/kubelet:1                   $DAEMON_ARGS  ''\n"
            "\n"
            "unset  nothing sets these variables of the command: $KUBELET_EXTRA_ARGS\n");
}

TEST(ErrorText, PutsTheDetailAfterTheHintTwoColumnsIn) {
  const Error error{.message = "m", .hint = "h", .detail = "- a\n+ b\n"};
  EXPECT_EQ(report::error_text(error, kPlain), "kubelet-sysctl: error: m\nhint: h\n  - a\n  + b\n");
  EXPECT_THAT(report::error_json(error), HasSubstr("\"detail\":\"- a\\n+ b\\n\""));
  EXPECT_THAT(report::error_json(Error{.message = "m"}), HasSubstr("\"detail\":null"));
}

}  // namespace
}  // namespace kubelet_sysctl
