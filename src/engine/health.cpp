// SPDX-License-Identifier: Apache-2.0
// The kubelet's health endpoint, asked so that no other process can answer for it.
#include "health.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "kubelet_sysctl/procfs.hpp"

namespace kubelet_sysctl {
namespace {

/// A wrapper has one kubelet below it; more processes than this are no kubelet's set-up.
constexpr std::size_t kMostProcesses = 64;

/// Processes that `pid` forked and that still live. Empty where the kernel does not tell
/// (CONFIG_PROC_CHILDREN). Source: proc(5), /proc/PID/task/TID/children.
Result<std::vector<std::int64_t>> children_of(FileSystem& files, std::int64_t pid) {
  auto file = files.read(fmt::format("/proc/{0}/task/{0}/children", pid));
  if (!file) return std::move(file).error();
  std::vector<std::int64_t> children;
  const char* at = file->bytes.data();
  const char* end = at + file->bytes.size();
  while (at < end) {
    std::int64_t child = 0;
    const auto parsed = std::from_chars(at, end, child);
    if (parsed.ec == std::errc()) children.push_back(child);
    at = std::max(parsed.ptr, at + 1);
  }
  return children;
}

Result<bool> holds_socket(FileSystem& files, std::int64_t pid,
                          const std::set<std::string>& sockets) {
  auto descriptors = files.list(fmt::format("/proc/{}/fd", pid));
  if (!descriptors) return std::move(descriptors).error();
  return std::any_of(descriptors->begin(), descriptors->end(),
                     [&sockets](const DirEntry& entry) { return sockets.contains(entry.target); });
}

/// Sockets that listen on `port` in the network namespace of `pid`, as /proc/PID/fd shows them.
Result<std::set<std::string>> listening_sockets(FileSystem& files, std::int64_t pid, int port) {
  std::set<std::string> sockets;
  for (const std::string_view table : {"tcp", "tcp6"}) {
    auto file = files.read(fmt::format("/proc/{}/net/{}", pid, table));
    if (!file) return std::move(file).error();
    for (const std::uint64_t inode : listening_inodes(file->bytes, port)) {
      sockets.insert(fmt::format("socket:[{}]", inode));
    }
  }
  return sockets;
}

}  // namespace

Result<bool> listens_on(FileSystem& files, std::int64_t pid, int port) {
  auto sockets = listening_sockets(files, pid, port);
  if (!sockets) return std::move(sockets).error();
  std::vector<std::int64_t> family = {pid};
  for (std::size_t i = 0; i < family.size() && i < kMostProcesses && !sockets->empty(); ++i) {
    auto held = holds_socket(files, family[i], *sockets);
    if (!held) return std::move(held).error();
    if (*held) return true;
    auto children = children_of(files, family[i]);
    if (!children) return std::move(children).error();
    family.insert(family.end(), children->begin(), children->end());
  }
  return false;
}

HealthSeen ask_health_of(Ports& ports, const std::string& address, int port,
                         Milliseconds deadline) {
  const auto answer = ports.health.get(address, port, "/healthz", deadline);
  if (!answer) return {.ok = false, .detail = answer.error().message};
  constexpr int kOk = 200;
  if (answer->status == kOk) return {.ok = true, .detail = "ok"};
  return {.ok = false, .detail = fmt::format("http {}", answer->status)};
}

Result<HealthSeen> probe_health(Ports& ports, std::int64_t pid, const std::string& address,
                                int port, Milliseconds deadline) {
  HealthSeen seen = ask_health_of(ports, address, port, deadline);
  if (!seen.ok) return seen;
  auto own = listens_on(ports.files, pid, port);
  if (!own) return std::move(own).error();
  if (*own) return seen;
  return HealthSeen{.ok = false, .detail = fmt::format("another process answers on port {}", port)};
}

}  // namespace kubelet_sysctl
