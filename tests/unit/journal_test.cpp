// SPDX-License-Identifier: Apache-2.0
// The text of a record: numbers that do not fit are refused, splices give the bytes that were written.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "kubelet_sysctl/transaction/journal.hpp"
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

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), with);
}

TEST(Journal, WhatATransactionLeftIsTheOriginalWithItsSplices) {
  const auto bytes = transaction::written_bytes(transaction_with_edit().files[0]);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, "A=\"--v=2 --x\"\n");
}

TEST(Journal, ANumberThatDoesNotFitIsMalformedAndNotCut) {
  const std::string good = transaction::journal_text(transaction_with_edit());
  for (const char* number : {"-1", "2.5", "1e30", "99999999999999999999"}) {
    EXPECT_FALSE(transaction::parse_journal(
        replaced(good, "\"begin\": 2", std::string("\"begin\": ") + number)))
        << number;
  }
  EXPECT_FALSE(transaction::parse_journal(replaced(good, "\"mode\": 384", "\"mode\": 4294967296")));
}

TEST(Journal, ANameThatIsNotUtf8KeepsItsBytes) {
  transaction::Transaction transaction = transaction_with_edit();
  transaction.files[0].path = "/etc/kubernetes/kubelet.conf.d/90-\xff.conf";
  transaction.files[0].real_path = "/srv/\xc3\x28/90-\xff.conf";
  const auto read = transaction::parse_journal(transaction::journal_text(transaction));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->files[0].path, transaction.files[0].path);
  EXPECT_EQ(read->files[0].real_path, transaction.files[0].real_path);
}

}  // namespace
}  // namespace kubelet_sysctl
