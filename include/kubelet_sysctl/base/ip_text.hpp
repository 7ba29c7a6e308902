// SPDX-License-Identifier: Apache-2.0
// Numeric addresses and their text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kubelet_sysctl {
inline namespace base {

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

}  // namespace base
}  // namespace kubelet_sysctl
