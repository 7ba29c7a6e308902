// SPDX-License-Identifier: Apache-2.0
// Values of options: durations, names of units and paths.
#include "values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/time.hpp"

namespace kubelet_sysctl::cli {
namespace {

constexpr Milliseconds kLongest{24L * 60 * 60 * 1000};

struct Unit {
  std::string_view name;
  Milliseconds length;
};
// "ms" before "m": the longer name is tried first.
constexpr std::array<Unit, 4> kUnits = {Unit{"ms", Milliseconds{1}}, Unit{"s", Milliseconds{1000}},
                                        Unit{"m", Milliseconds{60'000}},
                                        Unit{"h", Milliseconds{3'600'000}}};

const Unit* unit_at(std::string_view text) {
  for (const Unit& unit : kUnits) {
    if (text.starts_with(unit.name)) return &unit;
  }
  return nullptr;
}

/// The number at the start of `text`, which is taken from it.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || !is_digit(text.front()) || fault != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

Error usage_error(std::string message, std::string hint) {
  Error error;
  error.kind = ErrorKind::kUsage;
  error.message = std::move(message);
  error.hint = std::move(hint);
  return error;
}

Result<Milliseconds> parse_duration(std::string_view option, std::string_view text) {
  const auto bad = [&](std::string hint) {
    return usage_error(fmt::format("'{}' takes a duration, not '{}'", option, text),
                       std::move(hint));
  };
  const std::string forms = "a duration is written '500ms', '10s', '2m', '1h30m'";
  if (is_number(text)) {
    return bad(fmt::format("give the unit: '{}s' or '{}ms'", text, text));
  }
  Milliseconds total{0};
  std::string_view rest = text;
  do {
    const auto number = take_number(rest);
    const Unit* unit = number ? unit_at(rest) : nullptr;
    if (unit == nullptr) return bad(forms);
    rest.remove_prefix(unit->name.size());
    if (*number > kLongest / unit->length || total + *number * unit->length > kLongest) {
      return bad("the longest is '24h'");
    }
    total += *number * unit->length;
  } while (!rest.empty());
  return total;
}

Result<int> parse_number(std::string_view option, std::string_view text, int most) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (number && rest.empty() && *number >= 1 && *number <= most) return static_cast<int>(*number);
  return usage_error(fmt::format("'{}' takes a number, not '{}'", option, text),
                     fmt::format("a number from 1 to {}", most));
}

Result<std::string> unit_name_given(std::string_view text) {
  // Source: systemd src/basic/unit-name.h VALID_CHARS.
  const auto is_valid = [](char byte) {
    return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           std::string_view(":-_.\\@").find(byte) != std::string_view::npos;
  };
  constexpr std::size_t kLongestName = 255;  // UNIT_NAME_MAX with its NUL
  const bool valid = !text.empty() && text.front() != '-' && text.size() <= kLongestName &&
                     std::all_of(text.begin(), text.end(), is_valid);
  if (!valid) {
    return usage_error(fmt::format("'{}' is no name of a unit", text),
                       "give the name alone, such as 'kubelet.service', not a path");
  }
  if (text.ends_with(".service")) return std::string(text);
  constexpr std::array<std::string_view, 10> kOtherTypes = {
      ".socket", ".device", ".mount", ".automount", ".swap",
      ".target", ".path",   ".timer", ".slice",     ".scope"};
  for (const std::string_view type : kOtherTypes) {
    if (text.ends_with(type)) {
      return usage_error(fmt::format("'{}' runs no kubelet", text), "only a service does");
    }
  }
  return std::string(text) + ".service";
}

Result<std::string> parse_path(std::string_view option, const std::string& text) {
  if (text.empty()) return usage_error(fmt::format("'{}' takes a file, not ''", option), {});
  std::error_code fault;
  return std::filesystem::absolute(text, fault).lexically_normal().string();
}

Result<std::string> parse_root(const std::string& text) {
  if (text.empty()) return usage_error("'--root' takes a directory, not ''", {});
  std::error_code fault;
  // Links are left alone: /proc/1/root reads as a link to "/" and leads to another root.
  std::string path = std::filesystem::absolute(text, fault).lexically_normal().string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path.empty() || path.find_first_not_of('/') == std::string::npos) return std::string("/");
  return path;
}

}  // namespace kubelet_sysctl::cli
