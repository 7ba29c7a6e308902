// SPDX-License-Identifier: Apache-2.0
// The files of the wished list, read with the rest of the node.
#include "wish_files.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "kubelet_sysctl/trust.hpp"
#include "kubelet_sysctl/wish_list.hpp"
#include "paths.hpp"

namespace kubelet_sysctl {
namespace {

/// What editors and package managers leave beside a file ends otherwise or begins with a dot.
bool is_read(const DirEntry& entry) {
  return entry.name.ends_with(".conf") && !entry.name.starts_with('.');
}

Status read_one(FileSystem& files, const std::string& path, NodeSnapshot& snapshot) {
  auto source = add_file(files, path, snapshot.files);
  if (!source) return std::move(source).error();
  const SourceFile& file = snapshot.files[static_cast<std::size_t>(*source)];
  if (file.kind == FileKind::kAbsent) return {};
  snapshot.wish_files.push_back(*source);
  // sync does what it says, unasked and as root.
  return check_trusted(files, path);
}

Status read_all(FileSystem& files, NodeSnapshot& snapshot) {
  if (auto status = read_one(files, kWishFile, snapshot); !status) return status;
  // In byte order of their names.
  auto entries = files.list(kWishDirectory);
  if (!entries) return std::move(entries).error();
  for (const DirEntry& entry : *entries) {
    if (!is_read(entry)) continue;
    if (auto status = read_one(files, joined(kWishDirectory, entry.name), snapshot); !status) {
      return status;
    }
  }
  return {};
}

}  // namespace

void read_wish_files(FileSystem& files, NodeSnapshot& snapshot) {
  auto status = read_all(files, snapshot);
  if (status) return;
  snapshot.wish_fault = std::move(status).error();
  if (snapshot.wish_fault->path.empty()) snapshot.wish_fault->path = kWishFile;
  snapshot.wish_files.clear();
}

}  // namespace kubelet_sysctl
