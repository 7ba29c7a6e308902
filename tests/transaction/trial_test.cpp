// SPDX-License-Identifier: Apache-2.0
// Changes on trial: kept, over, cut short, overtaken, outlived by a boot.
#include <gtest/gtest.h>

#include <algorithm>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/recover.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kArguments = "/etc/default/kubelet";
constexpr const char* kBootUnit = "/etc/systemd/system/kubelet-sysctl-recover.service";
using Entries = std::vector<std::string>;
const Entries kOld = {"net.core.somaxconn"};

class TrialTest : public ::testing::Test {
 protected:
  TrialTest()
      : lab_(plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS",
                        "KUBELET_EXTRA_ARGS='--allowed-unsafe-sysctls=net.core.somaxconn'\n")) {
    lab_.tree().write("/proc/sys/kernel/random/boot_id", "boot-0\n");
    lab_.services().boot();
    before_ = lab_.tree().files();
    lab_.options.program = "/usr/local/bin/kubelet-sysctl";
    lab_.options.trial = Milliseconds(600000);
  }

  Result<transaction::Outcome> begin() {
    auto outcome = lab_.change(add({"kernel.sem"}));
    lab_.options.trial.reset();
    return outcome;
  }

  /// What the manager does at the time of a timer.
  void fire() {
    ports::Ports ports = lab_.ports();
    ports.clock.wait_until(ports.clock.now() + Milliseconds(600000), 0);
    for (const FakeTimer& timer : lab_.services().due_timers()) {
      ASSERT_EQ(timer.command.at(2), "--end-trial");
      auto ended = lab_.recover(timer.command.at(3));
      ASSERT_TRUE(ended) << ended.error().message;
    }
  }

  transaction::TransactionState state_of(const std::string& id) {
    ports::Ports ports = lab_.ports();
    auto record = transaction::load_transaction(ports, id);
    EXPECT_TRUE(record);
    return record ? record->state : transaction::TransactionState::kPlanned;
  }

  Lab lab_;
  std::map<std::string, std::string> before_;
};

TEST_F(TrialTest, IsArmedBeforeTheFirstFileChanges) {
  bool armed = false;
  lab_.options.on_begin = [&](const std::string& what) {
    if (what.starts_with("write ")) armed = lab_.services().timers.size() == 1;
  };
  auto outcome = begin();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_TRUE(armed);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied);
  EXPECT_GT(outcome->trial_until_ms, 0);
  EXPECT_EQ(state_of(outcome->transaction), transaction::TransactionState::kTrial);
  EXPECT_TRUE(lab_.services().enabled_units.contains("kubelet-sysctl-recover.service"));
}

TEST_F(TrialTest, EndsByItsTimerAndLeavesNothingBehind) {
  auto outcome = begin();
  ASSERT_TRUE(outcome);
  fire();
  EXPECT_EQ(lab_.tree().files(), before_);
  EXPECT_EQ(lab_.services().started_lists.back(), kOld);
  EXPECT_EQ(state_of(outcome->transaction), transaction::TransactionState::kRolledBack);
  EXPECT_EQ(newest_record(lab_)->undoes, outcome->transaction);
  EXPECT_TRUE(lab_.services().timers.empty());
  EXPECT_TRUE(lab_.services().enabled_units.empty());
  EXPECT_FALSE(lab_.tree().exists(kBootUnit));
}

TEST_F(TrialTest, IsFinalOnceKept) {
  auto outcome = begin();
  ASSERT_TRUE(outcome);
  ports::Ports ports = lab_.ports();
  auto record = transaction::load_transaction(ports, outcome->transaction);
  ASSERT_TRUE(record);
  transaction::Outcome kept;
  ASSERT_TRUE(transaction::keep_trial(ports, *record, kept));
  EXPECT_TRUE(kept.findings.empty());
  EXPECT_TRUE(lab_.services().timers.empty());
  EXPECT_FALSE(lab_.tree().exists(kBootUnit));
  // A timer that fired just before finds nothing to end.
  auto late = lab_.recover(outcome->transaction);
  ASSERT_TRUE(late);
  EXPECT_TRUE(late->empty());
  EXPECT_EQ(lab_.services().started_lists.back(), (Entries{"net.core.somaxconn", "kernel.sem"}));
  EXPECT_FALSE(transaction::keep_trial(ports, *record, kept))
      << "a change that is no trial was kept";
}

TEST_F(TrialTest, OfARunThatWasKilledIsUndoneByItsTimer) {
  for (const char* step : {"write ", "restart "}) {
    lab_.die_after(step);
    static_cast<void>(begin());
    lab_.live();
    ASSERT_EQ(lab_.services().timers.size(), 1u) << step;
    fire();
    EXPECT_EQ(lab_.tree().files(), before_) << step;
    EXPECT_EQ(lab_.services().started_lists.back(), kOld) << step;
    EXPECT_FALSE(lab_.tree().exists(kBootUnit)) << step;
    lab_.options.trial = Milliseconds(600000);
  }
}

TEST_F(TrialTest, RunsOnWhenARecoveryConfirmsItInTime) {
  lab_.die_after("restart ");
  static_cast<void>(begin());
  lab_.live();
  auto recovered = lab_.recover();
  ASSERT_TRUE(recovered);
  ASSERT_EQ(recovered->size(), 1u);
  EXPECT_EQ(recovered->front().transaction.state, transaction::TransactionState::kTrial);
  EXPECT_EQ(lab_.services().timers.size(), 1u);
  fire();
  EXPECT_EQ(lab_.tree().files(), before_);
}

TEST_F(TrialTest, IsOverAfterABoot) {
  auto outcome = begin();
  ASSERT_TRUE(outcome);
  auto early = lab_.recover();
  ASSERT_TRUE(early);
  EXPECT_TRUE(early->empty()) << "a trial that runs was ended";
  lab_.services().timers.clear();  // transient: gone with the boot
  lab_.reboot();
  auto recovered = lab_.recover();
  ASSERT_TRUE(recovered) << recovered.error().message;
  EXPECT_EQ(recovered->size(), 1u);
  EXPECT_EQ(lab_.tree().files(), before_);
  EXPECT_EQ(lab_.services().started_lists.back(), kOld);
}

TEST_F(TrialTest, LeavesALaterChangeAlone) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(lab_.change(add({"kernel.shmmax"})));
  fire();
  EXPECT_EQ(lab_.services().started_lists.back(), (Entries{"net.core.somaxconn", "kernel.shmmax"}));
}

TEST_F(TrialTest, UndoneByHandIsOver) {
  auto outcome = begin();
  ASSERT_TRUE(outcome);
  ASSERT_TRUE(lab_.undo(outcome->transaction));
  EXPECT_EQ(state_of(outcome->transaction), transaction::TransactionState::kRolledBack);
  EXPECT_TRUE(lab_.services().timers.empty());
  EXPECT_FALSE(lab_.tree().exists(kBootUnit));
}

TEST_F(TrialTest, WhatCouldNotBeTakenAwayIsSaid) {
  auto outcome = begin();
  ASSERT_TRUE(outcome);
  // The record of the undo and that of the trial are written by two calls each; the fifth is the first
  // about the unit for the next boot.
  lab_.options.on_end = [this](const transaction::Step& step) {
    if (!step.what.starts_with("confirm the list")) return;
    lab_.faults().fail(5, Calls::kChanging, Error{.kind = ErrorKind::kIo, .message = "no"});
  };
  auto undone = lab_.undo(outcome->transaction);
  ASSERT_TRUE(undone);
  ASSERT_TRUE(lab_.faults().has_failed());
  const auto ids = ids_of(undone->findings);
  EXPECT_NE(std::find(ids.begin(), ids.end(), "trial-not-disarmed"), ids.end());
  // The next recovery takes it away.
  lab_.live();
  EXPECT_TRUE(lab_.tree().exists(kBootUnit));
  ASSERT_TRUE(lab_.recover());
  EXPECT_FALSE(lab_.tree().exists(kBootUnit));
}

TEST_F(TrialTest, ThatIsRolledBackAtOnceLeavesNothingArmed) {
  Misbehaviour bad;
  bad.only_with = "kernel.sem";
  bad.dies_after = Milliseconds(300);
  lab_.services().misbehave(bad);
  auto outcome = begin();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kRolledBack);
  EXPECT_TRUE(lab_.services().timers.empty());
  EXPECT_TRUE(lab_.services().enabled_units.empty());
  EXPECT_EQ(lab_.tree().files(), before_);
}

TEST_F(TrialTest, DoesNotBeginWithoutAPathToComeBackTo) {
  lab_.options.program = "/opt/a b/kubelet-sysctl";
  auto outcome = begin();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(lab_.tree().files(), before_);
  EXPECT_EQ(newest_record(lab_)->state, transaction::TransactionState::kRolledBack);
}

TEST_F(TrialTest, KeepsAUnitThatIsNotItsOwn) {
  lab_.tree().write(kBootUnit, "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=x.target\n");
  ASSERT_TRUE(begin());
  fire();
  EXPECT_TRUE(lab_.tree().exists(kBootUnit));
}

}  // namespace
}  // namespace kubelet_sysctl
