// SPDX-License-Identifier: Apache-2.0
// Numeric addresses and their text.
#include "kubelet_sysctl/base/ip_text.hpp"

#include <charconv>
#include <cstddef>

#include <fmt/format.h>

namespace kubelet_sysctl {
inline namespace base {
namespace {

constexpr std::size_t kV4At = 12;  // of ::ffff:a.b.c.d

/// Four decimal numbers to `bytes` from `at` on.
bool take_v4(std::string_view text, IpAddress& address, std::size_t at) {
  for (std::size_t i = 0; i < 4; ++i) {
    std::uint8_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stopped, fault] = std::from_chars(text.data(), end, value);
    if (fault != std::errc{}) return false;
    address.bytes[at + i] = value;
    text.remove_prefix(static_cast<std::size_t>(stopped - text.data()));
    if (i == 3) break;
    if (!text.starts_with('.')) return false;
    text.remove_prefix(1);
  }
  return text.empty();
}

/// Groups of hexadecimal digits, the last of which may be an IPv4 address; nothing when there is another
/// character. `size` says how many bytes were filled.
bool take_groups(std::string_view text, IpAddress& groups, std::size_t& size) {
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(':'));
    if (part.size() == text.size() && part.find('.') != std::string_view::npos) {
      if (size > kV4At || !take_v4(part, groups, size)) return false;
      size += 4;
      return true;
    }
    std::uint16_t value = 0;
    const char* end = part.data() + part.size();
    const auto [stopped, fault] = std::from_chars(part.data(), end, value, 16);
    const bool whole = fault == std::errc{} && stopped == end && part.size() <= 4;
    if (!whole || size + 2 > groups.bytes.size()) return false;
    groups.bytes[size] = static_cast<std::uint8_t>(value >> 8U);
    groups.bytes[size + 1] = static_cast<std::uint8_t>(value & 0xffU);
    size += 2;
    if (part.size() == text.size()) return true;
    text.remove_prefix(part.size() + 1);
    if (text.empty()) return false;  // a colon at the end
  }
  return true;
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  text = text.substr(0, text.find('%'));
  if (text.find(':') == std::string_view::npos) {
    IpAddress address{.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
    if (!take_v4(text, address, kV4At)) return std::nullopt;
    return address;
  }
  IpAddress address{.is_v6 = true};
  std::size_t head = 0;
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (!take_groups(text, address, head) || head != address.bytes.size()) return std::nullopt;
    return address;
  }
  if (!take_groups(text.substr(0, gap), address, head)) return std::nullopt;
  IpAddress tail;
  std::size_t size = 0;
  if (!take_groups(text.substr(gap + 2), tail, size)) return std::nullopt;
  if (head + size + 2 > address.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < size; ++i) {
    address.bytes[address.bytes.size() - size + i] = tail.bytes[i];
  }
  return address;
}

std::string ip_text(const IpAddress& address) {
  const auto& bytes = address.bytes;
  if (!address.is_v6) {
    return fmt::format("{}.{}.{}.{}", bytes[kV4At], bytes[kV4At + 1], bytes[kV4At + 2],
                       bytes[kV4At + 3]);
  }
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    text += fmt::format("{}{:x}", i == 0 ? "" : ":", (bytes[i] << 8U) | bytes[i + 1]);
  }
  return text;
}

}  // namespace base
}  // namespace kubelet_sysctl
