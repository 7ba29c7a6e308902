// SPDX-License-Identifier: Apache-2.0
// Reads the few files of /proc that tie a process to a unit and its arguments.
#include "kubelet_sysctl/base/procfs.hpp"

#include <charconv>
#include <cstddef>
#include <limits>
#include <utility>

#include "kubelet_sysctl/base/error.hpp"

namespace kubelet_sysctl {
inline namespace base {
namespace {

/// The first line of `rest`, without its end; `rest` moves behind it.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

/// The next word of `rest`, blanks around it dropped; empty at the end.
std::string_view take_word(std::string_view& rest) {
  const std::size_t begin = rest.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) {
    rest = {};
    return {};
  }
  rest.remove_prefix(begin);
  const std::size_t end = rest.find_first_of(" \t\n");
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(word.size());
  return word;
}

template <typename Number>
std::optional<Number> number_in(std::string_view word, int base = 10) {
  Number number = 0;
  const char* end = word.data() + word.size();
  const auto [stopped, fault] = std::from_chars(word.data(), end, number, base);
  if (fault != std::errc{} || stopped != end) return std::nullopt;
  return number;
}

/// /proc/PID/stat from field 3 on: behind the last ')', for the name may hold brackets itself.
std::optional<std::string_view> fields_after_name(std::string_view stat) {
  const std::size_t bracket = stat.rfind(')');
  if (bracket == std::string_view::npos) return std::nullopt;
  return stat.substr(bracket + 1);
}

}  // namespace

std::vector<std::string> parse_cmdline(std::string_view bytes) {
  std::vector<std::string> words;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\0');
    words.emplace_back(bytes.substr(0, end));
    // A process may overwrite its own words, and then the last NUL can be missing (proc(5)).
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
  return words;
}

Result<std::uint64_t> parse_start_ticks(std::string_view stat) {
  constexpr int kFirstFieldAfterName = 3;
  constexpr int kStartTime = 22;
  std::string_view rest = fields_after_name(stat).value_or(std::string_view{});
  std::string_view word;
  for (int field = kFirstFieldAfterName; field <= kStartTime; ++field) word = take_word(rest);
  const auto ticks = number_in<std::uint64_t>(word);
  if (!ticks) {
    return Error{.kind = ErrorKind::kMalformed,
                 .message = "the process status has no start time in field 22"};
  }
  return *ticks;
}

bool is_dead(std::string_view stat) {
  std::string_view rest = fields_after_name(stat).value_or(std::string_view{});
  const std::string_view state = take_word(rest);
  // 'x' was written by Linux 2.6.33 to 3.13 (proc(5)).
  return state == "Z" || state == "X" || state == "x";
}

std::optional<std::int64_t> parse_boot_time_ms(std::string_view proc_stat) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 1000;
  while (!proc_stat.empty()) {
    std::string_view line = take_line(proc_stat);
    if (take_word(line) != "btime") continue;
    const auto seconds = number_in<std::int64_t>(take_word(line));
    if (!seconds || *seconds < 0 || *seconds > kMost) return std::nullopt;
    return *seconds * 1000;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_uptime_ms(std::string_view proc_uptime) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 1000;
  const std::string_view word = take_word(proc_uptime);
  const std::size_t point = word.find('.');
  if (point == std::string_view::npos || word.size() - point != 3) return std::nullopt;
  const auto seconds = number_in<std::int64_t>(word.substr(0, point));
  const auto hundredths = number_in<std::int64_t>(word.substr(point + 1));
  if (!seconds || !hundredths || *seconds < 0 || *hundredths < 0 || *seconds > kMost) {
    return std::nullopt;
  }
  constexpr std::int64_t kHundredth = 10;
  return *seconds * 1000 + *hundredths * kHundredth;
}

// One line is "sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …",
// addresses as HEX:PORT in hexadecimal; state 0A is TCP_LISTEN. Source: proc(5),
// include/net/tcp_states.h.
std::vector<std::uint64_t> listening_inodes(std::string_view net_tcp, int port) {
  std::vector<std::uint64_t> inodes;
  while (!net_tcp.empty()) {
    std::string_view line = take_line(net_tcp);
    take_word(line);
    const std::string_view local = take_word(line);
    take_word(line);
    if (take_word(line) != "0A") continue;
    const std::size_t colon = local.rfind(':');
    if (colon == std::string_view::npos) continue;
    if (number_in<int>(local.substr(colon + 1), 16) != port) continue;
    for (int skipped = 0; skipped < 5; ++skipped) take_word(line);
    const auto inode = number_in<std::uint64_t>(take_word(line));
    if (inode) inodes.push_back(*inode);
  }
  return inodes;
}

// The three layouts were measured on systemd 252: on a unified machine a name=systemd line can
// still be there, with "/". A controller's line may hold anything and means nothing here.
std::string control_group_of(std::string_view proc_cgroup) {
  std::string_view named;
  std::string_view unified;
  while (!proc_cgroup.empty()) {
    const std::string_view line = take_line(proc_cgroup);
    const std::size_t first = line.find(':');
    if (first == std::string_view::npos) continue;
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    // The path comes last and may hold colons of its own.
    const std::string_view path = line.substr(second + 1);
    if (controllers == "name=systemd") named = path;
    if (controllers.empty() && line.substr(0, first) == "0") unified = path;
  }
  if (named.empty()) return std::string(unified);
  if (named == "/" && unified.size() > named.size()) return std::string(unified);
  return std::string(named);
}

std::optional<int> systemd_version_in_maps(std::string_view maps) {
  constexpr std::string_view kLibrary = "/libsystemd-shared-";
  const std::size_t found = maps.find(kLibrary);
  if (found == std::string_view::npos) return std::nullopt;
  // Distributions put their release behind the number: libsystemd-shared-252-13.el9.so.
  const std::string_view rest = maps.substr(found + kLibrary.size());
  const std::size_t digits = rest.find_first_not_of("0123456789");
  return number_in<int>(rest.substr(0, digits));
}

}  // namespace base
}  // namespace kubelet_sysctl
