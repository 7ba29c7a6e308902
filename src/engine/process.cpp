// SPDX-License-Identifier: Apache-2.0
// The main process of a unit, read from /proc so that a reused number cannot deceive.
#include "process.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace kubelet_sysctl {
namespace {

/// Clock ticks of /proc in a second, for every architecture that runs a kubelet. Source: proc(5),
/// USER_HZ.
constexpr std::uint64_t kTicksPerSecond = 100;

/// Words of a process between two looks at its start that agree; nothing when it ended meanwhile.
Result<std::optional<Process>> read_once(FileSystem& files, std::int64_t pid, bool& changed) {
  const std::string directory = fmt::format("/proc/{}", pid);
  auto before = files.read(directory + "/stat");
  if (!before) return std::move(before).error();
  if (before->bytes.empty() || is_dead(before->bytes)) return std::optional<Process>();
  auto words = files.read(directory + "/cmdline");
  if (!words) return std::move(words).error();
  auto after = files.read(directory + "/stat");
  if (!after) return std::move(after).error();
  if (after->bytes.empty() || is_dead(after->bytes)) return std::optional<Process>();
  auto first = parse_start_ticks(before->bytes);
  if (!first) return std::move(first).error();
  auto second = parse_start_ticks(after->bytes);
  if (!second) return std::move(second).error();
  changed = *first != *second;
  return std::optional<Process>(Process{
      .pid = pid, .start_ticks = *second, .started_at_ms = 0, .argv = parse_cmdline(words->bytes)});
}

}  // namespace

Result<std::optional<Process>> read_process(FileSystem& files, std::int64_t pid) {
  // A number is reused at most now and then: a second reading settles it.
  constexpr int kReadings = 3;
  for (int reading = 0; reading < kReadings; ++reading) {
    bool changed = false;
    auto process = read_once(files, pid, changed);
    if (!process || !changed) return process;
  }
  return std::optional<Process>();
}

std::int64_t started_at_ms(Ports& ports, const UnitState& state, const Process& process) {
  if (state.main_start_usec != 0 && state.main_pid == process.pid) {
    // steady_clock is CLOCK_MONOTONIC on Linux, the clock of ExecMainStartTimestampMonotonic.
    const auto now =
        std::chrono::duration_cast<std::chrono::microseconds>(ports.clock.now().time_since_epoch());
    const auto age_us = now.count() - static_cast<std::int64_t>(state.main_start_usec);
    constexpr std::int64_t kMicroseconds = 1000;
    return ports.clock.wall_ms() - age_us / kMicroseconds;
  }
  const auto stat = ports.files.read("/proc/stat");
  if (!stat) return 0;
  const auto boot = parse_boot_time_ms(stat->bytes);
  if (!boot) return 0;
  constexpr std::uint64_t kMilliseconds = 1000;
  return *boot + static_cast<std::int64_t>(process.start_ticks * kMilliseconds / kTicksPerSecond);
}

Result<std::optional<Process>> read_main_process(Ports& ports, const UnitState& state) {
  if (state.main_pid == 0) return std::optional<Process>();
  auto process = read_process(ports.files, state.main_pid);
  if (process && process->has_value()) {
    (*process)->started_at_ms = started_at_ms(ports, state, **process);
  }
  return process;
}

}  // namespace kubelet_sysctl
