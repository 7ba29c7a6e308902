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
#include "kubelet_sysctl/recover.hpp"

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

constexpr FilesFound kAllFiles[] = {FilesFound::kOld, FilesFound::kNew, FilesFound::kMixed,
                                    FilesFound::kForeign, FilesFound::kForeignMixed};

/// Every state of files, process and options.
std::vector<RecoveryFacts> all_facts() {
  std::vector<RecoveryFacts> all;
  for (const TransactionState state : all_transaction_states()) {
    for (const FilesFound files : kAllFiles) {
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

bool condition_holds(const std::string& text, const RecoveryFacts& facts) {
  if (text == "–") return true;
  if (text == "the trial is over") return facts.trial_over;
  if (text == "`--no-rollback`") return !facts.rollback;
  if (text == "no restart was wanted") return !facts.restart;
  if (text == "the kubelet runs with it") return facts.runs_new;
  ADD_FAILURE() << "a condition that this test does not know: " << text;
  return false;
}

bool fits(const Cells& row, const RecoveryFacts& facts) {
  return listed(row[0]).contains(name_of(facts.state)) &&
         (row[1] == "any" || listed(row[1]).contains(name_of(facts.files))) &&
         condition_holds(row[2], facts);
}

TEST(TransactionsDocument, SaysOfEveryCombinationWhatRecoveryDoes) {
  const auto rows = rows_below("| state | files | and | recovery |");
  ASSERT_FALSE(rows.empty());
  std::vector<std::size_t> used(rows.size());
  for (const RecoveryFacts& facts : all_facts()) {
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&facts](const Cells& one) { return fits(one, facts); });
    ASSERT_NE(row, rows.end()) << name_of(facts.state) << ", files " << name_of(facts.files);
    EXPECT_EQ((*row)[3], name_of(decide_recovery(facts)))
        << name_of(facts.state) << ", files " << name_of(facts.files);
    ++used[static_cast<std::size_t>(row - rows.begin())];
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_GT(used[i], 0u) << "no combination reaches row " << i + 1;
  }
}

/// Whether the next run has nothing left to do with a change in this state, whatever it finds.
bool is_an_end(TransactionState state) {
  const auto all = all_facts();
  return std::all_of(all.begin(), all.end(), [state](const RecoveryFacts& facts) {
    return facts.state != state || decide_recovery(facts) == RecoveryAction::kNothing;
  });
}

TEST(TransactionsDocument, ListsEveryStateAndWhetherItIsTheEnd) {
  std::vector<Cells> wanted;
  for (const TransactionState state : all_transaction_states()) {
    wanted.push_back({name_of(state), is_an_end(state) ? "yes" : "no"});
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
  for (const RecoveryFacts& facts : all_facts()) {
    if (facts.state == TransactionState::kTrial) continue;
    Transaction one;
    one.state = facts.state;
    one.rollback = facts.rollback;
    EXPECT_EQ(is_unfinished(one), decide_recovery(facts) != RecoveryAction::kNothing)
        << name_of(facts.state);
  }
}

}  // namespace
}  // namespace kubelet_sysctl
