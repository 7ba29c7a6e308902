// SPDX-License-Identifier: Apache-2.0
// Paths, lists and lines.
#include "kubelet_sysctl/base/strings.hpp"

#include <algorithm>

namespace kubelet_sysctl {
inline namespace base {

std::string directory_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return "/";
  return std::string(path.substr(0, slash));
}

std::string absolute(const std::string& path, const std::string& directory) {
  if (path.empty() || path.front() == '/') return path;
  const std::string base = directory.empty() ? "/" : directory;
  return base.back() == '/' ? base + path : base + "/" + path;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace base
}  // namespace kubelet_sysctl
