// SPDX-License-Identifier: Apache-2.0
// File name patterns as EnvironmentFile= takes them.
#include "glob.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

namespace kubelet_sysctl {
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

}  // namespace

bool is_pattern(std::string_view path) {
  return path.find_first_of("*?[\\") != std::string_view::npos;
}

Result<std::vector<std::string>> glob_paths(FileSystem& files, const std::string& pattern) {
  std::vector<std::string> found = {""};
  for (const std::string& component : components_of(pattern)) {
    std::vector<std::string> next;
    for (const std::string& directory : found) {
      if (!is_pattern(component)) {
        auto entry = files.look(directory + "/" + component);
        if (!entry) return std::move(entry).error();
        if (entry->has_value()) next.push_back(directory + "/" + component);
        continue;
      }
      auto entries = files.list(directory.empty() ? "/" : directory);
      if (!entries) return std::move(entries).error();
      for (const DirEntry& entry : *entries) {
        if (::fnmatch(component.c_str(), entry.name.c_str(), FNM_PERIOD) == 0) {
          next.push_back(directory + "/" + entry.name);
        }
      }
    }
    found = std::move(next);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace kubelet_sysctl
