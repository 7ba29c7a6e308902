// SPDX-License-Identifier: Apache-2.0
// Exit codes and the words of outcomes, as the design states them.
#include "kubelet_sysctl/outcome.hpp"

#include <map>

#include <gtest/gtest.h>

namespace kubelet_sysctl {
namespace {

Outcome ended(OutcomeKind kind) {
  Outcome outcome;
  outcome.kind = kind;
  return outcome;
}

TEST(Outcome, EndsWithZeroWhereTheWishedStateHoldsOrWill) {
  for (const OutcomeKind kind : {OutcomeKind::kUnchanged, OutcomeKind::kPlanned,
                                 OutcomeKind::kApplied, OutcomeKind::kPending}) {
    EXPECT_EQ(exit_code_of(ended(kind), false), 0) << name_of(kind);
  }
}

TEST(Outcome, RolledBackEndsWithFourAndStrandedWithFive) {
  EXPECT_EQ(exit_code_of(ended(OutcomeKind::kRolledBack), false), 4);
  EXPECT_EQ(exit_code_of(ended(OutcomeKind::kStranded), false), 5);
}

TEST(Outcome, OnlyUnchangedEndsWith77AndOnlyWhenAsked) {
  EXPECT_EQ(exit_code_of(ended(OutcomeKind::kUnchanged), true), 77);
  EXPECT_EQ(exit_code_of(ended(OutcomeKind::kPlanned), true), 0);
  EXPECT_EQ(exit_code_of(ended(OutcomeKind::kApplied), true), 0);
  EXPECT_EQ(exit_code_of(ended(OutcomeKind::kPending), true), 0);
  EXPECT_EQ(exit_code_of(ended(OutcomeKind::kRolledBack), true), 4);
  EXPECT_EQ(exit_code_of(ended(OutcomeKind::kStranded), true), 5);
}

TEST(Outcome, EveryKindOfErrorHasTheCodeOfItsClass) {
  const std::map<ErrorKind, int> wanted = {
      {ErrorKind::kUsage, 2},       {ErrorKind::kBadEntry, 2},   {ErrorKind::kRefused, 3},
      {ErrorKind::kUnsupported, 3}, {ErrorKind::kLocked, 7},     {ErrorKind::kMalformed, 1},
      {ErrorKind::kNotFound, 1},    {ErrorKind::kPermission, 1}, {ErrorKind::kConflict, 1},
      {ErrorKind::kIo, 1},          {ErrorKind::kNoSystemd, 1},  {ErrorKind::kTimeout, 1},
      {ErrorKind::kInterrupted, 1}};
  for (const auto& [kind, code] : wanted) {
    EXPECT_EQ(exit_code_of(Error{.kind = kind}), code) << name_of(kind);
  }
}

TEST(Outcome, TheTableHoldsTheNineCodesOfTheDesignInOrder) {
  std::vector<int> codes;
  for (const ExitCode& code : exit_codes()) codes.push_back(code.code);
  EXPECT_EQ(codes, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 77}));
}

TEST(Outcome, TheWordsAreThoseOfTheJson) {
  EXPECT_STREQ(name_of(OutcomeKind::kUnchanged), "unchanged");
  EXPECT_STREQ(name_of(OutcomeKind::kPlanned), "planned");
  EXPECT_STREQ(name_of(OutcomeKind::kApplied), "applied");
  EXPECT_STREQ(name_of(OutcomeKind::kPending), "pending");
  EXPECT_STREQ(name_of(OutcomeKind::kRolledBack), "rolled-back");
  EXPECT_STREQ(name_of(OutcomeKind::kStranded), "stranded");
}

}  // namespace
}  // namespace kubelet_sysctl
