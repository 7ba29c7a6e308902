// SPDX-License-Identifier: Apache-2.0
// Times as text.
#include "kubelet_sysctl/base/time.hpp"

#include <fmt/format.h>

namespace kubelet_sysctl {
inline namespace base {

std::string rfc3339(std::int64_t ms_since_epoch) {
  const std::chrono::sys_time<std::chrono::milliseconds> at{
      std::chrono::milliseconds{ms_since_epoch}};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(at - day)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace base
}  // namespace kubelet_sysctl
