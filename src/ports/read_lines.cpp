// SPDX-License-Identifier: Apache-2.0
// Lines of a file, whatever can read it.
#include <algorithm>
#include <string_view>
#include <utility>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/part_reader.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::ports {

Status read_lines(FileSystem& files, const std::string& path, const TakeLine& take) {
  if (auto* reader = dynamic_cast<PartReader*>(&files)) return reader->read_lines(path, take);
  auto file = files.read(path);
  if (!file) return std::move(file).error();
  for (std::string_view rest = file->bytes; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    take(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

}  // namespace kubelet_sysctl::ports
