// SPDX-License-Identifier: Apache-2.0
// Directories that a change made and its undo takes away.
#pragma once

#include <string>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::ports {

/// What an adapter of FileSystem may offer as well.
class DirectoryRemover {
 public:
  virtual ~DirectoryRemover() = default;
  /// Removes `path`, durably. One that is not there, holds something or is a mount stays as it is, which is no
  /// error. Errors: kPermission, kIo.
  virtual Status remove_if_empty(const std::string& path) = 0;
};

/// How many directories above `path` are missing: those that making the file makes too.
std::size_t missing_directories(FileSystem& files, const std::string& path);

/// Takes `count` directories above `path` away, the deepest first, up to one that is not empty.
Status remove_empty_directories(FileSystem& files, const std::string& path, std::size_t count);

}  // namespace kubelet_sysctl::ports
