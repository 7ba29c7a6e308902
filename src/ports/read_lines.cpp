// SPDX-License-Identifier: Apache-2.0
// Lines of a file, whatever can read it.
#include <algorithm>
#include <string_view>
#include <utility>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/ports/part_reader.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::ports {

Status read_lines(FileSystem& files, const std::string& path, const TakeLine& take) {
  if (auto* reader = dynamic_cast<PartReader*>(&files)) return reader->read_lines(path, take);
  auto file = files.read(path);
  if (!file) return std::move(file).error();
  for (const std::string_view line : lines_of(file->bytes)) take(line);
  return {};
}

}  // namespace kubelet_sysctl::ports
