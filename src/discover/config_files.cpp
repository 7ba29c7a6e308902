// SPDX-License-Identifier: Apache-2.0
// The files that a kubelet's flags name: --config and the walk through --config-dir.
#include "config_files.hpp"

#include <string>
#include <utility>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/paths.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {
namespace {

/// A flag's path below the directory that the process works in; kept as it is spelt.
std::string below(const std::string& directory, const std::string& path) {
  if (path.starts_with('/')) return path;
  return (directory == "/" ? directory : directory + "/") + path;
}

/// The kubelet reads a file whose name ends in exactly this; ".conf" alone counts too. Source:
/// kubernetes cmd/kubelet/app/server.go mergeKubeletConfigurations(), Go filepath.Ext.
bool is_read(const std::string& name) { return name.ends_with(".conf"); }

Status add_entry(ports::FileSystem& files, const std::string& path,
                 std::vector<nodes::WalkEntry>& walk, std::vector<SourceFile>& read) {
  nodes::WalkEntry entry{.path = path, .source = kNoSource};
  if (is_read(path)) {
    auto source = ports::add_file(files, path, read);
    if (!source) return std::move(source).error();
    entry.source = *source;
  }
  walk.push_back(std::move(entry));
  return {};
}

/// Go's filepath.WalkDir: names in byte order, each directory at the place of its own name, no link
/// entered. A link to a directory that is named like a file is read, and fails, as it does in the
/// kubelet.
Status walk_directory(ports::FileSystem& files, const std::string& directory,
                      std::vector<nodes::WalkEntry>& walk, std::vector<SourceFile>& read) {
  auto entries = files.list(directory);
  if (!entries) return std::move(entries).error();
  for (const ports::DirEntry& entry : *entries) {
    const std::string path = ports::joined(directory, entry.name);
    const Status status = entry.kind == ports::EntryKind::kDirectory
                              ? walk_directory(files, path, walk, read)
                              : add_entry(files, path, walk, read);
    if (!status) return status;
  }
  return {};
}

}  // namespace

Status read_kubelet_files(ports::FileSystem& files, const kubelet::KubeletFlags& flags,
                          nodes::NodeSnapshot& snapshot) {
  if (flags.config && !flags.config->empty()) {
    auto source =
        ports::add_file(files, below(snapshot.process_cwd, *flags.config), snapshot.files);
    if (!source) return std::move(source).error();
  }
  if (!flags.config_dir || flags.config_dir->empty()) return {};
  const std::string directory = below(snapshot.process_cwd, *flags.config_dir);
  // The directory's own time of change says whether a file was taken away.
  auto itself = ports::add_file(files, directory, snapshot.files);
  if (!itself) return std::move(itself).error();
  auto root = files.stat(directory);
  if (!root) return std::move(root).error();
  if (root->has_value()) {
    // A --config-dir that is itself a link is no directory for WalkDir: nothing in it is read.
    std::vector<nodes::WalkEntry>& walk = snapshot.config_dirs[directory];
    const Status status = (*root)->kind == ports::EntryKind::kDirectory
                              ? walk_directory(files, directory, walk, snapshot.files)
                              : add_entry(files, directory, walk, snapshot.files);
    if (!status) return status;
  }
  // Where a list may be written that has no file yet.
  auto own = ports::add_file(files, ports::joined(directory, model::kOwnDropIn), snapshot.files);
  return own ? Status() : Status(std::move(own).error());
}

}  // namespace kubelet_sysctl::discover
