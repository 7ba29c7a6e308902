// SPDX-License-Identifier: Apache-2.0
// Dates and times at which an entry ends; moments come from date(1).
#include <gtest/gtest.h>

#include "kubelet_sysctl/desired/desired_list.hpp"

namespace kubelet_sysctl {
namespace {

// date -u -d 2027-03-02 +%s and the like.
TEST(DesiredExpiry, EndsADayWithItInUtc) {
  EXPECT_EQ(desired::expiry_of("2027-03-01"), 1803945600000);
  EXPECT_EQ(desired::expiry_of("2028-02-29"), 1835481600000);
  EXPECT_EQ(desired::expiry_of("1970-01-01"), 86400000);
}

// date -u -d 2027-03-01T12:00:00+02:00 +%s
TEST(DesiredExpiry, TakesATimeWithItsZone) {
  EXPECT_EQ(desired::expiry_of("2027-03-01T12:00:00Z"), 1803902400000);
  EXPECT_EQ(desired::expiry_of("2027-03-01T12:00:00+02:00"), 1803895200000);
  EXPECT_EQ(desired::expiry_of("2027-03-01t12:00:00.5z"), 1803902400500);
  EXPECT_EQ(desired::expiry_of("2027-03-01T12:00:00.1239-00:30"), 1803904200123);
  EXPECT_EQ(desired::expiry_of("2026-12-31T23:59:60Z"), 1798761600000);
}

TEST(DesiredExpiry, IsNothingForWhatIsNoDate) {
  for (const auto text : {"", "2027", "2027-3-1", "2027-02-29", "2027-13-01", "2027-00-10",
                          "01.03.2027", "2027-03-01 ", "2027-03-01T12:00Z", "2027-03-01T12:00:00",
                          "2027-03-01T24:00:00Z", "2027-03-01T12:60:00Z", "2027-03-01T12:00:61Z",
                          "2027-03-01T12:00:00.Z", "2027-03-01T12:00:00+2", "never",
                          "2027-03-01T12:00:00+24:00", "2027-03-01T12:00:00Zx", "+2027-03-01"}) {
    EXPECT_FALSE(desired::expiry_of(text)) << text;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
