// SPDX-License-Identifier: Apache-2.0
// Small questions about bytes, paths and lines that every room asks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kubelet_sysctl {
inline namespace base {

inline bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
/// A blank within a line.
inline bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }
/// A blank or a line end: systemd's WHITESPACE (src/basic/string-util.h).
inline bool is_whitespace(char byte) { return is_blank(byte) || byte == '\n' || byte == '\r'; }
/// Digits and nothing else, one at least.
inline bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// What follows the last slash of `path`; all of it where there is none.
inline std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}
/// What is before the last slash of `path`; "/" where that is nothing.
std::string directory_of(std::string_view path);
/// `path` seen from `directory`, "/" where that is empty; an absolute or an empty path as it is.
std::string absolute(const std::string& path, const std::string& directory);

/// The texts with a separator between them: of a vector of strings, or of an EntryList.
template <typename Texts>
std::string joined(const Texts& texts, std::string_view separator = ",") {
  std::size_t size = 0;
  for (const std::string_view text : texts) size += text.size() + separator.size();
  std::string out;
  out.reserve(size);
  bool first = true;
  for (const std::string_view text : texts) {
    if (!first) out += separator;
    first = false;
    out += text;
  }
  return out;
}
/// The lines of `text` without their ends. A line end at its own end begins no other.
std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace base
}  // namespace kubelet_sysctl
