// SPDX-License-Identifier: Apache-2.0
// Exit codes and the words of outcomes, as the design states them.

#include <map>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"

namespace kubelet_sysctl {
namespace {

transaction::Outcome ended(transaction::OutcomeKind kind) {
  transaction::Outcome outcome;
  outcome.kind = kind;
  return outcome;
}

TEST(Outcome, EndsWithZeroWhereTheWishedStateHoldsOrWill) {
  for (const transaction::OutcomeKind kind :
       {transaction::OutcomeKind::kUnchanged, transaction::OutcomeKind::kPlanned,
        transaction::OutcomeKind::kApplied, transaction::OutcomeKind::kPending}) {
    EXPECT_EQ(transaction::exit_code_of(ended(kind), false), 0) << transaction::name_of(kind);
  }
}

TEST(Outcome, RolledBackEndsWithFourAndStrandedWithFive) {
  EXPECT_EQ(transaction::exit_code_of(ended(transaction::OutcomeKind::kRolledBack), false), 4);
  EXPECT_EQ(transaction::exit_code_of(ended(transaction::OutcomeKind::kStranded), false), 5);
}

TEST(Outcome, OnlyUnchangedEndsWith77AndOnlyWhenAsked) {
  EXPECT_EQ(transaction::exit_code_of(ended(transaction::OutcomeKind::kUnchanged), true), 77);
  EXPECT_EQ(transaction::exit_code_of(ended(transaction::OutcomeKind::kPlanned), true), 0);
  EXPECT_EQ(transaction::exit_code_of(ended(transaction::OutcomeKind::kApplied), true), 0);
  EXPECT_EQ(transaction::exit_code_of(ended(transaction::OutcomeKind::kPending), true), 0);
  EXPECT_EQ(transaction::exit_code_of(ended(transaction::OutcomeKind::kRolledBack), true), 4);
  EXPECT_EQ(transaction::exit_code_of(ended(transaction::OutcomeKind::kStranded), true), 5);
}

TEST(Outcome, EveryKindOfErrorHasTheCodeOfItsClass) {
  const std::map<ErrorKind, int> wanted = {
      {ErrorKind::kUsage, 2},       {ErrorKind::kBadEntry, 2},   {ErrorKind::kRefused, 3},
      {ErrorKind::kUnsupported, 3}, {ErrorKind::kLocked, 7},     {ErrorKind::kMalformed, 1},
      {ErrorKind::kNotFound, 1},    {ErrorKind::kPermission, 1}, {ErrorKind::kConflict, 1},
      {ErrorKind::kIo, 1},          {ErrorKind::kNoSystemd, 1},  {ErrorKind::kTimeout, 1},
      {ErrorKind::kInterrupted, 1}};
  for (const auto& [kind, code] : wanted) {
    EXPECT_EQ(transaction::exit_code_of(Error{.kind = kind}), code) << name_of(kind);
  }
}

TEST(Outcome, TheTableHoldsTheNineCodesOfTheDesignInOrder) {
  std::vector<int> codes;
  for (const transaction::ExitCode& code : transaction::exit_codes()) codes.push_back(code.code);
  EXPECT_EQ(codes, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 77}));
}

TEST(Outcome, TheWordsAreThoseOfTheJson) {
  EXPECT_STREQ(name_of(transaction::OutcomeKind::kUnchanged), "unchanged");
  EXPECT_STREQ(name_of(transaction::OutcomeKind::kPlanned), "planned");
  EXPECT_STREQ(name_of(transaction::OutcomeKind::kApplied), "applied");
  EXPECT_STREQ(name_of(transaction::OutcomeKind::kPending), "pending");
  EXPECT_STREQ(name_of(transaction::OutcomeKind::kRolledBack), "rolled-back");
  EXPECT_STREQ(name_of(transaction::OutcomeKind::kStranded), "stranded");
}

}  // namespace
}  // namespace kubelet_sysctl
