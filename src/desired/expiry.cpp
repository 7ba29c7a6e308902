// SPDX-License-Identifier: Apache-2.0
// Until when something is wished: a day in UTC, or an RFC 3339 time.
#include <chrono>

#include "kubelet_sysctl/desired/desired_list.hpp"

namespace kubelet_sysctl::desired {
namespace {

using std::chrono::milliseconds;

/// Takes numbers and signs from the start of a text; once something does not fit, nothing does.
class Digits {
 public:
  explicit Digits(std::string_view text) : rest_(text) {}

  /// Exactly `count` digits.
  int number(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (i >= rest_.size() || rest_[i] < '0' || rest_[i] > '9') {
        good_ = false;
        return 0;
      }
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }

  bool take(std::string_view choices) {
    if (rest_.empty() || choices.find(rest_.front()) == std::string_view::npos) return false;
    last_ = rest_.front();
    rest_.remove_prefix(1);
    return true;
  }
  void need(std::string_view choices) { good_ = take(choices) && good_; }

  [[nodiscard]] char last() const { return last_; }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool all_taken() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  char last_ = '\0';
  bool good_ = true;
};

/// Milliseconds of ".5": the first three digits count, at least one must be there.
milliseconds fraction(Digits& digits) {
  int value = 0;
  int taken = 0;
  while (digits.take("0123456789")) {
    if (taken < 3) value = value * 10 + (digits.last() - '0');
    ++taken;
  }
  if (taken == 0) digits.need(".");
  for (; taken < 3; ++taken) value *= 10;
  return milliseconds(value);
}

}  // namespace

// Source: RFC 3339 section 5.6; a leap second is the first moment after it, as in POSIX time.
std::optional<std::int64_t> expiry_of(std::string_view text) {
  namespace chrono = std::chrono;
  Digits digits(text);
  const int year = digits.number(4);
  digits.need("-");
  const int month = digits.number(2);
  digits.need("-");
  const int day = digits.number(2);
  const chrono::year_month_day date{chrono::year(year), chrono::month(static_cast<unsigned>(month)),
                                    chrono::day(static_cast<unsigned>(day))};
  if (!digits.good() || !date.ok()) return std::nullopt;
  const chrono::sys_time<milliseconds> midnight = chrono::sys_days(date);
  if (digits.all_taken()) return (midnight + chrono::days(1)).time_since_epoch().count();
  digits.need("Tt");
  const int hour = digits.number(2);
  digits.need(":");
  const int minute = digits.number(2);
  digits.need(":");
  const int second = digits.number(2);
  milliseconds part{0};
  if (digits.take(".")) part = fraction(digits);
  digits.need("Zz+-");
  const char zone = digits.last();
  const bool is_offset = zone == '+' || zone == '-';
  const int offset_hour = is_offset ? digits.number(2) : 0;
  if (is_offset) digits.need(":");
  const int offset_minute = is_offset ? digits.number(2) : 0;
  const bool fits =
      hour < 24 && minute < 60 && second <= 60 && offset_hour < 24 && offset_minute < 60;
  if (!digits.all_taken() || !fits) return std::nullopt;
  auto offset = chrono::hours(offset_hour) + chrono::minutes(offset_minute);
  if (zone == '-') offset = -offset;
  const auto moment = midnight + chrono::hours(hour) + chrono::minutes(minute) +
                      chrono::seconds(second) + part - offset;
  return moment.time_since_epoch().count();
}

}  // namespace kubelet_sysctl::desired
