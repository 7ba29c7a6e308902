// SPDX-License-Identifier: Apache-2.0
// What an operator reads of a change: what was done, seen and undone, and nothing unknown.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "support/reported.hpp"

namespace kubelet_sysctl {
namespace {

using reported::applied;
using ::testing::AllOf;
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

TEST(OutcomeText, AppliedSaysInOneLineWhatWasDoneAndSeen) {
  EXPECT_EQ(report::outcome_text(applied(), kPlain),
            "applied: 1 entry added and 1 entry removed, seen in the running kubelet (pid 27340), "
            "healthy for 10.0 s\n"
            "    kernel.msg*\n"
            "  - kernel.sem\n"
            "  + net.core.somaxconn\n"
            "  edited /etc/sysconfig/kubelet\n"
            "  process: pid 27340, started 2026-11-20T22:57:26Z\n"
            "  list: is in the arguments of the process\n"
            "  health: ok\n"
            "  transaction 20261120T225726Z-1\n");
}

TEST(OutcomeText, ARestartForTheListThatTheFilesHadIsSaidToBeOne) {
  transaction::Outcome outcome = applied();
  outcome.before = outcome.after;
  outcome.edits.clear();
  EXPECT_EQ(
      lines_of(report::outcome_text(outcome, kPlain))[0],
      "applied: the files had this list already, the kubelet was restarted, seen in the running "
      "kubelet (pid 27340), healthy for 10.0 s");
}

TEST(OutcomeText, ClaimsNoHealthAndNoSightThatTheEvidenceLacks) {
  transaction::Outcome outcome = applied();
  outcome.evidence->argv.reset();
  outcome.evidence->health = "off";
  const std::string text = report::outcome_text(outcome, kPlain);
  EXPECT_THAT(text, Not(HasSubstr("seen in")));
  EXPECT_THAT(text, Not(HasSubstr("healthy")));
  outcome.evidence.reset();
  EXPECT_THAT(report::outcome_text(outcome, kPlain), Not(HasSubstr("pid")));
}

TEST(OutcomeText, PlannedAndPendingSayThatNothingRunsWithItYet) {
  transaction::Outcome outcome = applied();
  outcome.kind = transaction::OutcomeKind::kPlanned;
  outcome.evidence.reset();
  std::string text = report::outcome_text(outcome, kPlain);
  EXPECT_THAT(text, StartsWith("planned: 1 entry would be added and 1 entry would be removed, the "
                               "kubelet would be restarted; nothing was written\n"));
  EXPECT_THAT(text, HasSubstr("  would edit /etc/sysconfig/kubelet\n"));
  outcome.kind = transaction::OutcomeKind::kPending;
  text = report::outcome_text(outcome, kPlain);
  EXPECT_THAT(text, HasSubstr("takes effect at the next start of the kubelet"));
}

transaction::Outcome failed(transaction::OutcomeKind kind) {
  transaction::Outcome outcome = applied();
  outcome.kind = kind;
  outcome.evidence->argv.reset();
  outcome.cause = Error{.kind = ErrorKind::kTimeout,
                        .message = "the kubelet ended 3 times",
                        .hint = "take the entry out of the wish"};
  outcome.last_words = {"the sysctls \"kernel.shm_\" are not known to be namespaced"};
  outcome.recognised = "an entry outside the namespaced groups";
  return outcome;
}

TEST(OutcomeText, RolledBackGivesTheCauseTheLastWordsAndTheMend) {
  const std::string text =
      report::outcome_text(failed(transaction::OutcomeKind::kRolledBack), kPlain);
  EXPECT_THAT(text, StartsWith("rolled back: the change failed, the files are as before, the "
                               "kubelet runs as pid 27340, healthy for 10.0 s\n"));
  EXPECT_EQ(lines_of(text)[1], "  cause: the kubelet ended 3 times");
  EXPECT_THAT(text, HasSubstr("  what was tried\n"));
  EXPECT_THAT(text, HasSubstr("  as before: /etc/sysconfig/kubelet\n"));
  EXPECT_THAT(text, HasSubstr("  cause: the kubelet ended 3 times\n"));
  EXPECT_THAT(text, HasSubstr("  recognised: an entry outside the namespaced groups\n"));
  EXPECT_THAT(text, HasSubstr("    | the sysctls \"kernel.shm_\" are not known"));
  EXPECT_THAT(text, HasSubstr("hint: take the entry out of the wish\n"));
}

TEST(OutcomeText, AKubeletThatWasNotHealthyBeforeIsNeverSaidToBeRestored) {
  transaction::Outcome outcome = failed(transaction::OutcomeKind::kRolledBack);
  outcome.was_down = true;
  outcome.evidence.reset();
  const std::string text = report::outcome_text(outcome, kPlain);
  EXPECT_THAT(text, HasSubstr("the kubelet was not healthy before this run either"));
  EXPECT_THAT(lines_of(text)[0], HasSubstr("no healthy one was restored"));
  EXPECT_THAT(lines_of(text)[0], Not(HasSubstr("seen in the running kubelet")));
}

TEST(OutcomeText, StrandedSaysTheWordAndEndsInTheCommandsToType) {
  transaction::Outcome outcome = failed(transaction::OutcomeKind::kStranded);
  outcome.commands = {"systemctl daemon-reload", "systemctl restart kubelet.service"};
  outcome.on_disk = {{.path = "/etc/sysconfig/kubelet", .holds = transaction::FileHolds::kNew}};
  const std::string text = report::outcome_text(outcome, kPlain);
  EXPECT_THAT(text, StartsWith("STRANDED: "));
  EXPECT_THAT(text, HasSubstr("  holds the new bytes: /etc/sysconfig/kubelet\n"));
  EXPECT_THAT(text, ::testing::EndsWith("type these:\n  systemctl daemon-reload\n"
                                        "  systemctl restart kubelet.service\n"));
}

// The step that failed, the cause and the words of the kubelet were the same sentence three times.
TEST(OutcomeText, TheCauseIsSaidOnce) {
  transaction::Outcome outcome = failed(transaction::OutcomeKind::kRolledBack);
  outcome.steps = {{.what = "confirm the list in the running kubelet",
                    .milliseconds = 300,
                    .error = Error{.message = "the kubelet ended 3 times"}}};
  const std::string text = report::outcome_text(outcome, kPlain);
  EXPECT_EQ(text.find("the kubelet ended 3 times"), text.rfind("the kubelet ended 3 times"));
}

TEST(OutcomeText, ARollBackThatASignalAskedForIsNoFailureOfTheChange) {
  transaction::Outcome outcome = failed(transaction::OutcomeKind::kRolledBack);
  outcome.cause = Error{.kind = ErrorKind::kInterrupted, .message = "a second signal"};
  const std::string text = report::outcome_text(outcome, kPlain);
  EXPECT_THAT(text,
              StartsWith("rolled back: a second signal asked for it; the files are as before"));
  EXPECT_EQ(text.find("a second signal"), text.rfind("a second signal"));
}

TEST(OutcomeJson, SaysWhatEachFileHoldsHowTheKubeletIsAndTheExitCode) {
  EXPECT_THAT(reported::outcome_json(applied(), 0),
              ::testing::AllOf(
                  HasSubstr("\"onDisk\":[{\"file\":\"/etc/sysconfig/kubelet\",\"holds\":\"new\"}]"),
                  HasSubstr("\"healthy\":true"), HasSubstr("\"inProgress\":null"),
                  HasSubstr("\"exit\":0")));
  EXPECT_THAT(reported::outcome_json(failed(transaction::OutcomeKind::kRolledBack), 4),
              ::testing::AllOf(HasSubstr("\"holds\":\"restored\""), HasSubstr("\"exit\":4")));
}

TEST(StepText, IsInThePastTenseWhereItWorked) {
  transaction::Step step = {.what = "restart kubelet.service",
                            .milliseconds = 41,
                            .error = std::nullopt,
                            .done = "restarted kubelet (pid 7)"};
  EXPECT_EQ(report::step_text(step, kPlain), "  restarted kubelet (pid 7)  41 ms\n");
}

TEST(StepText, GivesTheTimeAndTheFailure) {
  EXPECT_EQ(report::step_text({"restart kubelet.service", 41, std::nullopt}, kPlain),
            "  restart kubelet.service  41 ms\n");
  EXPECT_EQ(report::step_text({"reload", 2300, Error{.message = "it timed out"}}, kPlain),
            "  reload  2.3 s  failed: it timed out\n");
}

TEST(OutcomeText, OfATrialSaysWhenItEndsAndHowItIsKept) {
  transaction::Outcome outcome;
  outcome.kind = transaction::OutcomeKind::kApplied;
  outcome.transaction = "20261120T225726Z-1";
  EXPECT_THAT(reported::outcome_json(outcome), HasSubstr("\"trial\":null,\"recovered\":[]"));
  EXPECT_THAT(report::outcome_text(outcome, kPlain), Not(HasSubstr("trial")));
  outcome.trial_until_ms = 1795215446000;
  outcome.recovered = {"20261119T120000Z-1"};
  EXPECT_THAT(report::outcome_text(outcome, kPlain),
              AllOf(StartsWith("ON TRIAL until 2026-11-20T22:57:26Z: "),
                    HasSubstr("\n  to keep it, run: kubelet-sysctl keep 20261120T225726Z-1\n")));
  EXPECT_THAT(reported::outcome_json(outcome),
              HasSubstr("\"trial\":{\"until\":\"2026-11-20T22:57:26Z\"},"
                        "\"recovered\":[\"20261119T120000Z-1\"]"));
  outcome.kind = transaction::OutcomeKind::kRolledBack;
  EXPECT_THAT(report::outcome_text(outcome, kPlain), Not(HasSubstr("trial")));
}

}  // namespace
}  // namespace kubelet_sysctl
