// SPDX-License-Identifier: Apache-2.0
// Times: how long, when, and as text.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace kubelet_sysctl {
inline namespace base {

using Milliseconds = std::chrono::milliseconds;
/// Monotonic time since some fixed point; only differences mean something.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock>;

/// How far the kernel's clock of file times may lag behind the one of process starts: one tick, at most
/// 10 ms (CONFIG_HZ=100). Source: ktime_get_coarse_real_ts64() in current_time(), fs/inode.c.
inline constexpr Milliseconds kClockGrain{10};

/// RFC 3339 in UTC, to the second: "2026-11-20T22:57:26Z".
std::string rfc3339(std::int64_t ms_since_epoch);

/// How far `at_ms` is from `now_ms`: "12 s ago", "in 9 min", "now".
std::string relative_text(std::int64_t at_ms, std::int64_t now_ms);

}  // namespace base
}  // namespace kubelet_sysctl
