// SPDX-License-Identifier: Apache-2.0
// The journal on disk and the way back through it.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "engine/lab.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kArguments = "/etc/default/kubelet";
constexpr const char* kDropIn = "/etc/systemd/system/kubelet.service.d/90-kubelet-sysctl.conf";

Lab::NodeFiles flag_node() {
  return plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS",
                    "# kept\r\nKUBELET_EXTRA_ARGS='--allowed-unsafe-sysctls=net.core.somaxconn'");
}

std::uint32_t mode_of(Lab& lab, const std::string& path) {
  struct stat facts = {};
  EXPECT_EQ(::lstat(lab.tree().at(path).c_str(), &facts), 0);
  return facts.st_mode & 07777U;
}

transaction::Transaction record(std::string id, transaction::TransactionState state,
                                std::string undoes = {}) {
  transaction::Transaction transaction;
  transaction.id = std::move(id);
  transaction.state = state;
  transaction.undoes = std::move(undoes);
  return transaction;
}

TEST(Undo, ChangedFileIsAgainWhatItWas) {
  Lab lab(flag_node());
  lab.services().boot();
  const auto before = lab.tree().files();
  auto done = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(done);
  ASSERT_NE(lab.tree().files(), before);
  auto undone = lab.undo(done->transaction);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(undone->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(lab.tree().files(), before);
  EXPECT_EQ(lab.services().started_lists.back(), std::vector<std::string>{"net.core.somaxconn"});
  EXPECT_EQ(newest_record(lab)->undoes, done->transaction);
}

TEST(Undo, FileThatWasMadeIsTakenAway) {
  Lab lab(plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS", ""));
  lab.services().boot();
  const auto before = lab.tree().files();
  auto done = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_TRUE(lab.tree().exists(kArguments));
  ASSERT_TRUE(lab.undo(done->transaction));
  EXPECT_EQ(lab.tree().files(), before);
}

TEST(Undo, DropInThatWasMadeIsTakenAwayWithItsDirectory) {
  Lab lab(Lab::NodeFiles{
      {"/usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet\n"}});
  lab.services().boot();
  const auto before = lab.tree().files();
  auto done = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_TRUE(lab.tree().exists(kDropIn));
  lab.services().changes.clear();
  auto undone = lab.undo(done->transaction);
  ASSERT_TRUE(undone);
  EXPECT_EQ(undone->kind, transaction::OutcomeKind::kApplied)
      << (undone->cause ? undone->cause->message : "");
  EXPECT_EQ(lab.tree().files(), before);
  EXPECT_FALSE(lab.tree().exists("/etc/systemd/system/kubelet.service.d"));
  EXPECT_EQ(lab.services().changes, (std::vector<std::string>{"reload", "restart"}));
}

TEST(Undo, FileThatWasRemovedComesBackWithItsMode) {
  Lab lab(Lab::NodeFiles{
      {"/usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet\n"}});
  lab.services().boot();
  auto made = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(made);
  ASSERT_EQ(::chmod(lab.tree().at(kDropIn).c_str(), 0640), 0);
  const std::string bytes = lab.tree().read(kDropIn);
  auto removed = lab.change(remove({"kernel.sem"}));
  ASSERT_TRUE(removed) << removed.error().message;
  ASSERT_FALSE(lab.tree().exists(kDropIn));
  auto undone = lab.undo(removed->transaction);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(undone->kind, transaction::OutcomeKind::kApplied)
      << (undone->cause ? undone->cause->message : "");
  EXPECT_EQ(lab.tree().read(kDropIn), bytes);
  EXPECT_EQ(mode_of(lab, kDropIn), 0640U);
}

TEST(Undo, WhereSomebodyChangedTheFileSinceTheEntriesAreTakenBackAlone) {
  Lab lab(flag_node());
  lab.services().boot();
  const std::string old = lab.tree().read(kArguments);
  auto done = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(done);
  lab.services().write(kArguments, lab.tree().read(kArguments) + "\n# by hand\n");
  auto undone = lab.undo(done->transaction);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(undone->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(ids_of(undone->findings), (std::vector<std::string>{"undone-by-entries"}));
  EXPECT_EQ(lab.tree().read(kArguments), old + "\n# by hand\n");
}

TEST(Undo, LaterChangeOfOtherEntriesSurvives) {
  Lab lab(flag_node());
  lab.services().boot();
  auto first = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(first);
  ASSERT_TRUE(lab.change(add({"kernel.shmmax"})));
  auto undone = lab.undo(first->transaction);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(undone->after, (std::vector<std::string>{"net.core.somaxconn", "kernel.shmmax"}));
}

TEST(Undo, EntriesThatWereRemovedComeBackWhereTheyStood) {
  Lab lab(flag_node());
  lab.services().boot();
  ASSERT_TRUE(lab.change(set({"kernel.sem", "kernel.shmmax", "kernel.msgmax"})));
  auto removed = lab.change(remove({"kernel.shmmax"}));
  ASSERT_TRUE(removed);
  ASSERT_TRUE(lab.change(add({"net.ipv4.tcp_rmem"})));
  auto undone = lab.undo(removed->transaction);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(undone->after, (std::vector<std::string>{"kernel.sem", "kernel.shmmax", "kernel.msgmax",
                                                     "net.ipv4.tcp_rmem"}));
}

TEST(Undo, WhatHasNotOneMeaningIsRefusedAndShown) {
  Lab lab(flag_node());
  lab.services().boot();
  auto done = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(done);
  ASSERT_TRUE(lab.change(remove({"kernel.sem"})));
  lab.services().write(kArguments, lab.tree().read(kArguments) + "\n# by hand\n");
  const auto before = lab.tree().files();
  lab.faults().heal();
  auto undone = lab.undo(done->transaction);
  ASSERT_FALSE(undone);
  EXPECT_EQ(undone.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(undone.error().path, kArguments);
  EXPECT_NE(undone.error().message.find("'kernel.sem', which it added, is not in the list"),
            std::string::npos)
      << undone.error().message;
  EXPECT_NE(undone.error().detail.find("kernel.sem"), std::string::npos) << undone.error().detail;
  EXPECT_EQ(lab.faults().count(Calls::kChanging), 0u);
  EXPECT_EQ(lab.tree().files(), before);
}

TEST(Undo, NewOrderIsNotUndoneByEntries) {
  Lab lab(flag_node());
  lab.services().boot();
  ASSERT_TRUE(lab.change(set({"kernel.sem", "kernel.shmmax"})));
  auto turned = lab.change(set({"kernel.shmmax", "kernel.sem", "kernel.msgmax"}));
  ASSERT_TRUE(turned);
  ASSERT_TRUE(lab.change(add({"net.ipv4.tcp_rmem"})));
  auto undone = lab.undo(turned->transaction);
  ASSERT_FALSE(undone);
  EXPECT_EQ(undone.error().kind, ErrorKind::kConflict);
}

TEST(Undo, FileThatIsWhatItWasAlreadyNeedsNoEdit) {
  Lab lab(flag_node());
  lab.services().boot();
  const std::string old = lab.tree().read(kArguments);
  lab.options.restart = false;
  auto done = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(done);
  lab.services().write(kArguments, old);
  auto undone = lab.undo(done->transaction);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(undone->kind, transaction::OutcomeKind::kUnchanged);
}

TEST(Undo, UndoOfARunThatNeverEndedPutsItsFilesBack) {
  Lab lab(flag_node());
  lab.services().boot();
  const auto before = lab.tree().files();
  // The power goes after the write: nothing can be written any more, and the outcome is lost.
  lab.options.on_end = [&lab](const transaction::Step& step) {
    if (step.what.starts_with("write ")) lab.faults().fail(1, Calls::kAll, {}, true);
  };
  EXPECT_TRUE(lab.change(add({"kernel.sem"})));
  lab.faults().heal();
  lab.options.on_end = nullptr;
  ASSERT_NE(lab.tree().files(), before);
  auto transaction = newest_record(lab);
  ASSERT_TRUE(transaction);
  auto undone = lab.undo(transaction->id);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(lab.tree().files(), before);
}

TEST(NewestUndoable, SkipsUndosAndWhatWasUndoneAndWhatDidNotStand) {
  std::vector<transaction::Transaction> all = {
      record("20261120T000000Z-1", transaction::TransactionState::kConfirmed),
      record("20261120T000001Z-1", transaction::TransactionState::kPending),
      record("20261120T000002Z-1", transaction::TransactionState::kRolledBack),
      record("20261120T000003Z-1", transaction::TransactionState::kStranded),
      record("20261120T000004Z-1", transaction::TransactionState::kPlanned)};
  EXPECT_EQ(transaction::newest_undoable(all), "20261120T000001Z-1");
  all.push_back(record("20261120T000005Z-1", transaction::TransactionState::kRolledBack,
                       "20261120T000001Z-1"));
  EXPECT_EQ(transaction::newest_undoable(all), "20261120T000001Z-1");  // that undo was rolled back
  all.push_back(record("20261120T000006Z-1", transaction::TransactionState::kConfirmed,
                       "20261120T000001Z-1"));
  EXPECT_EQ(transaction::newest_undoable(all), "20261120T000000Z-1");
  all.push_back(record("20261120T000007Z-1", transaction::TransactionState::kConfirmed,
                       "20261120T000000Z-1"));
  EXPECT_EQ(transaction::newest_undoable(all), std::nullopt);
}

TEST(Journal, TenthChangeOfASecondComesAfterTheSecond) {
  Lab lab(flag_node());
  ports::Ports ports = lab.ports();
  for (int i = 0; i < 11; ++i) {
    transaction::Transaction transaction;
    ASSERT_TRUE(transaction::begin_transaction(ports, transaction));
  }
  auto all = transaction::list_transactions(ports);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 11u);
  EXPECT_EQ(all->at(0).id, "20261120T225726Z-1");
  EXPECT_EQ(all->at(1).id, "20261120T225726Z-2");
  EXPECT_EQ(all->at(9).id, "20261120T225726Z-10");
  EXPECT_EQ(all->at(10).id, "20261120T225726Z-11");
}

TEST(Journal, IsForRootAlone) {
  Lab lab(flag_node());
  auto done = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(done);
  const std::string directory = "/var/lib/kubelet-sysctl/transactions/" + done->transaction;
  EXPECT_EQ(mode_of(lab, "/var/lib/kubelet-sysctl"), 0700U);
  EXPECT_EQ(mode_of(lab, directory), 0700U);
  EXPECT_EQ(mode_of(lab, directory + "/journal.json"), 0600U);
  EXPECT_EQ(mode_of(lab, directory + "/original-0"), 0600U);
}

TEST(Journal, RecordReadsBackAsItWasWritten) {
  transaction::Transaction written =
      record("20261120T225726Z-1", transaction::TransactionState::kWritten, "X-1");
  written.verb = planning::Verb::kSet;
  written.unit = "kubelet.service";
  written.at_ms = 1795215446000;
  written.uid = 1000;
  written.sudo_user = "alice";
  written.reason = "\"quoted\", \\ and\nlines";
  written.tool_version = "0.1.0";
  written.before = {"net.core.somaxconn"};
  written.after = {};
  transaction::JournalFile file;
  file.path = "/etc/default/kubelet";
  file.real_path = "/etc/default/real";
  file.existed = false;
  file.removed = true;
  file.meta.uid = 1;
  file.meta.gid = 2;
  file.meta.mode = 0640;
  file.splices = {{.at = {3, 7}, .text = "a\"b\n"}};
  file.route = "unit";
  file.daemon_reload = true;
  file.in_place = true;
  file.meta.attributes = {{.name = "security.selinux", .value = std::string("etc_t\0", 6)},
                          {.name = "user.odd", .value = "\xff\xfe"}};
  file.splices.push_back({.at = {9, 9}, .text = "caf\xe9"});
  written.files = {file};
  written.reached = {{.state = transaction::TransactionState::kPlanned, .at_ms = 1},
                     {.state = transaction::TransactionState::kWritten, .at_ms = 2}};
  written.login_uid = 1000;
  written.systemd_version = 252;
  written.boot_id = "b-1";
  written.restart = true;
  written.rollback = false;
  written.was_down = true;
  written.trial = transaction::Trial{.until_ms = 1795215999000};
  written.cause = "why";
  auto read = transaction::parse_journal(transaction::journal_text(written));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->id, written.id);
  EXPECT_EQ(read->state, written.state);
  EXPECT_EQ(read->verb, written.verb);
  EXPECT_EQ(read->unit, written.unit);
  EXPECT_EQ(read->at_ms, written.at_ms);
  EXPECT_EQ(read->uid, written.uid);
  EXPECT_EQ(read->sudo_user, written.sudo_user);
  EXPECT_EQ(read->reason, written.reason);
  EXPECT_EQ(read->tool_version, written.tool_version);
  EXPECT_EQ(read->undoes, written.undoes);
  EXPECT_EQ(read->before, written.before);
  EXPECT_EQ(read->after, written.after);
  ASSERT_EQ(read->files.size(), 1u);
  const transaction::JournalFile& back = read->files.front();
  EXPECT_EQ(back.path, file.path);
  EXPECT_EQ(back.real_path, file.real_path);
  EXPECT_EQ(back.existed, file.existed);
  EXPECT_EQ(back.removed, file.removed);
  EXPECT_EQ(back.meta.uid, file.meta.uid);
  EXPECT_EQ(back.meta.gid, file.meta.gid);
  EXPECT_EQ(back.meta.mode, file.meta.mode);
  EXPECT_EQ(back.splices, file.splices);
  EXPECT_EQ(back.route, file.route);
  EXPECT_EQ(back.daemon_reload, file.daemon_reload);
  EXPECT_EQ(back.in_place, file.in_place);
  EXPECT_EQ(back.meta.attributes, file.meta.attributes);
  ASSERT_EQ(read->reached.size(), 2u);
  EXPECT_EQ(read->reached[1].state, transaction::TransactionState::kWritten);
  EXPECT_EQ(read->reached[1].at_ms, 2);
  EXPECT_EQ(read->login_uid, written.login_uid);
  EXPECT_EQ(read->systemd_version, written.systemd_version);
  EXPECT_EQ(read->boot_id, written.boot_id);
  EXPECT_EQ(read->restart, written.restart);
  EXPECT_EQ(read->rollback, written.rollback);
  EXPECT_EQ(read->was_down, written.was_down);
  ASSERT_TRUE(read->trial);
  EXPECT_EQ(read->trial->until_ms, written.trial->until_ms);
  EXPECT_EQ(read->cause, written.cause);
}

TEST(Journal, BytesThatAreNoTextSurvive) {
  const std::string odd("KUBELET_EXTRA_ARGS=--v=2\n# caf\xe9\n", 33);
  Lab lab(plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS $A", ""));
  lab.tree().write("/etc/default/kubelet", odd);
  ports::Ports ports = lab.ports();
  transaction::Transaction transaction;
  transaction::JournalFile file;
  file.path = "/etc/default/kubelet";
  file.original = odd;
  transaction.files = {file};
  ASSERT_TRUE(transaction::begin_transaction(ports, transaction));
  auto loaded = transaction::load_transaction(ports, transaction.id);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->files.at(0).original, odd);
}

TEST(Journal, RecordOfAnotherReleaseOrWithAnUnknownStateIsRefused) {
  std::string text =
      transaction::journal_text(record("X-1", transaction::TransactionState::kConfirmed));
  const std::size_t version = text.find("journal-v1");
  ASSERT_NE(version, std::string::npos);
  std::string other = text;
  other.replace(version, 10, "journal-v9");
  auto parsed = transaction::parse_journal(other);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().kind, ErrorKind::kMalformed);
  other = text;
  other.replace(other.find("confirmed"), 9, "forgotten");
  EXPECT_FALSE(transaction::parse_journal(other));
  other = text;
  other.replace(other.find("\"add\""), 5, "\"mix\"");
  EXPECT_FALSE(transaction::parse_journal(other));
  EXPECT_FALSE(transaction::parse_journal(text.substr(0, text.size() / 2)));
}

TEST(Journal, NamesThatLeadElsewhereAreNoTransactions) {
  Lab lab(flag_node());
  ports::Ports ports = lab.ports();
  for (const char* id : {"", "..", "../lock", "nothing"}) {
    auto loaded = transaction::load_transaction(ports, id);
    ASSERT_FALSE(loaded) << id;
    EXPECT_EQ(loaded.error().kind, ErrorKind::kNotFound) << id;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
