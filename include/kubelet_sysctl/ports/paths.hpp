// SPDX-License-Identifier: Apache-2.0
// Paths of a node: joined, taken apart, and followed to what they lead to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::ports {

/// `path` itself when it is absolute, else below `base`; "//", "." and ".." are cleaned away.
std::string joined(std::string_view base, std::string_view path);

/// `path` with the links of its directories followed and its last component as it is.
Result<std::string> with_real_directory(FileSystem& files, const std::string& path);

/// Where a path leads once every link is followed.
struct PathEnd {
  std::string path;
  std::optional<DirEntry> entry;  ///< nothing when the links lead nowhere; never a link
  bool through_link = false;
};

/// Follows `path` link by link, so that a link to "/dev/null" is known for what it is in a tree
/// that has no devices.
Result<PathEnd> target_of(FileSystem& files, const std::string& path);

/// Refuses what no node has: `sources` of `read` with thousands of lines together. Errors: kUnsupported.
Status check_lines(const std::vector<SourceFile>& read, const std::vector<std::int32_t>& sources,
                   std::string_view what);

/// Index in `read` of the file at `path`, read now unless it was read before. Errors: those of read(), and
/// kUnsupported for more files or bytes than any node has.
Result<std::int32_t> add_file(FileSystem& files, const std::string& path,
                              std::vector<SourceFile>& read);

}  // namespace kubelet_sysctl::ports
