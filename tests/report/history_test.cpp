// SPDX-License-Identifier: Apache-2.0
// The table of changes fits its columns.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const TextStyle kPlain{};

TEST(HistoryText, CountsTheEntriesThatTheColumnsDoNotHold) {
  transaction::Transaction one;
  one.id = "20261120T225726Z-1";
  one.state = transaction::TransactionState::kConfirmed;
  for (int i = 10; i < 40; ++i) one.after.push_back("net.ipv4.entry" + std::to_string(i));
  const std::string text = report::history_text({one}, transaction::Moment{}, kPlain);
  EXPECT_THAT(text, HasSubstr("+net.ipv4.entry10"));
  EXPECT_THAT(text, HasSubstr(" more  confirmed"));
  EXPECT_THAT(text, Not(HasSubstr("entry39")));
  const std::string row = text.substr(text.find('\n') + 1);
  EXPECT_LE(row.find('\n'), kPlain.columns + 2);  // the sign of more is three bytes of one column
}

TEST(HistoryText, LetsNoEscapeSequenceOfARecordReachTheTerminal) {
  transaction::Transaction one;
  one.id = "20261120T225726Z-1";
  one.reason = one.sudo_user = one.cause = one.unit = "\x1b[31m";
  EXPECT_THAT(report::history_text({one}, transaction::Moment{}, kPlain), Not(HasSubstr("\x1b")));
  EXPECT_THAT(report::transaction_text(one, {one}, transaction::Moment{}, kPlain),
              Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace kubelet_sysctl
