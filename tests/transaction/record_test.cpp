// SPDX-License-Identifier: Apache-2.0
// The text of a record, read back as it was written; which change is the next to undo.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl {
namespace {

transaction::Transaction transaction_with_edit() {
  transaction::Transaction transaction;
  transaction::JournalFile file;
  file.path = "/etc/default/kubelet";
  file.meta.mode = 0600;
  file.original = "A=--v=2\n";
  file.splices = {{.at = {2, 2}, .text = "\""}, {.at = {7, 7}, .text = " --x\""}};
  transaction.files.push_back(file);
  return transaction;
}

transaction::Transaction record(std::string id, transaction::TransactionState state,
                                std::string undoes = {}) {
  transaction::Transaction transaction;
  transaction.id = std::move(id);
  transaction.state = state;
  transaction.undoes = std::move(undoes);
  return transaction;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), with);
}

TEST(Record, WhatATransactionLeftIsTheOriginalWithItsSplices) {
  const auto bytes = transaction::written_bytes(transaction_with_edit().files[0]);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, "A=\"--v=2 --x\"\n");
}

TEST(Record, ANumberThatDoesNotFitIsMalformedAndNotCut) {
  const std::string good = transaction::journal_text(transaction_with_edit());
  for (const char* number : {"-1", "2.5", "1e30", "99999999999999999999"}) {
    EXPECT_FALSE(transaction::parse_journal(
        replaced(good, "\"begin\": 2", std::string("\"begin\": ") + number)))
        << number;
  }
  EXPECT_FALSE(transaction::parse_journal(replaced(good, "\"mode\": 384", "\"mode\": 4294967296")));
}

TEST(Record, ANameThatIsNotUtf8KeepsItsBytes) {
  transaction::Transaction transaction = transaction_with_edit();
  transaction.files[0].path = "/etc/kubernetes/kubelet.conf.d/90-\xff.conf";
  transaction.files[0].real_path = "/srv/\xc3\x28/90-\xff.conf";
  const auto read = transaction::parse_journal(transaction::journal_text(transaction));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->files[0].path, transaction.files[0].path);
  EXPECT_EQ(read->files[0].real_path, transaction.files[0].real_path);
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

TEST(Record, ReadsBackAsItWasWritten) {
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
  file.route = nodes::Route::kUnit;
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

TEST(Record, OfAnotherReleaseOrWithAnUnknownStateIsRefused) {
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

}  // namespace
}  // namespace kubelet_sysctl
