// SPDX-License-Identifier: Apache-2.0
// Listening sockets as /proc shows them. The tables are read line by line: a busy node has hundreds of
// thousands of lines, of which a few listen.
#include "kubelet_sysctl/discover/sockets.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/ip_text.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/ports/part_reader.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {
namespace {

/// A wrapper has one kubelet below it; no set-up has more processes than this.
constexpr std::size_t kMostProcesses = 64;

struct Listener {
  std::uint64_t inode = 0;
  IpAddress address;
};

/// The local address of a line: "0100007F:2808", each 32 bits as a number of this machine's. Source:
/// proc(5); net/ipv4/tcp_ipv4.c get_tcp4_sock(), net/ipv6/tcp_ipv6.c.
std::optional<IpAddress> local_address(std::string_view line) {
  constexpr std::size_t kWordDigits = 8;
  const std::size_t colon = line.find(": ");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view rest = line.substr(colon + 2);
  const std::string_view digits = rest.substr(0, rest.find(':'));
  if (digits.size() != kWordDigits && digits.size() != 4 * kWordDigits) return std::nullopt;
  IpAddress address{.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0},
                    .is_v6 = digits.size() > kWordDigits};
  const std::size_t first = address.is_v6 ? 0 : 12;
  for (std::size_t word = 0; word * kWordDigits < digits.size(); ++word) {
    std::uint32_t value = 0;
    const char* begin = digits.data() + word * kWordDigits;
    const auto [stopped, fault] = std::from_chars(begin, begin + kWordDigits, value, 16);
    if (fault != std::errc{} || stopped != begin + kWordDigits) return std::nullopt;
    std::array<std::uint8_t, 4> bytes{};
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&value), 4, bytes.begin());
    std::copy(bytes.begin(), bytes.end(),
              address.bytes.begin() + static_cast<std::ptrdiff_t>(first + word * 4));
  }
  return address;
}

/// Every socket that listens on `port` in the network namespace of `pid`.
Result<std::vector<Listener>> listeners_on(ports::FileSystem& files, std::int64_t pid, int port) {
  std::vector<Listener> found;
  const auto take = [&](std::string_view line) {
    for (const std::uint64_t inode : listening_inodes(line, port)) {
      if (const auto address = local_address(line)) {
        found.push_back({.inode = inode, .address = *address});
      }
    }
  };
  for (const std::string_view table : {"tcp", "tcp6"}) {
    auto read = ports::read_lines(files, fmt::format("/proc/{}/net/{}", pid, table), take);
    if (!read) return std::move(read).error();
  }
  return found;
}

/// Processes that `pid` forked and that still live. Empty where the kernel does not say
/// (CONFIG_PROC_CHILDREN). Source: proc(5), /proc/PID/task/TID/children.
Result<std::vector<std::int64_t>> children_of(ports::FileSystem& files, std::int64_t pid) {
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

/// Those of `listeners` that `pid` and its children hold, as /proc/PID/fd shows them.
Result<std::set<std::uint64_t>> held_by(ports::FileSystem& files, std::int64_t pid,
                                        const std::vector<Listener>& listeners) {
  std::set<std::uint64_t> held;
  std::vector<std::int64_t> family = {pid};
  for (std::size_t i = 0; i < family.size() && i < kMostProcesses && !listeners.empty(); ++i) {
    auto descriptors = files.list(fmt::format("/proc/{}/fd", family[i]));
    if (!descriptors) return std::move(descriptors).error();
    for (const Listener& one : listeners) {
      const std::string name = fmt::format("socket:[{}]", one.inode);
      const bool has =
          std::any_of(descriptors->begin(), descriptors->end(),
                      [&name](const ports::DirEntry& entry) { return entry.target == name; });
      if (has) held.insert(one.inode);
    }
    if (held.size() == listeners.size()) break;
    auto children = children_of(files, family[i]);
    if (!children) return std::move(children).error();
    // Not insert() of a range: g++ 14 with -O2 takes it for one that may overflow.
    for (const std::int64_t child : *children) family.push_back(child);
  }
  return held;
}

bool is_wildcard(const IpAddress& address) {
  const auto begin = address.bytes.begin() + (address.is_v6 ? 0 : 12);
  return std::all_of(begin, address.bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

/// True when a socket bound to `bound` may take a connection to `wanted`. One of IPv6 that is bound to all
/// addresses takes IPv4 too, unless IPV6_V6ONLY is set, which /proc does not tell.
bool may_take(const IpAddress& bound, const IpAddress& wanted) {
  if (bound.bytes == wanted.bytes) return true;
  return is_wildcard(bound) && (bound.is_v6 || !wanted.is_v6);
}

/// True when some of `listeners` may take a connection to `wanted` and all that may are `held`.
bool is_held(const std::vector<Listener>& listeners, const std::set<std::uint64_t>& held,
             const IpAddress& wanted) {
  bool any = false;
  for (const Listener& one : listeners) {
    if (!may_take(one.address, wanted)) continue;
    if (!held.contains(one.inode)) return false;
    any = true;
  }
  return any;
}

}  // namespace

Result<bool> answers_at(ports::FileSystem& files, std::int64_t pid, const std::string& address,
                        int port) {
  const auto wanted = parse_ip(address);
  if (!wanted) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .message = fmt::format("'{}' is no numeric address: whose socket answers there "
                                        "unknown",
                                        address)};
  }
  auto listeners = listeners_on(files, pid, port);
  if (!listeners) return std::move(listeners).error();
  auto held = held_by(files, pid, *listeners);
  if (!held) return std::move(held).error();
  return is_held(*listeners, *held, *wanted);
}

Result<std::optional<std::string>> own_address(ports::FileSystem& files, std::int64_t pid,
                                               int port) {
  auto listeners = listeners_on(files, pid, port);
  if (!listeners) return std::move(listeners).error();
  auto held = held_by(files, pid, *listeners);
  if (!held) return std::move(held).error();
  std::vector<IpAddress> candidates = {*parse_ip("127.0.0.1"), *parse_ip("::1")};
  for (const Listener& one : *listeners) {
    if (held->contains(one.inode) && !is_wildcard(one.address)) candidates.push_back(one.address);
  }
  for (const IpAddress& one : candidates) {
    if (is_held(*listeners, *held, one)) return std::optional<std::string>(ip_text(one));
  }
  return std::optional<std::string>();
}

std::optional<bool> shares_network(ports::FileSystem& files, std::int64_t pid) {
  const auto theirs = files.stat(fmt::format("/proc/{}/ns/net", pid));
  const auto ours = files.stat("/proc/self/ns/net");
  if (!theirs || !ours || !*theirs || !*ours) return std::nullopt;
  if ((*ours)->target.empty() || (*theirs)->target.empty()) return std::nullopt;
  return (*ours)->target == (*theirs)->target;
}

}  // namespace kubelet_sysctl::discover
