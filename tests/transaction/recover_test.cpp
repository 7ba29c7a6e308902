// SPDX-License-Identifier: Apache-2.0
// What the next run does with a change that was cut short, and with files that others changed.

#include <gtest/gtest.h>
#include <unistd.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/recover.hpp"
#include "kubelet_sysctl/transaction/recovery_table.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kArguments = "/etc/default/kubelet";
constexpr const char* kMore = "/etc/default/more";

Lab::NodeFiles one_file() {
  return plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS",
                    "KUBELET_EXTRA_ARGS='--allowed-unsafe-sysctls=net.core.somaxconn'\n");
}

/// The list is in two files, so a change of it writes both.
Lab::NodeFiles two_files() {
  return {{"/etc/systemd/system/kubelet.service",
           "[Service]\nEnvironmentFile=/etc/default/kubelet\nEnvironmentFile=/etc/default/more\n"
           "ExecStart=/usr/bin/kubelet $A $B\nRestart=always\n"},
          {kArguments, "A=--allowed-unsafe-sysctls=kernel.sem\n"},
          {kMore, "B=--allowed-unsafe-sysctls=kernel.shmmax\n"}};
}

using Entries = std::vector<std::string>;

/// The one change that recover() found, at its end now.
void expect_recovered(Lab& lab, transaction::RecoveryAction action,
                      transaction::TransactionState state) {
  auto recovered = lab.recover();
  ASSERT_TRUE(recovered) << recovered.error().message;
  ASSERT_EQ(recovered->size(), 1u);
  EXPECT_EQ(recovered->front().action, action) << transaction::name_of(recovered->front().action);
  EXPECT_EQ(recovered->front().transaction.state, state)
      << transaction::name_of(recovered->front().transaction.state);
  auto again = lab.recover();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->empty());
}

TEST(Recover, NothingIsOpenNothingIsDone) {
  Lab lab(one_file());
  lab.services().boot();
  ASSERT_TRUE(lab.change(add({"kernel.sem"})));
  lab.faults().heal();
  auto recovered = lab.recover();
  ASSERT_TRUE(recovered);
  EXPECT_TRUE(recovered->empty());
  EXPECT_EQ(lab.faults().count(Calls::kChanging), 0u);
}

TEST(Recover, DeadBeforeTheFirstFileClosesTheRecordWithoutARestart) {
  Lab lab(one_file());
  lab.services().boot();
  const auto before = lab.tree().files();
  lab.die_after("keep the original bytes");
  static_cast<void>(lab.change(add({"kernel.sem"})));
  lab.live();
  lab.services().changes.clear();
  expect_recovered(lab, transaction::RecoveryAction::kUndo,
                   transaction::TransactionState::kRolledBack);
  EXPECT_EQ(lab.tree().files(), before);
  EXPECT_TRUE(lab.services().changes.empty());
}

TEST(Recover, DeadBetweenTwoFilesPutsTheFirstBack) {
  Lab lab(two_files());
  lab.services().boot();
  const auto before = lab.tree().files();
  lab.die_after("write /etc/default/");
  static_cast<void>(lab.change(set({"kernel.msgmax"})));
  lab.live();
  ASSERT_NE(lab.tree().files(), before);
  auto model = lab.model();
  ASSERT_TRUE(model);
  expect_recovered(lab, transaction::RecoveryAction::kUndo,
                   transaction::TransactionState::kRolledBack);
  EXPECT_EQ(lab.tree().files(), before);
  EXPECT_EQ(lab.services().started_lists.size(), 1u) << "the kubelet was restarted for nothing";
}

TEST(Recover, AMixtureIsPutBackBesideAnotherFileThatCannotBeRead) {
  auto files = two_files();
  files[0].second =
      "[Service]\nEnvironmentFile=/etc/default/kubelet\nEnvironmentFile=/etc/default/more\n"
      "ExecStart=/usr/bin/kubelet --config=/etc/kubelet.yaml $A $B\nRestart=always\n";
  files.emplace_back("/etc/kubelet.yaml",
                     "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n");
  Lab lab(files);
  lab.services().boot();
  lab.die_after("write /etc/default/");
  static_cast<void>(lab.change(set({"kernel.msgmax"})));
  lab.live();
  lab.tree().write("/etc/kubelet.yaml", "x: [\n");
  auto recovered = lab.recover();
  ASSERT_TRUE(recovered) << recovered.error().message;
  ASSERT_EQ(recovered->size(), 1u);
  // The list of the kubelet is unknown yet, so the record stays open.
  EXPECT_EQ(recovered->front().transaction.state, transaction::TransactionState::kStranded);
  EXPECT_EQ(lab.tree().read(kArguments), files[1].second);
  EXPECT_EQ(lab.tree().read(kMore), files[2].second);
  EXPECT_EQ(lab.services().started_lists.size(), 1u) << "the kubelet was restarted for nothing";
  lab.tree().write("/etc/kubelet.yaml", files[3].second);
  auto again = lab.recover();
  ASSERT_TRUE(again) << again.error().message;
  ASSERT_EQ(again->size(), 1u);
  EXPECT_EQ(again->front().transaction.state, transaction::TransactionState::kRolledBack);
}

TEST(Recover, DeadAfterTheRestartKeepsWhatRunsAndIsHealthy) {
  Lab lab(one_file());
  lab.services().boot();
  lab.die_after("restart ");
  static_cast<void>(lab.change(add({"kernel.sem"})));
  lab.live();
  const std::int64_t pid = lab.services().pid();
  expect_recovered(lab, transaction::RecoveryAction::kConfirm,
                   transaction::TransactionState::kConfirmed);
  EXPECT_EQ(lab.services().pid(), pid);
  EXPECT_EQ(lab.services().started_lists.back(), (Entries{"net.core.somaxconn", "kernel.sem"}));
}

TEST(Recover, WhatRunsAndDiesWithinTheWindowIsUndone) {
  Lab lab(one_file());
  lab.services().boot();
  const auto before = lab.tree().files();
  Misbehaviour bad;
  bad.only_with = "kernel.sem";
  bad.dies_after = Milliseconds(3000);
  lab.services().misbehave(bad);
  lab.die_after("restart ");
  static_cast<void>(lab.change(add({"kernel.sem"})));
  lab.live();
  expect_recovered(lab, transaction::RecoveryAction::kConfirm,
                   transaction::TransactionState::kRolledBack);
  EXPECT_EQ(lab.tree().files(), before);
  EXPECT_EQ(lab.services().started_lists.back(), Entries{"net.core.somaxconn"});
  EXPECT_NE(newest_record(lab)->cause.find("ended"), std::string::npos)
      << newest_record(lab)->cause;
}

TEST(Recover, AfterAPowerCutTheKubeletOfTheNextBootDecides) {
  Lab lab(one_file());
  lab.services().boot();
  lab.die_after("write ");
  static_cast<void>(lab.change(add({"kernel.sem"})));
  lab.reboot();
  expect_recovered(lab, transaction::RecoveryAction::kConfirm,
                   transaction::TransactionState::kConfirmed);
}

TEST(Recover, WrittenAndNotYetRestartedGoesBackWithoutARestart) {
  Lab lab(one_file());
  lab.services().boot();
  const auto before = lab.tree().files();
  lab.die_after("write ");
  static_cast<void>(lab.change(add({"kernel.sem"})));
  lab.live();
  expect_recovered(lab, transaction::RecoveryAction::kUndo,
                   transaction::TransactionState::kRolledBack);
  EXPECT_EQ(lab.tree().files(), before);
  EXPECT_EQ(lab.services().started_lists.size(), 1u);
}

TEST(Recover, DeadInTheMiddleOfARollbackGoesOnWithIt) {
  Lab lab(one_file());
  lab.services().boot();
  const auto before = lab.tree().files();
  Misbehaviour bad;
  bad.only_with = "kernel.sem";
  bad.dies_after = Milliseconds(500);
  lab.services().misbehave(bad);
  lab.die_after("put back ");
  static_cast<void>(lab.change(add({"kernel.sem"})));
  lab.live();
  expect_recovered(lab, transaction::RecoveryAction::kUndo,
                   transaction::TransactionState::kRolledBack);
  EXPECT_EQ(lab.tree().files(), before);
  EXPECT_EQ(lab.services().started_lists.back(), Entries{"net.core.somaxconn"});
  EXPECT_NE(lab.services().pid(), 0);
}

TEST(Recover, ChangeThatWantedNoRestartStands) {
  Lab lab(one_file());
  lab.services().boot();
  lab.options.restart = false;
  lab.die_after("write ");
  static_cast<void>(lab.change(add({"kernel.sem"})));
  lab.live();
  expect_recovered(lab, transaction::RecoveryAction::kFinish,
                   transaction::TransactionState::kPending);
  EXPECT_EQ(lab.services().started_lists.size(), 1u);
}

TEST(Recover, UnitThatSystemdStillHasLoadedIsReadAgainThoughItsFileIsBack) {
  Lab lab(one_file());
  lab.services().boot();
  lab.die_after("keep the original bytes");
  static_cast<void>(lab.change(add({"kernel.sem"})));
  lab.live();
  lab.services().changes.clear();
  lab.services().says_needs_reload = true;
  expect_recovered(lab, transaction::RecoveryAction::kUndo,
                   transaction::TransactionState::kRolledBack);
  EXPECT_EQ(lab.services().changes, std::vector<std::string>{"reload"});
}

TEST(Recover, UnitOfAChangeThatWantedNoRestartIsReadAgain) {
  Lab lab(one_file());
  lab.services().boot();
  lab.options.restart = false;
  lab.die_after("write ");
  static_cast<void>(lab.change(add({"kernel.sem"})));
  lab.live();
  lab.services().changes.clear();
  lab.services().says_needs_reload = true;
  expect_recovered(lab, transaction::RecoveryAction::kFinish,
                   transaction::TransactionState::kPending);
  EXPECT_EQ(lab.services().changes, std::vector<std::string>{"reload"});
}

TEST(Recover, FileThatSomebodyElseChangedIsTheirs) {
  Lab lab(one_file());
  lab.services().boot();
  lab.die_after("write ");
  static_cast<void>(lab.change(add({"kernel.sem"})));
  lab.live();
  const std::string theirs = lab.tree().read(kArguments) + "# by hand\n";
  lab.services().write(kArguments, theirs);
  expect_recovered(lab, transaction::RecoveryAction::kLeave,
                   transaction::TransactionState::kOvertaken);
  EXPECT_EQ(lab.tree().read(kArguments), theirs);
}

TEST(Recover, OldNewAndForeignFilesTogetherAreForAPerson) {
  Lab::NodeFiles files = two_files();
  files[0].second =
      "[Service]\nEnvironmentFile=/etc/default/kubelet\nEnvironmentFile=/etc/default/more\n"
      "EnvironmentFile=/etc/default/o'third\nExecStart=/usr/bin/kubelet $A $B $C\n";
  files.emplace_back("/etc/default/o'third", "C=--allowed-unsafe-sysctls=kernel.shmmni\n");
  Lab lab(files);
  lab.services().boot();
  lab.die_after("write /etc/default/");
  static_cast<void>(lab.change(set({"kernel.msgmax"})));
  lab.live();
  auto record = newest_record(lab);
  ASSERT_TRUE(record);
  ASSERT_EQ(record->files.size(), 3u);
  const std::string last = record->files.back().path;
  lab.services().write(last, lab.tree().read(last) + "# by hand\n");
  const auto before = lab.tree().files();
  auto recovered = lab.recover();
  ASSERT_FALSE(recovered);
  EXPECT_EQ(recovered.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(recovered.error().path, last);
  EXPECT_NE(recovered.error().detail.find("cp /var/lib/kubelet-sysctl/transactions/"),
            std::string::npos);
  // As a shell needs the path that has a quote in it.
  EXPECT_NE(recovered.error().detail.find(" '/etc/default/o'\\''third'\n"), std::string::npos)
      << recovered.error().detail;
  EXPECT_EQ(lab.tree().files(), before);
  // The person makes all of them old; then it can be closed.
  ports::Ports ports = lab.ports();
  auto whole = transaction::load_transaction(ports, record->id);
  ASSERT_TRUE(whole);
  for (const transaction::JournalFile& file : whole->files)
    lab.services().write(file.path, file.original);
  expect_recovered(lab, transaction::RecoveryAction::kUndo,
                   transaction::TransactionState::kRolledBack);
}

TEST(Recover, PiecesOfAWriteIntoTheFileItselfArePutBack) {
  for (const std::size_t written : {1u, 25u, 40u, 60u}) {
    Lab lab(one_file());
    lab.services().boot();
    ASSERT_EQ(::link(lab.tree().at(kArguments).c_str(), lab.tree().at("/etc/other").c_str()), 0);
    const std::string old = lab.tree().read(kArguments);
    lab.die_after("write ");
    static_cast<void>(lab.change(set({"kernel.shmmax", "kernel.msgmax"})));
    lab.live();
    auto record = newest_record(lab);
    ASSERT_TRUE(record);
    ASSERT_TRUE(record->files.at(0).in_place);
    const std::string made = lab.tree().read(kArguments);
    std::string torn = old;
    torn.replace(0, std::min(written, old.size()), made.substr(0, written));
    lab.services().write(kArguments, torn);
    expect_recovered(lab, transaction::RecoveryAction::kUndo,
                     transaction::TransactionState::kRolledBack);
    EXPECT_EQ(lab.tree().read(kArguments), old) << written;
    EXPECT_EQ(lab.tree().read("/etc/other"), old) << written;
  }
}

TEST(Recover, StrandedChangeIsTriedAgainUnlessNoRollbackLeftItSo) {
  for (const bool rollback : {true, false}) {
    Lab lab(one_file());
    lab.services().boot();
    const auto before = lab.tree().files();
    Misbehaviour bad;
    bad.dies_after = Milliseconds(500);
    lab.services().misbehave(bad);
    lab.options.rollback = rollback;
    lab.options.timeout = Milliseconds(1500);
    auto done = lab.change(add({"kernel.sem"}));
    ASSERT_TRUE(done);
    ASSERT_EQ(done->kind, transaction::OutcomeKind::kStranded);
    lab.services().misbehave({});
    auto recovered = lab.recover();
    ASSERT_TRUE(recovered) << recovered.error().message;
    EXPECT_EQ(recovered->size(), rollback ? 1u : 0u);
    EXPECT_EQ(newest_record(lab)->state, rollback ? transaction::TransactionState::kRolledBack
                                                  : transaction::TransactionState::kStranded);
    EXPECT_EQ(lab.tree().files() == before, rollback);
  }
}

TEST(Recover, DryRunTellsAndDoesNothing) {
  Lab lab(one_file());
  lab.services().boot();
  lab.die_after("write ");
  static_cast<void>(lab.change(add({"kernel.sem"})));
  lab.live();
  const auto before = lab.tree().files();
  lab.options.dry_run = true;
  auto recovered = lab.recover();
  ASSERT_TRUE(recovered);
  ASSERT_EQ(recovered->size(), 1u);
  EXPECT_EQ(recovered->front().action, transaction::RecoveryAction::kUndo);
  EXPECT_FALSE(recovered->front().outcome);
  EXPECT_EQ(lab.faults().count(Calls::kChanging), 0u);
  EXPECT_EQ(lab.tree().files(), before);
}

TEST(Recover, EveryEndOfAChangeIsOneLineOfTheLog) {
  Lab lab(one_file());
  lab.services().boot();
  auto done = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(done);
  ASSERT_EQ(lab.services().log_entries.size(), 1u);
  const ports::LogEntry& line = lab.services().log_entries.front();
  EXPECT_EQ(line.message, "add applied: +kernel.sem, transaction " + done->transaction +
                              ", by root (alice), login uid 1000");
  EXPECT_EQ(line.priority, 6);
  lab.die_after("write ");
  static_cast<void>(lab.change(remove({"kernel.sem"})));
  lab.live();
  ASSERT_TRUE(lab.recover());
  ASSERT_EQ(lab.services().log_entries.size(), 2u);
  EXPECT_NE(lab.services().log_entries.back().message.find("remove undone by recover"),
            std::string::npos);
}

TEST(Prune, KeepsTheLastFiftyAndNeverTheLastGoodOrAnOpenOne) {
  Lab lab(one_file());
  ports::Ports ports = lab.ports();
  std::vector<std::string> ids;
  for (int i = 0; i < 60; ++i) {
    transaction::Transaction one;
    transaction::JournalFile file;
    file.path = kArguments;
    file.original = "x";
    one.files = {file};
    ASSERT_TRUE(transaction::begin_transaction(ports, one));
    auto end = transaction::TransactionState::kRolledBack;
    if (i == 2) end = transaction::TransactionState::kConfirmed;
    if (i == 4) end = transaction::TransactionState::kTrial;
    ids.push_back(one.id);
    if (i == 6) continue;
    ASSERT_TRUE(transaction::mark_transaction(ports, one, end));
  }
  ASSERT_TRUE(transaction::prune_transactions(ports));
  auto all = transaction::list_transactions(ports);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 50u);
  EXPECT_EQ(all->at(0).id, ids[2]);
  EXPECT_EQ(all->at(1).id, ids[4]);
  EXPECT_EQ(all->at(2).id, ids[6]);
  EXPECT_EQ(all->at(3).id, ids[13]);
  EXPECT_FALSE(lab.tree().exists("/var/lib/kubelet-sysctl/transactions/" + ids[0]));
}

}  // namespace
}  // namespace kubelet_sysctl
