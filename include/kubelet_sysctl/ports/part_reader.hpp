// SPDX-License-Identifier: Apache-2.0
// Pieces of files that are too large to be read whole, such as programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::ports {

using TakeLine = std::function<void(std::string_view line)>;

/// What an adapter of FileSystem may offer as well: a file system that does not is read whole.
class PartReader {
 public:
  virtual ~PartReader() = default;
  /// At most `most` bytes of a regular file from `offset` on; fewer at its end, none behind it or where
  /// there is no such file. Errors: kPermission, kIo.
  virtual Result<std::string> read_part(const std::string& path, std::uint64_t offset,
                                        std::size_t most) = 0;
  /// Gives each line to `take`, without its end, however long the file is; of a file in /proc too, which
  /// has no size. Nothing where there is no such file. Errors: kPermission, kIo.
  virtual Status read_lines(const std::string& path, const TakeLine& take) = 0;
};

/// read_lines() of `files`, by reading the file whole where they cannot do better.
Status read_lines(FileSystem& files, const std::string& path, const TakeLine& take);

}  // namespace kubelet_sysctl::ports
