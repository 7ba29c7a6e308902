// SPDX-License-Identifier: Apache-2.0
// The /proc of a pretend node.
#include "support/fake_proc.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace kubelet_sysctl {
namespace {

constexpr std::int64_t kForeignPid = 77;

void put(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

void link(const std::filesystem::path& path, const std::string& target) {
  std::filesystem::create_directories(path.parent_path());
  std::filesystem::remove(path);
  std::filesystem::create_symlink(target, path);
}

/// Fields 3 to 52 of /proc/PID/stat; only the state and the start time mean something here.
std::string stat_line(const FakeProcess& process) {
  std::string line = fmt::format("{} (kubelet) S 1", process.pid);
  for (int field = 5; field <= 52; ++field) {
    line += field == 22 ? fmt::format(" {}", process.start_ticks) : " 0";
  }
  return line + "\n";
}

std::uint64_t inode_of(const FakeProcess& process) {
  return 40000U + static_cast<std::uint64_t>(process.pid);
}

std::string tcp_table(const FakeProcess& process) {
  std::string table =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n";
  if (process.listens_on == 0) return table;
  table += fmt::format(
      "   0: 0100007F:{:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        "
      "0 "
      "{} 1 0000000000000000 100 0 0 10 0\n",
      process.listens_on, inode_of(process));
  return table;
}

}  // namespace

void write_machine(const std::string& root, std::int64_t boot_ms, int systemd_version) {
  const std::filesystem::path proc = root + "/proc";
  put(proc / "stat",
      fmt::format("cpu  1 0 1 1 0 0 0 0 0 0\nbtime {}\nprocesses 1\n", boot_ms / 1000));
  put(proc / "uptime", "3446.00 6000.00\n");
  put(proc / "1/comm", "systemd\n");
  put(proc / "1/maps", fmt::format("7f0000000000-7f0000100000 r-xp 00000000 08:01 1234    "
                                   "/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-{}.so\n",
                                   systemd_version));
}

void write_process(const std::string& root, const FakeProcess& process) {
  const std::filesystem::path directory = fmt::format("{}/proc/{}", root, process.pid);
  put(directory / "stat", stat_line(process));
  std::string words;
  for (const std::string& word : process.argv) words += word + '\0';
  put(directory / "cmdline", words);
  put(directory / "cgroup", fmt::format("0::{}\n", process.control_group));
  put(directory / "environ", std::string("LANG=C.UTF-8\0", 13));
  put(directory / "net/tcp", tcp_table(process));
  put(directory / "net/tcp6", tcp_table({}));
  put(directory / fmt::format("task/{}/children", process.pid), "");
  link(directory / "cwd", "/");
  link(directory / "fd/0", "/dev/null");
  const std::filesystem::path foreign = fmt::format("{}/proc/{}/fd/3", root, kForeignPid);
  std::filesystem::remove(directory / "fd/3");
  std::filesystem::remove(foreign);
  if (process.listens_on == 0) return;
  const std::string socket = fmt::format("socket:[{}]", inode_of(process));
  link(process.socket_is_foreign ? foreign : directory / "fd/3", socket);
}

void remove_process(const std::string& root, std::int64_t pid) {
  std::filesystem::remove_all(fmt::format("{}/proc/{}", root, pid));
}

}  // namespace kubelet_sysctl
