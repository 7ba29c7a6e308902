// SPDX-License-Identifier: Apache-2.0
// What happens when the end was not seen: the old bytes and the old list, or the words for a
// person.
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kArguments = "/etc/default/kubelet";
constexpr const char* kOld = "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=net.core.somaxconn\"\n";
constexpr const char* kNew =
    "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=net.core.somaxconn,kernel.sem\"\n";
const std::vector<std::string> kOldList = {"net.core.somaxconn"};
/// A kubelet's words, from the report of a node that died of it.
constexpr const char* kWords =
    "E1120 22:57:26 1 run.go:74] \"command failed\" err=\"failed to run Kubelet: failed to create "
    "kubelet: the sysctls \\\"kernel.sem\\\" are not known to be namespaced\"";

/// The new list makes the kubelet go wrong, and the old one does not.
Misbehaviour with_new_list() {
  Misbehaviour how;
  how.only_with = "kernel.sem";
  return how;
}

class Rollback : public ::testing::Test {
 protected:
  Rollback() : lab_(plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS", kOld)) {
    lab_.services().boot();
  }

  transaction::Outcome change(const Misbehaviour& how) {
    lab_.services().misbehave(how);
    auto outcome = lab_.change(add({"kernel.sem"}));
    EXPECT_TRUE(outcome) << outcome.error().message;
    return outcome ? *outcome : transaction::Outcome{};
  }

  /// The old bytes are back, and a healthy kubelet with the old list was seen.
  void expect_rolled_back(const transaction::Outcome& outcome, const std::string& cause) {
    EXPECT_EQ(outcome.kind, transaction::OutcomeKind::kRolledBack) << cause;
    EXPECT_EQ(lab_.tree().read(kArguments), kOld) << cause;
    ASSERT_TRUE(outcome.cause) << cause;
    EXPECT_NE(outcome.cause->message.find(cause), std::string::npos) << outcome.cause->message;
    ASSERT_TRUE(outcome.evidence) << cause;
    EXPECT_EQ(outcome.evidence->pid, lab_.services().pid()) << cause;
    EXPECT_EQ(outcome.evidence->health, "ok") << cause;
    EXPECT_EQ(outcome.after, kOldList) << cause;
    EXPECT_FALSE(outcome.was_down);
    EXPECT_EQ(lab_.services().started_lists.back(), kOldList);
    auto record = newest_record(lab_);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->state, transaction::TransactionState::kRolledBack);
    EXPECT_FALSE(lab_.model()->drift);
  }

  Lab lab_;
};

TEST_F(Rollback, KubeletThatDiesOfItsListGivesItsLastWordsAndTheOldOneRuns) {
  Misbehaviour how = with_new_list();
  how.dies_after = Milliseconds(800);
  how.last_words = {"I1120 starting", kWords};
  how.journal_lag = Milliseconds(300);
  const transaction::Outcome outcome = change(how);
  expect_rolled_back(outcome, "ended with status 1 (exit-code)");
  EXPECT_EQ(outcome.last_words, (std::vector<std::string>{"I1120 starting", kWords}));
  EXPECT_EQ(outcome.recognised, "an entry of the list is outside the namespaced groups");
  EXPECT_EQ(lab_.services().changes, (std::vector<std::string>{"restart", "restart"}));
}

TEST_F(Rollback, DeathLateInTheWindowIsRolledBack) {
  Misbehaviour how = with_new_list();
  how.dies_after = Milliseconds(9000);
  expect_rolled_back(change(how), "after 9.0 s");
}

TEST_F(Rollback, CrashLoopIsRolledBack) {
  lab_.services().restart_delay = Milliseconds(100);
  Misbehaviour how = with_new_list();
  how.dies_after = Milliseconds(200);
  expect_rolled_back(change(how), "ended with status 1");
}

TEST_F(Rollback, KubeletThatNeverAnswersIsRolledBack) {
  lab_.options.timeout = Milliseconds(20000);
  Misbehaviour how = with_new_list();
  how.never_healthy = true;
  expect_rolled_back(change(how), "never became healthy");
}

TEST_F(Rollback, UnhealthyAnswerIsRolledBack) {
  lab_.options.timeout = Milliseconds(20000);
  Misbehaviour how = with_new_list();
  how.health_status = 500;
  expect_rolled_back(change(how), "http 500");
}

TEST_F(Rollback, OtherArgumentsThanTheFilesGiveAreRolledBack) {
  Misbehaviour how = with_new_list();
  how.argv = std::vector<std::string>{"/usr/bin/kubelet"};
  expect_rolled_back(change(how), "other arguments");
}

TEST_F(Rollback, JobThatFailsIsRolledBack) {
  Misbehaviour how = with_new_list();
  how.restart_fails = true;
  how.last_words = {kWords};
  const transaction::Outcome outcome = change(how);
  expect_rolled_back(outcome, "systemctl restart");
  EXPECT_EQ(outcome.last_words, std::vector<std::string>{kWords});
}

TEST_F(Rollback, UnitThatIsLeftStoppedIsRolledBack) {
  Misbehaviour how = with_new_list();
  how.stays_stopped = true;
  expect_rolled_back(change(how), "nothing was started");
}

TEST_F(Rollback, RestartThatDoesNothingTwiceIsStranded) {
  Misbehaviour how;
  how.restart_does_nothing = true;
  const transaction::Outcome outcome = change(how);
  EXPECT_EQ(outcome.kind, transaction::OutcomeKind::kStranded);
  EXPECT_EQ(lab_.tree().read(kArguments), kOld);
}

// A drop-in whose command systemd refuses, or a unit that became bad: the old process runs on, so
// no restart may touch it.
TEST(RollbackOfAUnit, UnitThatDoesNotLoadIsPutBackWithoutARestart) {
  const std::string unit =
      "[Service]\nExecStart=/usr/bin/kubelet --allowed-unsafe-sysctls=net.core.somaxconn\n";
  Lab lab(Lab::NodeFiles{{"/etc/systemd/system/kubelet.service", unit}});
  lab.services().boot();
  const std::int64_t old = lab.services().pid();
  lab.options.on_begin = [&lab](const std::string& what) {
    const bool forward = what == "daemon-reload" && lab.services().changes.empty();
    lab.services().load_state_after_reload = forward ? "bad-setting" : "";
  };
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kRolledBack);
  EXPECT_FALSE(outcome->changed);
  EXPECT_NE(outcome->cause->message.find("bad-setting"), std::string::npos);
  EXPECT_EQ(lab.services().changes, (std::vector<std::string>{"reload", "reload"}));
  EXPECT_EQ(lab.services().pid(), old);
  EXPECT_EQ(lab.tree().read("/etc/systemd/system/kubelet.service"), unit);
  EXPECT_EQ(newest_record(lab)->state, transaction::TransactionState::kRolledBack);
}

TEST(RollbackOfAUnit, ChangedUnitIsReloadedOnTheWayBackToo) {
  Lab lab(Lab::NodeFiles{
      {"/etc/systemd/system/kubelet.service",
       "[Service]\nExecStart=/usr/bin/kubelet --allowed-unsafe-sysctls=net.core.somaxconn\n"}});
  lab.services().boot();
  Misbehaviour how = with_new_list();
  how.dies_after = Milliseconds(100);
  lab.services().misbehave(how);
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kRolledBack);
  EXPECT_EQ(lab.services().changes,
            (std::vector<std::string>{"reload", "restart", "reload", "restart"}));
  EXPECT_EQ(lab.services().started_lists.back(), kOldList);
}

TEST(RollbackOfAUnit, FileThatWasMadeIsGoneAgainWithItsDirectory) {
  Lab lab(Lab::NodeFiles{
      {"/usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet\n"}});
  lab.services().boot();
  const auto before = lab.tree().files();
  Misbehaviour how = with_new_list();
  how.dies_after = Milliseconds(100);
  lab.services().misbehave(how);
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kRolledBack)
      << (outcome->cause ? outcome->cause->message : "");
  EXPECT_EQ(lab.tree().files(), before);
  EXPECT_FALSE(lab.tree().exists("/etc/systemd/system/kubelet.service.d"));
}

TEST(RollbackOfAUnit, FileThatWasTakenAwayIsThereAgain) {
  Lab lab(Lab::NodeFiles{
      {"/usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet\n"}});
  lab.services().boot();
  auto made = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(made);
  ASSERT_EQ(made->kind, transaction::OutcomeKind::kApplied)
      << (made->cause ? made->cause->message : "");
  const auto before = lab.tree().files();
  Misbehaviour how;
  how.starts = 1;
  how.dies_after = Milliseconds(100);
  lab.services().misbehave(how);
  auto undone = lab.undo(made->transaction);
  ASSERT_TRUE(undone);
  EXPECT_EQ(undone->kind, transaction::OutcomeKind::kRolledBack);
  EXPECT_EQ(lab.tree().files(), before);
  EXPECT_EQ(lab.services().started_lists.back(), std::vector<std::string>{"kernel.sem"});
}

TEST_F(Rollback, ListOfTheFilesIsSeenAgainAfterTheWayBack) {
  Lab lab(std::string("kubeadm-deb"));
  lab.services().boot();
  const auto before = lab.tree().files();
  Misbehaviour how = with_new_list();
  how.dies_after = Milliseconds(100);
  lab.services().misbehave(how);
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kRolledBack)
      << (outcome->cause ? outcome->cause->message : "");
  EXPECT_EQ(outcome->evidence->config_file, "/var/lib/kubelet/config.yaml");
  EXPECT_EQ(lab.tree().files(), before);
}

TEST_F(Rollback, KubeletThatFailsWithTheOldListTooIsStranded) {
  Misbehaviour how;
  how.dies_after = Milliseconds(500);
  const transaction::Outcome outcome = change(how);
  EXPECT_EQ(outcome.kind, transaction::OutcomeKind::kStranded);
  EXPECT_TRUE(outcome.changed);
  EXPECT_EQ(lab_.tree().read(kArguments), kOld);
  EXPECT_EQ(
      outcome.commands,
      (std::vector<std::string>{"systemctl daemon-reload", "systemctl reset-failed kubelet.service",
                                "systemctl restart kubelet.service",
                                "journalctl -u kubelet.service -n 50", "kubelet-sysctl recover"}));
  EXPECT_FALSE(outcome.evidence);
  EXPECT_EQ(newest_record(lab_)->state, transaction::TransactionState::kStranded);
}

TEST_F(Rollback, FileThatSomebodyElseChangedMeanwhileIsKeptAndTheRunIsStranded) {
  lab_.options.on_begin = [this](const std::string& what) {
    if (what == "restart kubelet.service") lab_.services().write(kArguments, "SOMEBODY=else\n");
  };
  Misbehaviour how;
  how.dies_after = Milliseconds(0);
  const transaction::Outcome outcome = change(how);
  EXPECT_EQ(outcome.kind, transaction::OutcomeKind::kStranded);
  EXPECT_EQ(lab_.tree().read(kArguments), "SOMEBODY=else\n");
  ASSERT_FALSE(outcome.commands.empty());
  EXPECT_EQ(outcome.commands.front(), "cp /var/lib/kubelet-sysctl/transactions/" +
                                          outcome.transaction + "/original-0 /etc/default/kubelet");
  EXPECT_EQ(lab_.tree().read("/var/lib/kubelet-sysctl/transactions/" + outcome.transaction +
                             "/original-0"),
            kOld);
  EXPECT_EQ(newest_record(lab_)->state, transaction::TransactionState::kStranded);
}

TEST_F(Rollback, NoRollbackLeavesTheNewListAndSaysHowToGoBack) {
  lab_.options.rollback = false;
  Misbehaviour how = with_new_list();
  how.dies_after = Milliseconds(100);
  const transaction::Outcome outcome = change(how);
  EXPECT_EQ(outcome.kind, transaction::OutcomeKind::kStranded);
  EXPECT_EQ(lab_.tree().read(kArguments), kNew);
  EXPECT_EQ(lab_.services().changes, std::vector<std::string>{"restart"});
  EXPECT_EQ(outcome.commands.front().substr(0, 3), "cp ");
}

// A rollback is never called one that was seen when there was nothing healthy to go back to.
TEST_F(Rollback, KubeletThatWasDownBeforeIsNotCalledRestored) {
  lab_.services().stop(true);
  Misbehaviour how;
  how.dies_after = Milliseconds(100);
  const transaction::Outcome outcome = change(how);
  EXPECT_EQ(outcome.kind, transaction::OutcomeKind::kRolledBack);
  EXPECT_TRUE(outcome.was_down);
  EXPECT_FALSE(outcome.evidence);
  EXPECT_EQ(lab_.tree().read(kArguments), kOld);
}

TEST_F(Rollback, RestartAloneThatFailsIsStrandedWithNoFileTouched) {
  lab_.options.restart = false;
  ASSERT_TRUE(lab_.change(add({"kernel.sem"})));
  lab_.options.restart = true;
  Misbehaviour how;
  how.dies_after = Milliseconds(100);
  const transaction::Outcome outcome = change(how);
  EXPECT_EQ(outcome.kind, transaction::OutcomeKind::kStranded);
  EXPECT_EQ(lab_.tree().read(kArguments), kNew);
  EXPECT_EQ(outcome.commands.front(), "systemctl daemon-reload");
}

// systemd could not even be asked: the kubelet that runs must not be restarted for that.
TEST_F(Rollback, NothingIsRestartedWhenSystemdWasNeverAskedToRestart) {
  auto prepared = lab_.prepare(add({"kernel.sem"}));
  ASSERT_TRUE(prepared);
  const std::int64_t old = lab_.services().pid();
  lab_.options.on_end = [this](const transaction::Step& step) {
    if (step.what != "write /etc/default/kubelet") return;
    // The record of the writing is read, staged and put in place; the fourth call is the inspect the
    // old process.
    lab_.faults().fail(4, Calls::kAll, {.kind = ErrorKind::kIo, .message = "input/output error"});
  };
  auto outcome = lab_.carry_out(*prepared);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kRolledBack);
  EXPECT_FALSE(outcome->changed);
  EXPECT_TRUE(lab_.services().changes.empty());
  EXPECT_EQ(lab_.services().pid(), old);
  EXPECT_EQ(lab_.tree().read(kArguments), kOld);
}

}  // namespace
}  // namespace kubelet_sysctl
