// SPDX-License-Identifier: Apache-2.0
// The words of errors, and the end of a run whose own invariants broke.
#include <string>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"

namespace kubelet_sysctl {
namespace {

TEST(Error, EveryKindHasTheWordThatJsonUses) {
  EXPECT_STREQ(name_of(ErrorKind::kUsage), "usage");
  EXPECT_STREQ(name_of(ErrorKind::kBadEntry), "bad-entry");
  EXPECT_STREQ(name_of(ErrorKind::kMalformed), "malformed");
  EXPECT_STREQ(name_of(ErrorKind::kNoSystemd), "no-systemd");
  EXPECT_STREQ(name_of(ErrorKind::kInterrupted), "interrupted");
}

TEST(ErrorDeathTest, AValueThatIsNotThereEndsTheProgramWithItsPlace) {
  const Result<int> failed = Error{.kind = ErrorKind::kIo, .message = "x"};
  EXPECT_DEATH(static_cast<void>(*failed), "bug: value of a Result that holds an error");
}

}  // namespace
}  // namespace kubelet_sysctl
