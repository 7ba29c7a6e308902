// SPDX-License-Identifier: Apache-2.0
// Reads the key=value output of systemctl: spans, lists, units, the environment block.
#include "systemctl_output.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {
namespace {

constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max();

struct Unit {
  std::string_view name;
  std::uint64_t usec;
};

// A month is 30.44 days and a year 365.25 (systemd.time(7)).
constexpr std::array<Unit, 11> kUnits = {{{"y", 31'557'600'000'000},
                                          {"month", 2'629'800'000'000},
                                          {"w", 604'800'000'000},
                                          {"d", 86'400'000'000},
                                          {"h", 3'600'000'000},
                                          {"min", 60'000'000},
                                          {"s", 1'000'000},
                                          {"ms", 1'000},
                                          {"us", 1},
                                          {"μs", 1},
                                          {"", 1}}};

template <typename Number>
Number number_or_zero(std::string_view text) {
  Number number = 0;
  const auto [stopped, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc{} && stopped == text.data() + text.size() ? number : Number{0};
}

/// One part of a span, "1.5s".
std::optional<std::uint64_t> part_of_span(std::string_view part) {
  const std::size_t digits = std::min(part.find_first_not_of("0123456789."), part.size());
  const std::string_view number = part.substr(0, digits);
  const std::size_t dot = std::min(number.find('.'), number.size());
  std::uint64_t whole = 0;
  const auto [stopped, fault] = std::from_chars(number.data(), number.data() + dot, whole);
  if (fault != std::errc{} || stopped != number.data() + dot) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (unit.name != part.substr(digits)) continue;
    if (whole > kForever / unit.usec) return std::nullopt;
    std::uint64_t usec = whole * unit.usec;
    std::uint64_t scale = unit.usec;
    for (std::size_t i = dot + 1; i < number.size(); ++i) {
      if (number[i] == '.') return std::nullopt;
      scale /= 10;
      usec += scale * static_cast<std::uint64_t>(number[i] - '0');
    }
    return usec;
  }
  return std::nullopt;
}

int hex_digit(char byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

/// The byte that the escape at `text[at]` (behind its backslash) stands for; `at` moves behind it.
/// systemd writes these: src/basic/escape.c, shell_maybe_quote() and xescape().
char unescaped(std::string_view text, std::size_t& at) {
  const char letter = text[at++];
  constexpr std::string_view kLetters = "ntrabfv";
  constexpr std::string_view kBytes = "\n\t\r\a\b\f\v";
  if (const std::size_t known = kLetters.find(letter); known != std::string_view::npos) {
    return kBytes[known];
  }
  if (letter == 'x' && at + 2 <= text.size() && hex_digit(text[at]) >= 0 &&
      hex_digit(text[at + 1]) >= 0) {
    const int value = hex_digit(text[at]) * 16 + hex_digit(text[at + 1]);
    at += 2;
    return static_cast<char>(value);
  }
  if (letter >= '0' && letter <= '3' && at + 2 <= text.size()) {
    const int value = (letter - '0') * 64 + (text[at] - '0') * 8 + (text[at + 1] - '0');
    at += 2;
    return static_cast<char>(value);
  }
  return letter;  // the quote, the backslash, the dollar
}

/// The words of `NAME "text"` that are for people: LoadError is an error name and a quoted message.
std::string message_of(std::string_view value) {
  const std::size_t open = value.find('"');
  const std::size_t close = value.rfind('"');
  if (open == std::string_view::npos || close <= open) return std::string(value);
  return std::string(value.substr(open + 1, close - open - 1));
}

using ports::UnitState;
using Setter = void (*)(UnitState& unit, std::string_view value);

struct Property {
  std::string_view name;
  Setter set;
};

template <auto Field>
void text(UnitState& unit, std::string_view value) {
  unit.*Field = value;
}

template <auto Field>
void number(UnitState& unit, std::string_view value) {
  using Number = std::remove_reference_t<decltype(unit.*Field)>;
  unit.*Field = number_or_zero<Number>(value);
}

void start_limit_interval(UnitState& unit, std::string_view value) {
  unit.start_limit_interval_usec = parse_time_span(value).value_or(0);
}

void exec_start(UnitState& unit, std::string_view value) {
  constexpr std::string_view kWords = "argv[]=";
  const std::size_t begin = value.find(kWords);
  if (begin == std::string_view::npos) return;
  value.remove_prefix(begin + kWords.size());
  unit.loaded.command = value.substr(0, value.rfind(" ; ignore_errors="));
}

void environment(UnitState& unit, std::string_view value) {
  unit.loaded.environment = parse_list(value);
  std::sort(unit.loaded.environment.begin(), unit.loaded.environment.end());
}

constexpr auto kProperties = std::to_array<Property>({
    {"Id", text<&UnitState::id>},
    {"LoadState", text<&UnitState::load_state>},
    {"LoadError",
     [](UnitState& unit, std::string_view value) { unit.load_error = message_of(value); }},
    {"ActiveState", text<&UnitState::active_state>},
    {"SubState", text<&UnitState::sub_state>},
    {"Result", text<&UnitState::result>},
    {"Type", text<&UnitState::type>},
    {"FragmentPath", text<&UnitState::fragment_path>},
    {"DropInPaths",
     [](UnitState& unit, std::string_view value) { unit.drop_in_paths = parse_list(value); }},
    {"ControlGroup", text<&UnitState::control_group>},
    {"InvocationID", text<&UnitState::invocation_id>},
    {"MainPID", number<&UnitState::main_pid>},
    {"NRestarts", number<&UnitState::restarts>},
    {"ExecMainStatus", number<&UnitState::exec_main_status>},
    {"StartLimitIntervalUSec", start_limit_interval},
    {"StartLimitInterval", start_limit_interval},
    {"StartLimitBurst", number<&UnitState::start_limit_burst>},
    {"ExecMainStartTimestampMonotonic", number<&UnitState::main_start_usec>},
    {"NeedDaemonReload",
     [](UnitState& unit, std::string_view value) { unit.needs_reload = value == "yes"; }},
    {"ExecStart", exec_start},
    {"Environment", environment},
    // A line for each.
    {"EnvironmentFiles",
     [](UnitState& unit, std::string_view value) {
       unit.loaded.environment_files.emplace_back(value);
     }},
    // 252 prints the number of the job, or nothing.
    {"Job", [](UnitState& unit,
               std::string_view value) { unit.job_pending = !value.empty() && value != "0"; }},
});

}  // namespace

std::optional<std::uint64_t> parse_time_span(std::string_view text) {
  if (text == "infinity") return kForever;
  std::uint64_t sum = 0;
  bool any = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) {
      const auto part = part_of_span(text.substr(0, end));
      if (!part) return std::nullopt;
      sum = *part > kForever - sum ? kForever : sum + *part;
      any = true;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!any) return std::nullopt;
  return sum;
}

std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(' ', at)) != std::string_view::npos) {
    std::string word;
    bool quoted = false;
    while (at < text.size() && (quoted || text[at] != ' ')) {
      const char byte = text[at++];
      if (byte == '"') {
        quoted = !quoted;
      } else if (byte == '\\' && at < text.size()) {
        word += unescaped(text, at);
      } else {
        word += byte;
      }
    }
    words.push_back(std::move(word));
  }
  return words;
}

Result<ports::UnitState> parse_show(std::string_view output) {
  ports::UnitState unit;
  for (const std::string_view line : lines_of(output)) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    for (const Property& property : kProperties) {
      if (property.name == line.substr(0, equals)) property.set(unit, line.substr(equals + 1));
    }
  }
  if (!unit.load_state.empty()) return unit;
  return Error{.kind = ErrorKind::kMalformed, .message = "'systemctl show' printed no LoadState"};
}

std::vector<std::string> parse_environment_block(std::string_view output) {
  std::vector<std::string> block;
  for (const std::string_view line : lines_of(output)) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    std::string_view value = line.substr(equals + 1);
    std::string entry(line.substr(0, equals + 1));
    if (value.size() < 3 || !value.starts_with("$'") || !value.ends_with('\'')) {
      block.push_back(entry.append(value));
      continue;
    }
    value = value.substr(2, value.size() - 3);
    for (std::size_t at = 0; at < value.size();) {
      const char byte = value[at++];
      entry += byte == '\\' && at < value.size() ? unescaped(value, at) : byte;
    }
    block.push_back(std::move(entry));
  }
  return block;
}

std::optional<int> parse_version(std::string_view output) {
  constexpr std::string_view kWord = "systemd ";
  if (!output.starts_with(kWord)) return std::nullopt;
  output.remove_prefix(kWord.size());
  const std::size_t digits = std::min(output.find_first_not_of("0123456789"), output.size());
  const int version = number_or_zero<int>(output.substr(0, digits));
  if (version <= 0) return std::nullopt;
  return version;
}

}  // namespace kubelet_sysctl::machine
