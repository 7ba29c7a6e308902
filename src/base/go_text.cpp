// SPDX-License-Identifier: Apache-2.0
// Go's %q.
#include "kubelet_sysctl/base/go_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace kubelet_sysctl {
inline namespace base {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

/// Characters beyond ASCII that Go escapes: controls, blanks, those that only lay out other text, and those
/// that will never be given a meaning. Source: Unicode 15, categories C and Z.
constexpr auto kHidden = std::to_array<Range>({
    {0x80, 0xa0},       {0xad, 0xad},        {0x600, 0x605},     {0x61c, 0x61c},
    {0x6dd, 0x6dd},     {0x70f, 0x70f},      {0x890, 0x891},     {0x8e2, 0x8e2},
    {0x1680, 0x1680},   {0x180e, 0x180e},    {0x2000, 0x200f},   {0x2028, 0x202f},
    {0x205f, 0x206f},   {0x3000, 0x3000},    {0xd800, 0xf8ff},   {0xfdd0, 0xfdef},
    {0xfeff, 0xfeff},   {0xfff0, 0xfffb},    {0xfffe, 0xffff},   {0x110bd, 0x110bd},
    {0x110cd, 0x110cd}, {0x13430, 0x1343f},  {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
    {0xe0000, 0xe00ff}, {0xe01f0, 0x10ffff},
});

bool is_hidden(std::uint32_t character) {
  const auto range =
      std::lower_bound(kHidden.begin(), kHidden.end(), character,
                       [](const Range& one, std::uint32_t wanted) { return one.last < wanted; });
  return range != kHidden.end() && range->first <= character;
}

struct Character {
  std::uint32_t code = 0;
  std::size_t length = 0;  ///< 0: the bytes are no UTF-8
};

Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return static_cast<unsigned char>(text[i]);
  };
  constexpr std::array<std::uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const std::size_t length = byte(0) < 0x80               ? 1
                             : (byte(0) & 0xe0U) == 0xc0U ? 2
                             : (byte(0) & 0xf0U) == 0xe0U ? 3
                             : (byte(0) & 0xf8U) == 0xf0U ? 4
                                                          : 0;
  if (length == 1) return {byte(0), 1};
  if (length == 0 || length > text.size()) return {};
  std::uint32_t code = byte(0) & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return {};
    code = code << 6U | (byte(i) & 0x3fU);
  }
  const bool valid = code >= kLeast[length] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return valid ? Character{code, length} : Character{};
}

}  // namespace

std::string go_quoted(std::string_view text) {
  constexpr std::string_view kSpecial = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  std::string out = "\"";
  while (!text.empty()) {
    const auto plain = std::find_if(text.begin(), text.end(), [](char byte) {
      return byte < ' ' || byte > '~' || byte == '"' || byte == '\\';
    });
    out.append(text.begin(), plain);
    text.remove_prefix(static_cast<std::size_t>(plain - text.begin()));
    if (text.empty()) break;
    const Character one = first_of(text);
    const std::size_t special = kSpecial.find(text.front());
    if (one.length == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(text[0])));
    } else if (special != std::string_view::npos) {
      out += '\\';
      out += kLetters[special];
    } else if (one.code < 0x20 || one.code == 0x7f) {
      out += fmt::format("\\x{:02x}", one.code);
    } else if (is_hidden(one.code)) {
      out += one.code < 0x10000 ? fmt::format("\\u{:04x}", one.code)
                                : fmt::format("\\U{:08x}", one.code);
    } else {
      out += text.substr(0, one.length);
    }
    text.remove_prefix(std::max<std::size_t>(one.length, 1));
  }
  return out + '"';
}

}  // namespace base
}  // namespace kubelet_sysctl
