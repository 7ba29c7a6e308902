// SPDX-License-Identifier: Apache-2.0
// File name patterns as EnvironmentFile= takes them.
#include "kubelet_sysctl/systemd/glob.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::systemd {
namespace {

std::vector<std::string> components_of(const std::string& path) {
  std::vector<std::string> components;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (end > at) components.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return components;
}

/// One unit of a pattern other than `*`: how many of its bytes it takes, and whether it takes `byte`.
struct Step {
  std::size_t length = 0;
  bool matches = false;
};

/// A bracket expression at the start of `pattern`; nothing when it is never closed, and then the bracket
/// is a plain character.
std::optional<Step> bracket(std::string_view pattern, char byte) {
  std::size_t at = 1;
  const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (negated) ++at;
  bool inside = false;
  const auto take = [&] {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
    return static_cast<unsigned char>(pattern[at++]);
  };
  for (const std::size_t first = at; at < pattern.size() && (pattern[at] != ']' || at == first);) {
    const unsigned char low = take();
    unsigned char high = low;
    if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
      ++at;
      high = take();
    }
    const auto value = static_cast<unsigned char>(byte);
    inside = inside || (low <= value && value <= high);
  }
  if (at >= pattern.size()) return std::nullopt;
  return Step{.length = at + 1, .matches = inside != negated};
}

Step step_of(std::string_view pattern, char byte) {
  if (pattern[0] == '?') return {.length = 1, .matches = true};
  if (pattern[0] == '[') {
    if (const auto step = bracket(pattern, byte)) return *step;
  }
  if (pattern[0] != '\\') return {.length = 1, .matches = pattern[0] == byte};
  return {.length = 2, .matches = pattern.size() > 1 && pattern[1] == byte};
}

/// fnmatch(3) with FNM_PERIOD, in the C locale, for a name without slashes.
bool matches(std::string_view pattern, std::string_view name) {
  const bool plain_dot = pattern.starts_with('.') || pattern.starts_with("\\.");
  if (name.starts_with('.') && !plain_dot) return false;
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = std::string_view::npos;  // where the last `*` stands
  std::size_t taken = 0;                      // what it has taken so far ends here
  while (in < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      taken = in;
      continue;
    }
    const Step step = at < pattern.size() ? step_of(pattern.substr(at), name[in]) : Step();
    if (step.matches) {
      at += step.length;
      ++in;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in = ++taken;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

}  // namespace

bool is_pattern(std::string_view path) {
  return path.find_first_of("*?[\\") != std::string_view::npos;
}

Result<std::vector<std::string>> glob_paths(ports::FileSystem& files, const std::string& pattern) {
  for (const std::string_view form : {"[:", "[.", "[="}) {
    const std::size_t at = pattern.find(form);
    if (at == std::string::npos || at == 0 || pattern.rfind('[', at - 1) == std::string::npos) {
      continue;
    }
    return Error{.kind = ErrorKind::kUnsupported,
                 .message = fmt::format("will not resolve the pattern '{}': it holds a character "
                                        "class, which depends on the locale",
                                        pattern)};
  }
  std::vector<std::string> found = {""};
  for (const std::string& component : components_of(pattern)) {
    std::vector<std::string> next;
    for (std::string& directory : found) {
      if (!is_pattern(component)) {
        directory += "/" + component;
        auto entry = files.look(directory);
        if (!entry) return std::move(entry).error();
        if (entry->has_value()) next.push_back(std::move(directory));
        continue;
      }
      auto entries = files.list(directory.empty() ? "/" : directory);
      if (!entries) return std::move(entries).error();
      directory += "/";
      for (const ports::DirEntry& entry : *entries) {
        if (matches(component, entry.name)) next.push_back(directory + entry.name);
      }
    }
    found = std::move(next);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace kubelet_sysctl::systemd
