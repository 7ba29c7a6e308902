// SPDX-License-Identifier: Apache-2.0
// What a scalar of YAML 1.1 means to go-yaml v2, and how to write one that is a string.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::yaml {
namespace {

constexpr std::string_view kDigits = "0123456789";

bool all_of(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

/// Source: gopkg.in/yaml.v2 resolve.go: underscores are dropped, then strconv.ParseInt with base 0,
/// then the regular expression of floats.
bool is_number(std::string_view text) {
  std::string plain(text);
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  std::string_view rest = plain;
  if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
  if (rest.starts_with("0x") || rest.starts_with("0X")) {
    return all_of(rest.substr(2), "0123456789abcdefABCDEF");
  }
  if (rest.starts_with("0b") || rest.starts_with("0B")) return all_of(rest.substr(2), "01");
  if (rest.starts_with("0o") || rest.starts_with("0O")) return all_of(rest.substr(2), "01234567");
  const std::size_t e = rest.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view exponent = rest.substr(e + 1);
    if (exponent.starts_with('+') || exponent.starts_with('-')) exponent.remove_prefix(1);
    if (!all_of(exponent, kDigits)) return false;
    rest = rest.substr(0, e);
  }
  const std::size_t dot = rest.find('.');
  if (dot == std::string_view::npos) return all_of(rest, kDigits);
  const std::string_view whole = rest.substr(0, dot);
  const std::string_view part = rest.substr(dot + 1);
  return (whole.empty() || all_of(whole, kDigits)) && (part.empty() || all_of(part, kDigits)) &&
         !(whole.empty() && part.empty());
}

/// The character that begins at `at`, which moves past it. The text is UTF-8.
unsigned code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned>(static_cast<unsigned char>(text[i]));
  };
  const unsigned lead = byte(at);
  const std::size_t length = lead < 0x80 ? 1U : lead < 0xE0 ? 2U : lead < 0xF0 ? 3U : 4U;
  unsigned value = length == 1 ? lead : lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) value = (value << 6U) | (byte(at + i) & 0x3FU);
  at += length;
  return value;
}

}  // namespace

bool is_null_word(std::string_view text) {
  constexpr std::array<std::string_view, 5> kWords = {"", "~", "null", "Null", "NULL"};
  return std::find(kWords.begin(), kWords.end(), text) != kWords.end();
}

bool is_plain_string(std::string_view text) {
  constexpr std::array<std::string_view, 25> kWords = {
      "y",  "Y",    "yes",  "Yes",  "YES",   "n",     "N",     "no", "No",
      "NO", "true", "True", "TRUE", "false", "False", "FALSE", "on", "On",
      "ON", "off",  "Off",  "OFF",  ".nan",  ".NaN",  ".NAN"};
  if (is_null_word(text) || std::find(kWords.begin(), kWords.end(), text) != kWords.end()) {
    return false;
  }
  std::string_view unsigned_text = text;
  if (text.starts_with('+') || text.starts_with('-')) unsigned_text.remove_prefix(1);
  if (unsigned_text == ".inf" || unsigned_text == ".Inf" || unsigned_text == ".INF") return false;
  return !is_number(text);
}

bool is_string(const Event& event) {
  if (event.quoted) return true;
  if (event.tag == Tag::kUntagged) return is_plain_string(event.text);
  return event.tag == Tag::kString || event.tag == Tag::kForeign;
}

Tag tag_named(std::string_view name) {
  constexpr std::string_view kCore = "tag:yaml.org,2002:";
  if (name.empty()) return Tag::kUntagged;
  if (!name.starts_with(kCore)) return Tag::kForeign;
  name.remove_prefix(kCore.size());
  if (name == "str" || name == "binary" || name == "timestamp") return Tag::kString;
  if (name == "bool") return Tag::kBool;
  if (name == "null") return Tag::kNull;
  return name == "merge" ? Tag::kMerge : Tag::kOtherCore;
}

std::string yaml_written(std::string_view entry) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-*";
  const bool plain = all_of(entry, kPlain) && entry.find_first_of(".-*") != 0;
  if (plain && is_plain_string(entry)) return std::string(entry);
  std::string out = "\"";
  for (std::size_t at = 0; at < entry.size();) {
    const unsigned value = code_point(entry, at);
    if (value == '"' || value == '\\') out += '\\';
    if (value >= 0x20 && value < 0x7F) {
      out += static_cast<char>(value);
    } else {
      out += value < 0x10000 ? fmt::format("\\u{:04x}", value) : fmt::format("\\U{:08x}", value);
    }
  }
  return out + '"';
}

/// The end of the quoted text that begins at `at`; 0 when it does not end on this line.
std::size_t quoted_end(std::string_view bytes, std::size_t at) {
  const char quote = bytes[at];
  for (std::size_t i = at + 1; i < bytes.size() && bytes[i] != '\n' && bytes[i] != '\r'; ++i) {
    if (quote == '"' && bytes[i] == '\\') {
      ++i;
    } else if (bytes[i] == quote) {
      if (quote == '"' || i + 1 == bytes.size() || bytes[i + 1] != quote) return i + 1;
      ++i;
    }
  }
  return 0;
}

Span yaml_scalar_span(std::string_view bytes, const Event& event, bool& simple) {
  const std::size_t begin = std::min<std::size_t>(event.at.begin, bytes.size());
  simple = false;
  if (begin < bytes.size() && event.kind == EventKind::kScalar && event.quoted &&
      (bytes[begin] == '"' || bytes[begin] == '\'')) {
    if (const std::size_t end = quoted_end(bytes, begin); end != 0) {
      simple = true;
      return {begin, end};
    }
  }
  const std::string_view rest = bytes.substr(begin);
  const std::size_t stop = std::min(rest.find_first_of(" \t\r\n,]}"), rest.size());
  if (event.kind == EventKind::kNull) {
    simple = stop > 0 && is_null_word(rest.substr(0, stop));
    return {begin, simple ? begin + stop : begin};
  }
  if (event.kind == EventKind::kScalar && !event.quoted && event.tag == Tag::kUntagged &&
      event.anchor == 0 && rest.starts_with(event.text)) {
    simple = true;
    return {begin, begin + event.text.size()};
  }
  return {begin, begin + stop};
}

}  // namespace kubelet_sysctl::yaml
