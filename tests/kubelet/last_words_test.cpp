// SPDX-License-Identifier: Apache-2.0
// The line that says why a kubelet ended comes before the others.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/kubelet/last_words.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"

namespace kubelet_sysctl {
namespace {

std::string told(const std::vector<std::string>& words, bool verbose = true) {
  transaction::Outcome outcome;
  outcome.kind = transaction::OutcomeKind::kRolledBack;
  outcome.last_words = words;
  const std::string text = report::outcome_text(outcome, {.verbose = verbose});
  const std::size_t begin = text.find("last words");
  return text.substr(text.find('\n', begin) + 1);
}

const std::vector<std::string> kWords = {
    "I1130 10:00:00.000001 1 server.go:1] \"starting\"",
    "E1130 10:00:00.000002 1 cri.go:1] \"survived\"",
    "E1130 10:00:00.000003 1 run.go:72] \"command failed\" err=<",
    "\tfailed to run Kubelet: x",
    " >",
    "W1130 10:00:00.000004 1 late.go:1] \"late\""};

TEST(LastWords, TheErrorThatEndedItComesFirstWithItsOwnLines) {
  const std::string text = told(kWords);
  EXPECT_TRUE(text.starts_with("    | E1130 10:00:00.000003")) << text;
  EXPECT_LT(text.find("failed to run Kubelet: x"), text.find("starting"));
  EXPECT_LT(text.find("starting"), text.find("survived"));
  EXPECT_NE(text.find("late"), std::string::npos);
}

TEST(LastWords, WithoutAnErrorTheyStayInTheirOrder) {
  const std::string text = told({"first", "I1130 10:00:00.000001 1 a.go:1] second"});
  EXPECT_LT(text.find("first"), text.find("second"));
}

TEST(LastWords, OnlyTheErrorThatEndedItIsShownWithoutVerbose) {
  const std::string text = told(kWords, false);
  EXPECT_TRUE(text.starts_with("    | E1130 10:00:00.000003")) << text;
  EXPECT_NE(text.find("failed to run Kubelet: x"), std::string::npos);
  for (const char* other : {"starting", "survived", "late"}) {
    EXPECT_EQ(text.find(other), std::string::npos) << text;
  }
}

TEST(LastWords, WithoutAnErrorTheLineThatIsKnownIsShownOrElseTheLast) {
  EXPECT_EQ(kubelet::reason_of({"Error: unknown flag: --bogus", "Usage:", "  kubelet [flags]"}),
            (std::vector<std::string>{"Error: unknown flag: --bogus"}));
  EXPECT_EQ(kubelet::reason_of({"first", "last"}), (std::vector<std::string>{"last"}));
  EXPECT_TRUE(kubelet::reason_of({}).empty());
}

// As kubelet 1.20.2 ends over such an entry: klog.Fatal says why, and then where every goroutine was.
TEST(LastWords, AReasonAboveTheStacksOfAnOldKubeletIsFound) {
  const std::string reason =
      "F1130 10:00:00.000004       1 server.go:269] failed to run Kubelet: the sysctl "
      "\"vm.swappiness\" are not "
      "known to be namespaced";
  std::vector<std::string> lines = {"I1130 10:00:00.000001       1 server.go:416] Version: v1.20.2",
                                    reason};
  for (int i = 1; i <= 300; ++i) {
    lines.push_back("goroutine " + std::to_string(i) + " [select]:");
    lines.insert(lines.end(), {"k8s.io/klog.(*loggingT).flushDaemon(0x70c5a40)",
                               "\t/go/src/k8s.io/klog/klog.go:1131 +0x8b", ""});
  }
  const auto words = kubelet::said_last(lines, 15);
  EXPECT_EQ(words, (std::vector<std::string>{lines[0], reason}));
  EXPECT_EQ(kubelet::reason_of(words), (std::vector<std::string>{reason}));
  lines.push_back("I1130 10:00:01.000001       7 server.go:416] Version: v1.20.2");
  EXPECT_EQ(kubelet::said_last(lines, 15).size(), 3U);
  EXPECT_EQ(kubelet::said_last({"a", "b", "c"}, 2), (std::vector<std::string>{"b", "c"}));
}

TEST(Recognise, KnowsTheKubeletsOwnWords) {
  EXPECT_EQ(kubelet::recognise({"I1120 noise",
                                "E1120 run.go:74] \"command failed\" err=\"failed to run "
                                "Kubelet: failed to create kubelet: the sysctls "
                                "\\\"vm.max_map_count\\\" are not known to be namespaced\""}),
            "an entry of the list is outside the namespaced groups");
  EXPECT_EQ(kubelet::recognise({"lenient decoding as strict decoding failed"}), "");
}

}  // namespace
}  // namespace kubelet_sysctl
