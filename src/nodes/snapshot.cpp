// SPDX-License-Identifier: Apache-2.0
// Files among those that were read.
#include "kubelet_sysctl/nodes/snapshot.hpp"

#include <algorithm>

#include "kubelet_sysctl/base/source.hpp"

namespace kubelet_sysctl::nodes {

std::int32_t find_source(const NodeSnapshot& snapshot, std::string_view path) {
  const auto find = [&](auto matches) {
    const auto file = std::find_if(snapshot.files.begin(), snapshot.files.end(), matches);
    return file == snapshot.files.end() ? kNoSource
                                        : static_cast<std::int32_t>(file - snapshot.files.begin());
  };
  std::int32_t source = find([&](const SourceFile& file) { return file.path == path; });
  if (source != kNoSource || path.empty()) return source;
  source = find([&](const SourceFile& file) { return file.real_path == path; });
  if (source != kNoSource || !path.starts_with("/lib/")) return source;
  // systemd may name a unit by /lib where that is a link to /usr/lib and the walk used the latter.
  const std::string merged = "/usr" + std::string(path);
  return find([&](const SourceFile& file) { return file.real_path == merged; });
}

const SourceFile* find_file(const NodeSnapshot& snapshot, std::string_view path) {
  const std::int32_t source = find_source(snapshot, path);
  return source == kNoSource ? nullptr : &snapshot.files[static_cast<std::size_t>(source)];
}

}  // namespace kubelet_sysctl::nodes
