// SPDX-License-Identifier: Apache-2.0
// The files that a kubelet's flags name: --config and the walk through --config-dir.
#include "kubelet_files.hpp"

#include <string>
#include <utility>
#include <vector>

#include "paths.hpp"

namespace kubelet_sysctl {
namespace {

/// A flag's path below the directory that the process works in; kept as it is spelt.
std::string below(const std::string& directory, const std::string& path) {
  if (path.starts_with('/')) return path;
  return (directory == "/" ? directory : directory + "/") + path;
}

/// The kubelet reads a file whose name ends in exactly this; ".conf" alone counts too. Source:
/// kubernetes cmd/kubelet/app/server.go mergeKubeletConfigurations(), Go filepath.Ext.
bool is_read(const std::string& name) { return name.ends_with(".conf"); }

Status add_entry(FileSystem& files, const std::string& path, std::vector<WalkEntry>& walk,
                 std::vector<SourceFile>& read) {
  WalkEntry entry{.path = path, .source = kNoSource};
  if (is_read(path)) {
    auto source = add_file(files, path, read);
    if (!source) return std::move(source).error();
    entry.source = *source;
  }
  walk.push_back(std::move(entry));
  return {};
}

/// Go's filepath.WalkDir: names in byte order, each directory at the place of its own name, no link
/// entered. A link to a directory that is named like a file is read, and fails, as it does in the
/// kubelet.
Status walk_directory(FileSystem& files, const std::string& directory, std::vector<WalkEntry>& walk,
                      std::vector<SourceFile>& read) {
  auto entries = files.list(directory);
  if (!entries) return std::move(entries).error();
  for (const DirEntry& entry : *entries) {
    const std::string path = joined(directory, entry.name);
    const Status status = entry.kind == EntryKind::kDirectory
                              ? walk_directory(files, path, walk, read)
                              : add_entry(files, path, walk, read);
    if (!status) return status;
  }
  return {};
}

}  // namespace

Status read_kubelet_files(FileSystem& files, const KubeletFlags& flags, NodeSnapshot& snapshot) {
  if (flags.config && !flags.config->empty()) {
    auto source = add_file(files, below(snapshot.process_cwd, *flags.config), snapshot.files);
    if (!source) return std::move(source).error();
  }
  if (!flags.config_dir || flags.config_dir->empty()) return {};
  const std::string directory = below(snapshot.process_cwd, *flags.config_dir);
  // The directory's own time of change tells whether a file was taken away.
  auto itself = add_file(files, directory, snapshot.files);
  if (!itself) return std::move(itself).error();
  auto root = files.look(directory);
  if (!root) return std::move(root).error();
  if (root->has_value()) {
    // A --config-dir that is itself a link is no directory for WalkDir: nothing in it is read.
    std::vector<WalkEntry>& walk = snapshot.config_dirs[directory];
    const Status status = (*root)->kind == EntryKind::kDirectory
                              ? walk_directory(files, directory, walk, snapshot.files)
                              : add_entry(files, directory, walk, snapshot.files);
    if (!status) return status;
  }
  // Where a list may be written that has no file yet.
  auto own = add_file(files, joined(directory, kOwnDropIn), snapshot.files);
  return own ? Status() : Status(std::move(own).error());
}

}  // namespace kubelet_sysctl
