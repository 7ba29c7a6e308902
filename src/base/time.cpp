// SPDX-License-Identifier: Apache-2.0
// Times as text.
#include "kubelet_sysctl/base/time.hpp"

#include <array>

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

std::string relative_text(std::int64_t at_ms, std::int64_t now_ms) {
  constexpr std::int64_t kSecond = 1000;
  struct Unit {
    std::int64_t ms;
    const char* name;
  };
  constexpr std::array<Unit, 4> kUnits = {
      {{86400 * kSecond, "d"}, {3600 * kSecond, "h"}, {60 * kSecond, "min"}, {kSecond, "s"}}};
  const bool past = at_ms <= now_ms;
  const std::int64_t span = past ? now_ms - at_ms : at_ms - now_ms;
  for (const Unit& unit : kUnits) {
    // From two of a unit on: "90 s" says more than "1 min".
    if (span < (unit.ms == kSecond ? unit.ms : 2 * unit.ms)) continue;
    const std::int64_t count = span / unit.ms;
    return past ? fmt::format("{} {} ago", count, unit.name)
                : fmt::format("in {} {}", count, unit.name);
  }
  return "now";
}

}  // namespace base
}  // namespace kubelet_sysctl
