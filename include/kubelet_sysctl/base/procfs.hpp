// SPDX-License-Identifier: Apache-2.0
// The few files of /proc that tie a process to a unit and its arguments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"

namespace kubelet_sysctl {
inline namespace base {

/// One process. `start_ticks` distinguishes a process from a later one that reuses its number.
struct Process {
  std::int64_t pid = 0;
  std::uint64_t start_ticks = 0;   ///< field 22 of /proc/PID/stat, clock ticks since boot
  std::int64_t started_at_ms = 0;  ///< milliseconds since the epoch, UTC; 0 when unknown
  std::vector<std::string> argv;
  bool operator==(const Process&) const = default;
};

/// Words of /proc/PID/cmdline: each ended by a NUL, an empty word is kept. Source: proc(5).
std::vector<std::string> parse_cmdline(std::string_view bytes);

/// Field 22 of /proc/PID/stat. The second field may hold blanks and brackets, so fields are counted
/// after the last ')'. Errors: kMalformed. Source: proc(5).
Result<std::uint64_t> parse_start_ticks(std::string_view stat);

/// True when /proc/PID/stat says the process is a zombie or dead (state Z or X).
bool is_dead(std::string_view stat);

/// `btime` of /proc/stat in milliseconds since the epoch.
std::optional<std::int64_t> parse_boot_time_ms(std::string_view proc_stat);

/// The first number of /proc/uptime in milliseconds. Source: proc(5); hundredths of a second.
std::optional<std::int64_t> parse_uptime_ms(std::string_view proc_uptime);

/// Inode numbers of sockets that listen on `port`, from /proc/PID/net/tcp or tcp6.
std::vector<std::uint64_t> listening_inodes(std::string_view net_tcp, int port);

/// The unit's control group as /proc/PID/cgroup says it, by the rule of reference to the three cgroup
/// layouts: the name=systemd line unless its path is "/" and the 0:: line is longer.
std::string control_group_of(std::string_view proc_cgroup);

/// systemd's version from the name of its shared library in /proc/1/maps: 252 from
/// "libsystemd-shared-252.so".
std::optional<int> systemd_version_in_maps(std::string_view maps);

}  // namespace base
}  // namespace kubelet_sysctl
