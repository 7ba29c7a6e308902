// SPDX-License-Identifier: Apache-2.0
// The /proc of a pretend node: files as Linux writes them, for the processes of a fake manager.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kubelet_sysctl {

/// A process as /proc shows it.
struct FakeProcess {
  std::int64_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::vector<std::string> argv;
  std::string control_group;
  int listens_on = 0;              ///< port of a listening socket on loopback; 0: none
  bool socket_is_foreign = false;  ///< another process holds the socket on that port
};

/// Makes /proc/stat, /proc/uptime and /proc/1 below `root`.
void write_machine(const std::string& root, std::int64_t boot_ms, int systemd_version);
/// Makes /proc/PID below `root`, or brings it up to date. Source of every form: proc(5).
void write_process(const std::string& root, const FakeProcess& process);
/// Takes /proc/PID away, as when the process is reaped.
void remove_process(const std::string& root, std::int64_t pid);

}  // namespace kubelet_sysctl
