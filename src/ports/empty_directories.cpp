// SPDX-License-Identifier: Apache-2.0
// Directories above a file that was not there.
#include "kubelet_sysctl/ports/empty_directories.hpp"

#include <cstddef>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::ports {
namespace {

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

}  // namespace

std::size_t missing_directories(FileSystem& files, const std::string& path) {
  std::size_t count = 0;
  for (std::string above = parent_of(path); above != "/"; above = parent_of(above)) {
    const auto found = files.look(above);
    if (!found || *found) break;
    ++count;
  }
  return count;
}

Status remove_empty_directories(FileSystem& files, const std::string& path, std::size_t count) {
  auto* remover = dynamic_cast<DirectoryRemover*>(&files);
  if (remover == nullptr) return {};
  std::string above = parent_of(path);
  for (; count > 0 && above != "/"; --count, above = parent_of(above)) {
    if (auto removed = remover->remove_if_empty(above); !removed) return removed;
  }
  return {};
}

}  // namespace kubelet_sysctl::ports
