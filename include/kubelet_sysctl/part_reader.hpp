// SPDX-License-Identifier: Apache-2.0
// Pieces of files that are too large to be read whole, such as programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kubelet_sysctl/error.hpp"

namespace kubelet_sysctl {

/// What an adapter of FileSystem may offer as well: a file system that does not is read whole.
class PartReader {
 public:
  virtual ~PartReader() = default;
  /// At most `most` bytes of a regular file from `offset` on; fewer at its end, none behind it or where
  /// there is no such file. Errors: kPermission, kIo.
  virtual Result<std::string> read_part(const std::string& path, std::uint64_t offset,
                                        std::size_t most) = 0;
};

}  // namespace kubelet_sysctl
