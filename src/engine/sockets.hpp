// SPDX-License-Identifier: Apache-2.0
// Whose listening sockets an address and a port lead to.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kubelet_sysctl/error.hpp"
#include "kubelet_sysctl/ports.hpp"

namespace kubelet_sysctl {

/// An IP address in network order; one of IPv4 as ::ffff:a.b.c.d.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  bool is_v6 = false;
  bool operator==(const IpAddress&) const = default;
};

/// "127.0.0.1", "::1", "fe80::1%eth0" (the zone is dropped); nothing for any other text.
std::optional<IpAddress> parse_ip(std::string_view text);
/// As a person and curl write it, IPv6 without brackets.
std::string ip_text(const IpAddress& address);

/// True when a connection to `address` and `port` can only arrive at `pid` or a child of it: a listening
/// socket of theirs takes it, and nobody else's could. False where nobody listens there. Errors:
/// kPermission, kIo from /proc, kUnsupported when `address` is no numeric one.
Result<bool> answers_at(FileSystem& files, std::int64_t pid, const std::string& address, int port);

/// Where `pid` or a child of it can be asked on `port` as answers_at() demands, loopback first; nothing when
/// they do not listen on it, or somebody else listens beside them. Errors: kPermission, kIo from /proc.
Result<std::optional<std::string>> own_address(FileSystem& files, std::int64_t pid, int port);

/// True when this program and `pid` are in one network namespace, so that an address means the same to both;
/// nothing where the kernel does not tell. Source: namespaces(7), /proc/PID/ns.
std::optional<bool> shares_network(FileSystem& files, std::int64_t pid);

}  // namespace kubelet_sysctl
