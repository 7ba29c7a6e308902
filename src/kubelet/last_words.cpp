// SPDX-License-Identifier: Apache-2.0
// The line that ended the kubelet is below a dozen of others that did not.
#include "kubelet_sysctl/kubelet/last_words.hpp"

#include <algorithm>
#include <array>
#include "kubelet_sysctl/base/strings.hpp"

namespace kubelet_sysctl::kubelet {
namespace {

/// True for what klog prints below a line that ends in "err=<". Source: klog serialize.go, KVFormat.
bool continues(std::string_view line) { return line.starts_with('\t') || line == " >"; }

/// Higher is more of a reason: a fatal line, the line with which main() ends, any error.
int weight(std::string_view line) {
  if (!is_error_line(line)) return 0;
  if (line[0] == 'F') return 3;
  const bool ends = line.find("\"command failed\"") != std::string_view::npos ||
                    line.find("ailed to run kubelet") != std::string_view::npos ||
                    line.find("ailed to run Kubelet") != std::string_view::npos;
  return ends ? 2 : 1;
}

/// Where the line that says why it ended is among its last ones, with those that belong to it.
struct Reason {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool is_error = false;
};

Reason find_reason(const std::vector<std::string>& lines) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    // Of equals the last one: the others were survived.
    if (weight(lines[i]) >= weight(lines[best])) best = i;
  }
  if (lines.empty() || weight(lines[best]) == 0) return {};
  std::size_t end = best + 1;
  while (end < lines.size() && continues(lines[end])) ++end;
  return {.begin = best, .end = end, .is_error = true};
}

struct Known {
  std::string_view text;
  std::string_view meaning;
};

/// Substrings that hold across releases. Source: the kubelet's messages of 1.20 to 1.3x.
constexpr std::array<Known, 15> kKnown = {{
    {"are not known to be namespaced", "an entry of the list is outside the namespaced groups"},
    {"must have at most 253 characters and match regex", "an entry of the list is badly spelt"},
    {"unknown command", "a stray argument: a blank after a comma, or an empty argument"},
    {"unknown flag:", "an unknown flag on the command line"},
    {"unknown shorthand flag:", "a flag with a single dash"},
    {"flag needs an argument:", "a flag without its value"},
    {"bad flag syntax:", "a flag with three dashes"},
    {"for \"--allowed-unsafe-sysctls\" flag", "the value of the flag is not valid CSV"},
    {"failed to parse kubelet flag: invalid argument", "a flag with a value that it does not take"},
    {"configured to not run on a host using cgroup v1",
     "from 1.35 on it runs on cgroup v1 only with 'failCgroupV1: false'"},
    {"ailed to load Kubelet config file", "the configuration file cannot be read or decoded"},
    {"ailed to load kubelet config file", "the configuration file cannot be read or decoded"},
    {"failed to merge kubelet configs", "a file of the drop-in directory cannot be read"},
    {"unable to acquire file lock on", "another kubelet holds the lock file"},
    {"address already in use", "another process holds one of the kubelet's ports"},
}};

}  // namespace

bool is_error_line(std::string_view line) {
  constexpr std::size_t kDate = 4;
  return line.size() > kDate + 1 && (line[0] == 'E' || line[0] == 'F') &&
         std::all_of(line.begin() + 1, line.begin() + 1 + kDate, is_digit) &&
         line[kDate + 1] == ' ';
}

std::vector<std::string> said_last(std::vector<std::string> lines, std::size_t most) {
  bool in_stack = false;
  std::erase_if(lines, [&in_stack](const std::string& line) {
    constexpr std::string_view kLevels = "IWEF";
    const bool of_klog =
        line.size() > 1 && kLevels.find(line[0]) != std::string_view::npos && is_digit(line[1]);
    if (line.starts_with("goroutine ")) in_stack = true;
    if (of_klog || line.starts_with("Flag --")) in_stack = false;
    return in_stack;
  });
  if (lines.size() > most)
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
  return lines;
}

std::vector<std::string> reason_first(std::vector<std::string> lines) {
  const Reason reason = find_reason(lines);
  if (!reason.is_error) return lines;
  const auto at = [&](std::size_t i) { return lines.begin() + static_cast<std::ptrdiff_t>(i); };
  std::rotate(lines.begin(), at(reason.begin), at(reason.end));
  return lines;
}

std::vector<std::string> reason_of(const std::vector<std::string>& lines) {
  const Reason reason = find_reason(lines);
  std::size_t begin = reason.begin;
  for (std::size_t i = 0; i < lines.size() && !reason.is_error; ++i) {
    begin = i;
    if (!recognise({lines[i]}).empty()) break;
  }
  const std::size_t end = reason.is_error ? reason.end : std::min(begin + 1, lines.size());
  const auto at = [&](std::size_t i) { return lines.begin() + static_cast<std::ptrdiff_t>(i); };
  return {at(begin), at(end)};
}

std::string recognise(const std::vector<std::string>& last_words) {
  for (const Known& known : kKnown) {
    const bool said = std::any_of(last_words.begin(), last_words.end(), [&](const auto& line) {
      return line.find(known.text) != std::string::npos;
    });
    if (said) return std::string(known.meaning);
  }
  return {};
}

}  // namespace kubelet_sysctl::kubelet
