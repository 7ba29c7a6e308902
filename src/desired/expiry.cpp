// SPDX-License-Identifier: Apache-2.0
// Until when something is desired: a day in UTC, or an RFC 3339 time.
#include <algorithm>
#include <chrono>

#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/desired/desired_list.hpp"

namespace kubelet_sysctl::desired {
namespace {

constexpr std::string_view kDigits = "0123456789";

/// Whether `text` is as long as `form` and has a digit where that has a '0', else the same bytes.
bool has_form(std::string_view text, std::string_view form) {
  return std::equal(text.begin(), text.end(), form.begin(), form.end(), [](char byte, char formed) {
    return formed == '0' ? is_digit(byte) : byte == formed;
  });
}

/// The number of two digits at `at`, which has_form() saw.
int two_digits(std::string_view text, std::size_t at) {
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

/// Milliseconds of ".5" at the start of `rest`, which it is taken from: the first three digits count, at least
/// one must be there.
std::optional<std::chrono::milliseconds> take_fraction(std::string_view& rest) {
  if (!rest.starts_with('.')) return std::chrono::milliseconds(0);
  const std::size_t end = std::min(rest.find_first_not_of(kDigits, 1), rest.size());
  if (end == 1) return std::nullopt;
  int value = 0;
  for (std::size_t i = 1; i <= 3; ++i) value = value * 10 + (i < end ? rest[i] - '0' : 0);
  rest.remove_prefix(end);
  return std::chrono::milliseconds(value);
}

/// What "Z" or "+01:30" adds to UTC.
std::optional<std::chrono::minutes> offset_of(std::string_view zone) {
  if (zone == "Z" || zone == "z") return std::chrono::minutes(0);
  if (!has_form(zone, "+00:00") && !has_form(zone, "-00:00")) return std::nullopt;
  const int hours = two_digits(zone, 1);
  const int minutes = two_digits(zone, 4);
  if (hours >= 24 || minutes >= 60) return std::nullopt;
  const auto offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return zone.front() == '-' ? -offset : offset;
}

}  // namespace

// Source: RFC 3339 section 5.6; a leap second is the first moment after it, as in POSIX time.
std::optional<std::int64_t> expiry_of(std::string_view text) {
  namespace chrono = std::chrono;
  constexpr std::size_t kDate = 10;
  constexpr std::size_t kTime = 19;
  if (!has_form(text.substr(0, kDate), "0000-00-00")) return std::nullopt;
  const chrono::year_month_day date{chrono::year(two_digits(text, 0) * 100 + two_digits(text, 2)),
                                    chrono::month(static_cast<unsigned>(two_digits(text, 5))),
                                    chrono::day(static_cast<unsigned>(two_digits(text, 8)))};
  if (!date.ok()) return std::nullopt;
  const chrono::sys_time<chrono::milliseconds> midnight = chrono::sys_days(date);
  if (text.size() == kDate) return (midnight + chrono::days(1)).time_since_epoch().count();
  const std::string_view time = text.substr(kDate, kTime - kDate);
  if (!has_form(time, "T00:00:00") && !has_form(time, "t00:00:00")) return std::nullopt;
  const int hour = two_digits(time, 1);
  const int minute = two_digits(time, 4);
  const int second = two_digits(time, 7);
  std::string_view rest = text.substr(kTime);
  const auto part = take_fraction(rest);
  const auto offset = offset_of(rest);
  if (!part || !offset || hour >= 24 || minute >= 60 || second > 60) return std::nullopt;
  const auto moment = midnight + chrono::hours(hour) + chrono::minutes(minute) +
                      chrono::seconds(second) + *part - *offset;
  return moment.time_since_epoch().count();
}

}  // namespace kubelet_sysctl::desired
