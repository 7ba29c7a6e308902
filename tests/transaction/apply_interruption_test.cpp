// SPDX-License-Identifier: Apache-2.0
// Signals and editors that come in the middle of a change.
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kArguments = "/etc/default/kubelet";

class Interruption : public ::testing::Test {
 protected:
  Interruption()
      : lab_(plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS",
                        "KUBELET_EXTRA_ARGS='--allowed-unsafe-sysctls=net.core.somaxconn'\n")) {
    lab_.services().boot();
    before_ = lab_.tree().files();
  }

  /// Something happens as the step that begins with `what` begins.
  void at(const std::string& what, std::function<void()> happens) {
    lab_.options.on_begin = [what, happens = std::move(happens)](const std::string& step) {
      if (step.starts_with(what)) happens();
    };
  }

  Lab lab_;
  std::map<std::string, std::string> before_;
};

TEST_F(Interruption, SignalAfterTheWriteLetsTheRunEndAndIsTold) {
  at("restart ", [this] { lab_.services().interrupt(); });
  auto outcome = lab_.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(ids_of(outcome->findings), (std::vector<std::string>{"signal-after-write"}));
}

TEST_F(Interruption, SignalOfARunThatIsRolledBackIsToldToo) {
  Misbehaviour bad;
  bad.only_with = "kernel.sem";
  bad.dies_after = Milliseconds(300);
  lab_.services().misbehave(bad);
  at("restart ", [this] { lab_.services().interrupt(); });
  auto outcome = lab_.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kRolledBack);
  EXPECT_EQ(ids_of(outcome->findings), (std::vector<std::string>{"signal-after-write"}));
  EXPECT_EQ(lab_.tree().files(), before_);
}

/// Signals that come in the window, each at a call of its own.
class InTheWindow : public Interruption {
 protected:
  void signals(int count) {
    lab_.options.on_wait = [this, count, sent = 0](const transaction::Wait& wait) mutable {
      if (wait.is_window && sent < count) {
        ++sent;
        lab_.services().interrupt();
      }
      waits_.push_back(wait);
    };
    lab_.options.on_signal = [this](const std::string& text) { answers_.push_back(text); };
  }

  std::vector<transaction::Wait> waits_;
  std::vector<std::string> answers_;
};

TEST_F(InTheWindow, TheFirstIsAnsweredAtOnceAndTheRunComesToItsEnd) {
  signals(1);
  auto outcome = lab_.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(answers_,
            (std::vector<std::string>{
                "files are written; finishing (at most 10 s), press again to roll back now"}));
}

TEST_F(InTheWindow, TheSecondRollsBackNow) {
  signals(2);
  auto outcome = lab_.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kRolledBack);
  EXPECT_EQ(outcome->cause->kind, ErrorKind::kInterrupted);
  EXPECT_TRUE(outcome->last_words.empty());
  EXPECT_EQ(lab_.tree().files(), before_);
  EXPECT_EQ(lab_.services().started_lists.back(), (std::vector<std::string>{"net.core.somaxconn"}));
  ASSERT_TRUE(outcome->evidence);
  EXPECT_EQ(outcome->evidence->health, "ok");
  // One window, that of the old kubelet; the other was left at once.
  EXPECT_LT(lab_.services().elapsed_ms(), 60'000 + 10'000 + 10'000);
}

TEST_F(InTheWindow, OnTheWayBackTheyAreAnsweredAndChangeNothing) {
  Misbehaviour bad;
  bad.only_with = "kernel.sem";
  bad.restart_fails = true;
  lab_.services().misbehave(bad);
  signals(3);
  auto outcome = lab_.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kRolledBack);
  ASSERT_FALSE(answers_.empty());
  EXPECT_EQ(answers_[0], "the old files are back; finishing (at most 10 s)");
  EXPECT_EQ(lab_.tree().files(), before_);
}

TEST_F(InTheWindow, NothingIsRolledBackWhereThatWasRuledOut) {
  lab_.options.rollback = false;
  signals(2);
  auto outcome = lab_.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(answers_[0], "files are written; finishing (at most 10 s)");
}

TEST_F(InTheWindow, EachWaitSaysHowFarItIs) {
  signals(0);
  ASSERT_TRUE(lab_.change(add({"kernel.sem"})));
  ASSERT_GE(waits_.size(), 3u);
  EXPECT_EQ(waits_.back().what, "watching health");
  EXPECT_EQ(waits_.back().most, Milliseconds(10000));
  EXPECT_GT(waits_.back().waited, waits_[waits_.size() - 2].waited);
}

TEST_F(Interruption, ASecondSignalLeavesARestartThatTakesItsTime) {
  lab_.options.on_wait = [this, sent = 0](const transaction::Wait& wait) mutable {
    if (wait.what.starts_with("restarting") && sent++ < 2) lab_.services().interrupt();
  };
  auto outcome = lab_.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kRolledBack);
  EXPECT_EQ(lab_.tree().files(), before_);
}

TEST_F(Interruption, SignalBetweenTheRecordAndTheFirstFileChangesNothing) {
  lab_.options.on_end = [this](const transaction::Step& step) {
    if (step.what == "keep the original bytes") lab_.services().interrupt();
  };
  auto outcome = lab_.change(add({"kernel.sem"}));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kInterrupted);
  EXPECT_EQ(lab_.tree().files(), before_);
  EXPECT_EQ(newest_record(lab_)->state, transaction::TransactionState::kRolledBack);
}

TEST_F(Interruption, EditorBetweenReadingAndCommitKeepsItsBytes) {
  const std::string theirs = lab_.tree().read(kArguments) + "# by hand\n";
  at("write ", [&] { lab_.services().write(kArguments, theirs); });
  auto outcome = lab_.change(add({"kernel.sem"}));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(outcome.error().path, kArguments);
  EXPECT_EQ(lab_.tree().read(kArguments), theirs);
  EXPECT_EQ(newest_record(lab_)->state, transaction::TransactionState::kRolledBack);
  EXPECT_TRUE(lab_.services().changes.empty());
}

}  // namespace
}  // namespace kubelet_sysctl
