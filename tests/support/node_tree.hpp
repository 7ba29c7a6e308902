// SPDX-License-Identifier: Apache-2.0
// The files of a pretend node in a directory of their own, inspected without the program's own
// code.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace kubelet_sysctl {

/// A temporary directory that stands for the root of a node; gone with the object.
class NodeTree {
 public:
  NodeTree();
  /// A copy of the directory `model`, links and modes kept.
  explicit NodeTree(const std::string& model);
  NodeTree(const NodeTree&) = delete;
  NodeTree& operator=(const NodeTree&) = delete;
  ~NodeTree();

  [[nodiscard]] const std::string& root() const { return root_; }
  /// Where `path` of the node is on this machine.
  [[nodiscard]] std::string at(const std::string& path) const { return root_ + path; }
  /// Makes the file and the directories above it.
  void write(const std::string& path, const std::string& bytes) const;
  [[nodiscard]] std::string read(const std::string& path) const;
  [[nodiscard]] bool exists(const std::string& path) const;
  void remove(const std::string& path) const;
  /// Names in a directory, sorted; empty when it does not exist.
  [[nodiscard]] std::vector<std::string> names(const std::string& path) const;
  /// Every file and link below the root with its bytes or target, but not what is below /proc
  /// and not the program's own journal.
  [[nodiscard]] std::map<std::string, std::string> files() const;

 private:
  std::string root_;
};

}  // namespace kubelet_sysctl
