// SPDX-License-Identifier: Apache-2.0
// Moments as text.
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/time.hpp"

namespace kubelet_sysctl {
namespace {

TEST(Rfc3339, IsUtcToTheSecond) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(951782400999), "2000-02-29T00:00:00Z");  // date -u -d 2000-02-29 +%s
}

TEST(RelativeText, CountsFromTwoOfAUnitOn) {
  constexpr std::int64_t kNow = 1'000'000'000;
  EXPECT_EQ(relative_text(kNow, kNow), "now");
  EXPECT_EQ(relative_text(kNow - 999, kNow), "now");
  EXPECT_EQ(relative_text(kNow - 90'000, kNow), "90 s ago");
  EXPECT_EQ(relative_text(kNow + 120'000, kNow), "in 2 min");
  EXPECT_EQ(relative_text(kNow + 7'199'000, kNow), "in 119 min");
  EXPECT_EQ(relative_text(kNow - 7'200'000, kNow), "2 h ago");
  EXPECT_EQ(relative_text(kNow - 172'800'000, kNow), "2 d ago");
}

}  // namespace
}  // namespace kubelet_sysctl
