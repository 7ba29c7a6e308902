// SPDX-License-Identifier: Apache-2.0
// docs/transactions.md against the states of a transaction and the table of recovery.
#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "docs/tables.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/recover.hpp"
#include "kubelet_sysctl/transaction/recovery_table.hpp"

namespace kubelet_sysctl {
namespace {

using Cells = std::vector<std::string>;

/// The cells of "| a | b |".
Cells cells_of_row(const std::string& row) {
  Cells cells;
  std::istringstream rest(row.substr(1));
  for (std::string cell; std::getline(rest, cell, '|');) {
    const std::size_t begin = cell.find_first_not_of(' ');
    const std::size_t end = cell.find_last_not_of(' ');
    cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, end - begin + 1));
  }
  return cells;
}

std::vector<Cells> rows_below(const std::string& head) {
  std::vector<Cells> rows;
  for (const std::string& row : kubelet_sysctl::rows_below("transactions.md", head)) {
    rows.push_back(cells_of_row(row));
  }
  return rows;
}

std::set<std::string> listed(const std::string& cell) {
  std::set<std::string> words;
  std::istringstream rest(cell);
  for (std::string word; std::getline(rest, word, ',');) {
    words.insert(word.substr(word.find_first_not_of(' ')));
  }
  return words;
}

constexpr transaction::FilesFound kAllFiles[] = {
    transaction::FilesFound::kOld, transaction::FilesFound::kNew, transaction::FilesFound::kMixed,
    transaction::FilesFound::kForeign, transaction::FilesFound::kForeignMixed};

/// Every state of files, process and options.
std::vector<transaction::RecoveryFacts> all_facts() {
  std::vector<transaction::RecoveryFacts> all;
  for (const transaction::TransactionState state : transaction::all_transaction_states()) {
    for (const transaction::FilesFound files : kAllFiles) {
      for (unsigned bits = 0; bits < 16; ++bits) {
        all.push_back({.state = state,
                       .files = files,
                       .runs_new = (bits & 1U) != 0,
                       .restart = (bits & 2U) != 0,
                       .rollback = (bits & 4U) != 0,
                       .trial_over = (bits & 8U) != 0});
      }
    }
  }
  return all;
}

bool condition_holds(const std::string& text, const transaction::RecoveryFacts& facts) {
  if (text == "–") return true;
  if (text == "the trial is over") return facts.trial_over;
  if (text == "`--no-rollback`") return !facts.rollback;
  if (text == "no restart was wanted") return !facts.restart;
  if (text == "the kubelet runs with it") return facts.runs_new;
  ADD_FAILURE() << "a condition that this test does not know: " << text;
  return false;
}

bool fits(const Cells& row, const transaction::RecoveryFacts& facts) {
  return listed(row[0]).contains(transaction::name_of(facts.state)) &&
         (row[1] == "any" || listed(row[1]).contains(transaction::name_of(facts.files))) &&
         condition_holds(row[2], facts);
}

TEST(TransactionsDocument, SaysOfEveryCombinationWhatRecoveryDoes) {
  const auto rows = rows_below("| state | files | and | recovery |");
  ASSERT_FALSE(rows.empty());
  std::vector<std::size_t> used(rows.size());
  for (const transaction::RecoveryFacts& facts : all_facts()) {
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&facts](const Cells& one) { return fits(one, facts); });
    ASSERT_NE(row, rows.end()) << transaction::name_of(facts.state) << ", files "
                               << transaction::name_of(facts.files);
    EXPECT_EQ((*row)[3], name_of(transaction::decide_recovery(facts)))
        << transaction::name_of(facts.state) << ", files " << transaction::name_of(facts.files);
    ++used[static_cast<std::size_t>(row - rows.begin())];
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_GT(used[i], 0u) << "no combination reaches row " << i + 1;
  }
}

/// Whether the next run has nothing left to do with a change in this state, whatever it finds.
bool is_an_end(transaction::TransactionState state) {
  const auto all = all_facts();
  return std::all_of(all.begin(), all.end(), [state](const transaction::RecoveryFacts& facts) {
    return facts.state != state ||
           transaction::decide_recovery(facts) == transaction::RecoveryAction::kNothing;
  });
}

TEST(TransactionsDocument, ListsEveryStateAndWhetherItIsTheEnd) {
  std::vector<Cells> wanted;
  for (const transaction::TransactionState state : transaction::all_transaction_states()) {
    wanted.push_back({transaction::name_of(state), is_an_end(state) ? "yes" : "no"});
  }
  std::vector<Cells> seen;
  for (const Cells& row : rows_below("| state | what it says | end |")) {
    ASSERT_EQ(row.size(), 3u);
    seen.push_back({row[0], row[2]});
  }
  EXPECT_EQ(seen, wanted);
}

/// The records that a command finds open are those that recovery has something to do with.
TEST(TransactionsDocument, CallsUnfinishedWhatRecoveryActsOn) {
  for (const transaction::RecoveryFacts& facts : all_facts()) {
    if (facts.state == transaction::TransactionState::kTrial) continue;
    transaction::Transaction one;
    one.state = facts.state;
    one.rollback = facts.rollback;
    EXPECT_EQ(transaction::is_unfinished(one),
              transaction::decide_recovery(facts) != transaction::RecoveryAction::kNothing)
        << transaction::name_of(facts.state);
  }
}

}  // namespace
}  // namespace kubelet_sysctl
