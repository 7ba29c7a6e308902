// SPDX-License-Identifier: Apache-2.0
// File name patterns as EnvironmentFile= takes them.
#include "kubelet_sysctl/systemd/glob.hpp"

#include <fnmatch.h>

#include <algorithm>
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

/// As glob(3) compares a name, which has no slashes, in the C locale.
bool matches(const std::string& pattern, const std::string& name) {
  return ::fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) == 0;
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
        auto entry = files.stat(directory);
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
