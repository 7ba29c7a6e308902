// SPDX-License-Identifier: Apache-2.0
// Directories above a file that was not there.
#include "kubelet_sysctl/ports/empty_directories.hpp"

#include <cstddef>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::ports {
std::size_t missing_directories(FileSystem& files, const std::string& path) {
  std::size_t count = 0;
  for (std::string above = directory_of(path); above != "/"; above = directory_of(above)) {
    const auto found = files.stat(above);
    if (!found || *found) break;
    ++count;
  }
  return count;
}

Status remove_empty_directories(FileSystem& files, const std::string& path, std::size_t count) {
  auto* remover = dynamic_cast<DirectoryRemover*>(&files);
  if (remover == nullptr) return {};
  std::string above = directory_of(path);
  for (; count > 0 && above != "/"; --count, above = directory_of(above)) {
    if (auto removed = remover->remove_if_empty(above); !removed) return removed;
  }
  return {};
}

}  // namespace kubelet_sysctl::ports
