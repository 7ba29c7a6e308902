// SPDX-License-Identifier: Apache-2.0
// The files of a pretend node in a directory of their own.
#include "support/node_tree.hpp"
#include "kubelet_sysctl/base/error.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace kubelet_sysctl {
namespace {

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

NodeTree::NodeTree() {
  // In memory where that is possible: these tests sync a lot, and what a disk does is tested
  // elsewhere.
  std::filesystem::path base = "/dev/shm";
  if (::access(base.c_str(), W_OK) != 0) base = std::filesystem::temp_directory_path();
  std::string pattern = (base / "kubelet-sysctl.XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) bug("no temporary directory for a test");
  root_ = pattern;
}

NodeTree::NodeTree(const std::string& model) : NodeTree() {
  std::filesystem::copy(model, root_,
                        std::filesystem::copy_options::recursive |
                            std::filesystem::copy_options::copy_symlinks |
                            std::filesystem::copy_options::overwrite_existing);
}

NodeTree::~NodeTree() {
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

void NodeTree::write(const std::string& path, const std::string& bytes) const {
  std::filesystem::create_directories(std::filesystem::path(at(path)).parent_path());
  std::ofstream(at(path), std::ios::binary | std::ios::trunc) << bytes;
}

std::string NodeTree::read(const std::string& path) const { return bytes_of(at(path)); }

bool NodeTree::exists(const std::string& path) const {
  return std::filesystem::exists(std::filesystem::symlink_status(at(path)));
}

void NodeTree::remove(const std::string& path) const { std::filesystem::remove_all(at(path)); }

std::vector<std::string> NodeTree::names(const std::string& path) const {
  std::vector<std::string> names;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(at(path), absent)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::map<std::string, std::string> NodeTree::files() const {
  std::map<std::string, std::string> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
    const std::string path = entry.path().string().substr(root_.size());
    if (path.starts_with("/proc/") || path.starts_with("/var/lib/kubelet-sysctl/")) continue;
    if (entry.is_symlink()) {
      all[path] = "-> " + std::filesystem::read_symlink(entry.path()).string();
    } else if (entry.is_regular_file()) {
      all[path] = bytes_of(entry.path());
    }
  }
  return all;
}

}  // namespace kubelet_sysctl
