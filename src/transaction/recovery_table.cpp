// SPDX-License-Identifier: Apache-2.0
// The table of recovery: from what was found to what is done about it.
#include "kubelet_sysctl/transaction/recovery_table.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {

const char* name_of(FilesFound found) {
  // In the order of FilesFound.
  constexpr std::array kNames = {"old", "new", "mixed", "foreign", "foreign and mixed"};
  return kNames[static_cast<std::size_t>(found)];
}

const char* name_of(RecoveryAction action) {
  // In the order of RecoveryAction.
  constexpr std::array kNames = {"nothing", "undo",  "confirm",
                                 "finish",  "leave", "ask the operator"};
  return kNames[static_cast<std::size_t>(action)];
}

RecoveryAction decide_recovery(const RecoveryFacts& facts) {
  switch (facts.state) {
    case TransactionState::kConfirmed:
    case TransactionState::kPending:
    case TransactionState::kRolledBack:
    case TransactionState::kOvertaken:
      return RecoveryAction::kNothing;
    case TransactionState::kTrial:
      return facts.trial_over ? RecoveryAction::kUndo : RecoveryAction::kNothing;
    case TransactionState::kStranded:
      if (!facts.rollback) return RecoveryAction::kNothing;
      break;
    case TransactionState::kPlanned:
    case TransactionState::kWritten:
    case TransactionState::kRestarted:
      break;
  }
  switch (facts.files) {
    case FilesFound::kForeign:
      return RecoveryAction::kLeave;
    case FilesFound::kForeignMixed:
      return RecoveryAction::kAskPerson;
    case FilesFound::kOld:
    case FilesFound::kMixed:
      return RecoveryAction::kUndo;
    case FilesFound::kNew:
      break;
  }
  // The list of a stranded change was seen to fail: a window without a failure is no proof now.
  if (facts.trial_over || facts.state == TransactionState::kStranded) return RecoveryAction::kUndo;
  if (!facts.restart) return RecoveryAction::kFinish;
  return facts.runs_new ? RecoveryAction::kConfirm : RecoveryAction::kUndo;
}

std::string unfinished_line(const std::vector<Transaction>& transactions, std::int64_t now_ms,
                            const std::string& boot_id) {
  // The newest speaks: what is before it can only be closed after it.
  const auto open =
      std::find_if(transactions.rbegin(), transactions.rend(), [&](const Transaction& one) {
        const bool late_trial =
            one.state == TransactionState::kTrial && is_over(one, now_ms, boot_id);
        return is_unfinished(one) || late_trial;
      });
  if (open == transactions.rend()) return {};
  const std::string by = open->sudo_user.empty() ? std::string() : ", by " + open->sudo_user;
  if (open->state == TransactionState::kTrial) {
    return fmt::format("the trial {} ({}{}) is over and its change was not undone", open->id,
                       planning::name_of(open->verb), by);
  }
  return fmt::format("the change {} ({}{}) was not finished: it is {}", open->id,
                     planning::name_of(open->verb), by, name_of(open->state));
}

}  // namespace kubelet_sysctl::transaction
