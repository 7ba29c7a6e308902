// SPDX-License-Identifier: Apache-2.0
// The files of the desired list, read with the rest of the node.
#include "desired_files.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/desired/desired_list.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/paths.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/ports/trust.hpp"

namespace kubelet_sysctl::discover {
namespace {

/// What editors and package managers leave beside a file ends otherwise or begins with a dot.
bool is_read(const ports::DirEntry& entry) {
  return entry.name.ends_with(".conf") && !entry.name.starts_with('.');
}

Status read_one(ports::FileSystem& files, const std::string& path, nodes::NodeSnapshot& snapshot) {
  auto source = ports::add_file(files, path, snapshot.files);
  if (!source) return std::move(source).error();
  const SourceFile& file = snapshot.files[static_cast<std::size_t>(*source)];
  if (file.kind == FileKind::kAbsent) return {};
  snapshot.desired_files.push_back(*source);
  // sync does what it says, unasked and as root.
  return ports::check_trusted(files, path);
}

Status read_all(ports::FileSystem& files, nodes::NodeSnapshot& snapshot) {
  if (auto status = read_one(files, desired::kDesiredFile, snapshot); !status) return status;
  // In byte order of their names.
  auto entries = files.list(desired::kDesiredDirectory);
  if (!entries) return std::move(entries).error();
  for (const ports::DirEntry& entry : *entries) {
    if (!is_read(entry)) continue;
    if (auto status =
            read_one(files, ports::joined(desired::kDesiredDirectory, entry.name), snapshot);
        !status) {
      return status;
    }
  }
  return {};
}

}  // namespace

void read_desired_files(ports::FileSystem& files, nodes::NodeSnapshot& snapshot) {
  auto status = read_all(files, snapshot);
  if (status) return;
  snapshot.desired_fault = std::move(status).error();
  if (snapshot.desired_fault->path.empty()) snapshot.desired_fault->path = desired::kDesiredFile;
  snapshot.desired_files.clear();
}

}  // namespace kubelet_sysctl::discover
