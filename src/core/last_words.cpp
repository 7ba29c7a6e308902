// SPDX-License-Identifier: Apache-2.0
// The line that ended the kubelet stands below a dozen of others that did not.
#include "last_words.hpp"

#include <algorithm>

namespace kubelet_sysctl {
namespace {

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

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

}  // namespace

bool is_error_line(std::string_view line) {
  constexpr std::size_t kDate = 4;
  return line.size() > kDate + 1 && (line[0] == 'E' || line[0] == 'F') &&
         std::all_of(line.begin() + 1, line.begin() + 1 + kDate, is_digit) &&
         line[kDate + 1] == ' ';
}

std::vector<std::string> reason_first(std::vector<std::string> lines) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    // Of equals the last one: the others were survived.
    if (weight(lines[i]) >= weight(lines[best])) best = i;
  }
  if (lines.empty() || weight(lines[best]) == 0) return lines;
  std::size_t end = best + 1;
  while (end < lines.size() && continues(lines[end])) ++end;
  const auto at = [&](std::size_t i) { return lines.begin() + static_cast<std::ptrdiff_t>(i); };
  std::rotate(lines.begin(), at(best), at(end));
  return lines;
}

}  // namespace kubelet_sysctl
