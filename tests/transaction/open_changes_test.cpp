// SPDX-License-Identifier: Apache-2.0
// Which changes are not at their end.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl {
namespace {

using transaction::Moment;
using transaction::TransactionState;

transaction::Transaction change(TransactionState state) {
  transaction::Transaction made;
  made.id = "20261120T225726Z-1";
  made.state = state;
  made.boot_id = "b-1";
  if (state == TransactionState::kTrial) made.trial = transaction::Trial{.until_ms = 1000};
  return made;
}

TEST(OpenChanges, ATrialRunsUntilItsTimeOrABootEndsIt) {
  const std::vector<transaction::Transaction> all = {change(TransactionState::kTrial)};
  EXPECT_EQ(transaction::open_changes(all, Moment{.now_ms = 999, .boot_id = "b-1"}).trials.size(),
            1u);
  for (const Moment& late :
       {Moment{.now_ms = 1000, .boot_id = "b-1"}, Moment{.now_ms = 1, .boot_id = "b-2"}}) {
    const auto open = transaction::open_changes(all, late);
    EXPECT_TRUE(open.trials.empty());
    EXPECT_EQ(open.unfinished.size(), 1u);
  }
}

TEST(OpenChanges, WhatAnotherRunHasInItsHandsIsNotUnfinished) {
  const std::vector<transaction::Transaction> all = {change(TransactionState::kWritten),
                                                     change(TransactionState::kConfirmed)};
  EXPECT_EQ(transaction::open_changes(all, Moment{}).unfinished.size(), 1u);
  Moment moment;
  moment.in_progress = "add kernel.sem";
  const auto open = transaction::open_changes(all, moment);
  EXPECT_TRUE(open.unfinished.empty());
  EXPECT_EQ(open.in_progress, "add kernel.sem");
}

}  // namespace
}  // namespace kubelet_sysctl
