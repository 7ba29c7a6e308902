// SPDX-License-Identifier: Apache-2.0
// The main process of a unit, read from /proc so that a reused number cannot deceive.
#include "kubelet_sysctl/discover/process.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/ports/paths.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {
namespace {

/// Clock ticks of /proc in a second, for every architecture that runs a kubelet. Source: proc(5),
/// USER_HZ.
constexpr std::uint64_t kTicksPerSecond = 100;

/// Words of a process between two inspects its start that agree; nothing when it ended meanwhile.
Result<std::optional<Process>> read_once(ports::FileSystem& files, std::int64_t pid,
                                         bool& changed) {
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

/// Control groups of processes that no unit starts for itself: what a pod or a container runs in.
constexpr std::array<std::string_view, 4> kContainerGroups = {"docker-", "/docker/", "libpod-",
                                                              "crio-"};

/// True when a process of control group `group` may be the kubelet that `unit_group` started.
bool is_in_place(const std::string& group, const std::string& unit_group,
                 nodes::KubeletPlace place) {
  if (place == nodes::KubeletPlace::kChild) {
    return !unit_group.empty() && (group == unit_group || group.starts_with(unit_group + "/"));
  }
  // A kubelet in a pod is a user's test cluster.
  if (group.find("kubepods") != std::string::npos) return false;
  return std::any_of(kContainerGroups.begin(), kContainerGroups.end(),
                     [&](std::string_view part) { return group.find(part) != std::string::npos; });
}

/// Every process of the node whose first word is a kubelet and that is in its place.
Result<std::vector<Process>> kubelets_in_place(ports::Ports& ports, const std::string& unit_group,
                                               nodes::KubeletPlace place) {
  auto entries = ports.files.list("/proc");
  if (!entries) return std::move(entries).error();
  std::vector<Process> found;
  for (const ports::DirEntry& entry : *entries) {
    if (!is_number(entry.name)) continue;
    const std::string directory = "/proc/" + entry.name;
    const auto words = ports.files.read(directory + "/cmdline");
    if (!words || words->bytes.empty()) continue;  // it ended, or is the kernel's
    if (!is_kubelet(parse_cmdline(words->bytes))) continue;
    const auto groups = ports.files.read(directory + "/cgroup");
    if (!groups || !is_in_place(control_group_of(groups->bytes), unit_group, place)) continue;
    auto process = read_process(ports.files, std::stoll(entry.name));
    if (!process) return std::move(process).error();
    if (*process) found.push_back(std::move(**process));
  }
  return found;
}

/// The wall clock at `ticks` after the boot, never later than it was; 0 when the kernel does not say.
std::int64_t wall_ms_of(ports::Ports& ports, std::uint64_t ticks) {
  constexpr std::int64_t kMilliseconds = 1000;
  const auto since_boot = static_cast<std::int64_t>(ticks * kMilliseconds / kTicksPerSecond);
  // The time of the boot is reported in whole seconds; what has passed since in hundredths.
  const std::int64_t now_ms = ports.clock.wall_ms();
  const auto uptime = ports.files.read("/proc/uptime");
  if (uptime) {
    if (const auto up_ms = parse_uptime_ms(uptime->bytes)) {
      constexpr std::int64_t kTick = kMilliseconds / static_cast<std::int64_t>(kTicksPerSecond);
      return now_ms - (*up_ms + kTick - since_boot);
    }
  }
  const auto stat = ports.files.read("/proc/stat");
  if (!stat) return 0;
  const auto boot = parse_boot_time_ms(stat->bytes);
  return boot ? *boot + since_boot : 0;
}

/// When a process of several threads became `program`, which a script before it ends as: the start of its first
/// thread. 0 when it is not that program yet, or it is unknown. The first thread of a Go program is made
/// before its main() and never ends; exec() ends those of the program before. Source: Go runtime/proc.go main(),
/// sysmon; execve(2).
std::int64_t program_began_at_ms(ports::Ports& ports, const Process& process,
                                 std::string_view program) {
  if (process.argv.empty()) return 0;
  const std::string& name = process.argv.front();
  if (base_name(name) != program) return 0;
  const std::string directory = fmt::format("/proc/{}/task", process.pid);
  const auto threads = ports.files.list(directory);
  if (!threads) return 0;
  std::optional<std::uint64_t> first;
  for (const ports::DirEntry& thread : *threads) {
    if (thread.name == std::to_string(process.pid)) continue;
    const auto stat = ports.files.read(fmt::format("{}/{}/stat", directory, thread.name));
    if (!stat || stat->bytes.empty()) continue;  // it ended
    const auto ticks = parse_start_ticks(stat->bytes);
    if (ticks && (!first || *ticks < *first)) first = *ticks;
  }
  return first ? wall_ms_of(ports, *first) : 0;
}

/// When the launcher wrote the number of this very process, and the grain of the clock: both files have their times
/// from the same clock, so one that is not younger was there before. 0 when the file names no such process.
std::int64_t named_at_ms(ports::Ports& ports, const Process& process, std::string_view pid_file) {
  const auto file = ports.files.read(std::string(pid_file));
  if (!file || file->bytes != fmt::format("{}\n", process.pid)) return 0;
  constexpr std::int64_t kNanoseconds = 1000000;
  return file->meta.ctime_ns / kNanoseconds + kClockGrain.count();
}

}  // namespace

bool is_kubelet(const std::vector<std::string>& words) {
  const auto start = kubelet::kubelet_arguments_start(words);
  return start && (*start == 1 || (*start == 2 && base_name(words.front()) == "hyperkube"));
}

Result<std::optional<Process>> read_process(ports::FileSystem& files, std::int64_t pid) {
  // A number is reused at most now and then: a second reading settles it.
  constexpr int kReadings = 3;
  for (int reading = 0; reading < kReadings; ++reading) {
    bool changed = false;
    auto process = read_once(files, pid, changed);
    if (!process || !changed) return process;
  }
  return std::optional<Process>();
}

void take_by_arguments(Process& process, const std::vector<std::string>& unit_argv) {
  const auto start = kubelet::kubelet_arguments_start(unit_argv);
  if (!start || *start >= unit_argv.size() || kubelet::kubelet_arguments_start(process.argv))
    return;
  const auto first = unit_argv.begin() + static_cast<std::ptrdiff_t>(*start);
  const bool same = !process.argv.empty() && std::equal(process.argv.begin() + 1,
                                                        process.argv.end(), first, unit_argv.end());
  if (same) process.argv.front() = unit_argv[*start - 1];
}

std::int64_t started_at_ms(ports::Ports& ports, const ports::UnitState& state,
                           const Process& process) {
  if (state.main_start_usec != 0 && state.main_pid == process.pid) {
    // steady_clock is CLOCK_MONOTONIC on Linux, the clock of ExecMainStartTimestampMonotonic.
    const auto now =
        std::chrono::duration_cast<std::chrono::microseconds>(ports.clock.now().time_since_epoch());
    const auto age_us = now.count() - static_cast<std::int64_t>(state.main_start_usec);
    constexpr std::int64_t kMicroseconds = 1000;
    return ports.clock.wall_ms() - age_us / kMicroseconds;
  }
  return wall_ms_of(ports, process.start_ticks);
}

std::int64_t read_not_before_ms(ports::Ports& ports, const nodes::KubeletLauncher& launcher,
                                const Process& process) {
  // A kubelet that shows its arguments is proved by them, or by its configuration, which no script writes.
  if (!launcher.becomes.empty() && launcher.place == nodes::KubeletPlace::kInside) {
    return program_began_at_ms(ports, process, launcher.becomes);
  }
  if (launcher.pid_file.empty()) return process.started_at_ms;
  return std::max(process.started_at_ms, named_at_ms(ports, process, launcher.pid_file));
}

Result<std::optional<Process>> read_main_process(ports::Ports& ports,
                                                 const ports::UnitState& state) {
  if (state.main_pid == 0) return std::optional<Process>();
  auto process = read_process(ports.files, state.main_pid);
  if (process && process->has_value()) {
    (*process)->started_at_ms = started_at_ms(ports, state, **process);
  }
  return process;
}

Result<std::optional<Process>> read_kubelet_process(ports::Ports& ports,
                                                    const ports::UnitState& state,
                                                    nodes::KubeletPlace place) {
  if (place == nodes::KubeletPlace::kInside) return read_main_process(ports, state);
  if (place == nodes::KubeletPlace::kMain) {
    auto found = read_main_process(ports, state);
    if (!found || !*found || is_kubelet((*found)->argv)) return found;
    // A wrapper that stays (systemd-inhibit, a script without exec) has the kubelet as its child.
    auto children = kubelets_in_place(ports, state.control_group, nodes::KubeletPlace::kChild);
    if (!children || children->size() != 1) return found;
    Process child = std::move(children->front());
    child.started_at_ms = started_at_ms(ports, state, child);
    return std::optional<Process>(std::move(child));
  }
  if (state.main_pid == 0) return std::optional<Process>();
  auto found = kubelets_in_place(ports, state.control_group, place);
  if (!found) return std::move(found).error();
  if (found->size() != 1) return std::optional<Process>();
  Process process = std::move(found->front());
  process.started_at_ms = started_at_ms(ports, state, process);
  return std::optional<Process>(std::move(process));
}

}  // namespace kubelet_sysctl::discover
