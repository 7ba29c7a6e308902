// SPDX-License-Identifier: Apache-2.0
// Which records of changes may go; that the fiftieth newest is the last is in recover_test.cpp.
#include "kubelet_sysctl/transaction/purge.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl {
namespace {

transaction::Transaction closed(const std::string& id, std::int64_t at_ms,
                                transaction::TransactionState state) {
  transaction::Transaction one;
  one.id = id;
  one.at_ms = at_ms;
  one.unit = "kubelet.service";
  one.state = state;
  return one;
}

std::string ids_of(const std::vector<transaction::Transaction>& records) {
  std::string ids;
  for (const transaction::Transaction& one : records) ids += one.id;
  return ids;
}

using State = transaction::TransactionState;

TEST(Purge, TakesWhatIsOlderAndThatNothingNeeds) {
  const std::vector<transaction::Transaction> all = {
      closed("a", 10, State::kRolledBack), closed("b", 20, State::kConfirmed),
      closed("c", 30, State::kOvertaken), closed("d", 40, State::kConfirmed),
      closed("e", 50, State::kRolledBack)};
  // 'd' is what undo takes back, and says what the list must hold.
  EXPECT_EQ(ids_of(transaction::purgeable(all, 100)), "abce");
  EXPECT_EQ(ids_of(transaction::purgeable(all, 30)), "ab");
  EXPECT_EQ(ids_of(transaction::purgeable(all, 10)), "");
}

TEST(Purge, NeverTakesAnOpenChangeOrATrial) {
  const std::vector<transaction::Transaction> all = {
      closed("a", 10, State::kPlanned), closed("b", 20, State::kWritten),
      closed("c", 30, State::kStranded), closed("d", 40, State::kTrial),
      closed("e", 50, State::kConfirmed)};
  EXPECT_EQ(ids_of(transaction::purgeable(all, 100)), "");
}

TEST(Purge, KeepsTheUndoOfAChangeThatIsKept) {
  // The clock was put back between the two: the undo is old, the change is not.
  std::vector<transaction::Transaction> all = {
      closed("a", 10, State::kConfirmed), closed("b", 90, State::kConfirmed),
      closed("c", 20, State::kConfirmed), closed("d", 95, State::kConfirmed)};
  all[2].undoes = "b";
  EXPECT_EQ(ids_of(transaction::purgeable(all, 50)), "a");
  std::swap(all[1], all[2]);  // ids are times: the undo is listed first
  EXPECT_EQ(ids_of(transaction::purgeable(all, 50)), "a");
  std::swap(all[1], all[2]);
  EXPECT_EQ(ids_of(transaction::purgeable(all, 100)), "abc");
}

TEST(Purge, KeepsTheNewestThatDecidesForEachUnit) {
  std::vector<transaction::Transaction> all = {closed("a", 10, State::kConfirmed),
                                               closed("b", 20, State::kConfirmed),
                                               closed("c", 30, State::kConfirmed)};
  all[1].unit = "k3s.service";
  EXPECT_EQ(ids_of(transaction::purgeable(all, 100)), "a");
}

}  // namespace
}  // namespace kubelet_sysctl
