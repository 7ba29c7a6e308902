// SPDX-License-Identifier: Apache-2.0
// A node of tests/nodes in a temporary place, and command lines run on it in this process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/node_tree.hpp"

namespace kubelet_sysctl::golden {

/// What one command line printed and how it ended.
struct Said {
  int exit = -1;
  std::string out;
  std::string err;
};

/// One file or link as it is in a tree.
struct Thing {
  std::string bytes;  ///< of a link: "-> " and its target
  std::uint32_t mode = 0;
  bool operator==(const Thing&) const = default;
};

/// A copy of tests/nodes/KIND/root, or of tests/cases/KIND/root, with the modes of node.json, and an empty program wherever its unit
/// names one. No command that it is given may ask a service manager, a process or an endpoint.
class GoldenNode {
 public:
  explicit GoldenNode(const std::string& kind);

  /// Runs the words as `kubelet-sysctl WORDS`; "ROOT" in a word is the node's directory, and that
  /// directory is "ROOT" again in what was said; likewise "CASE" for `case_directory`. The kernel
  /// cannot be asked and no program is found, but for what files in that directory say: "kernel", as
  /// FakeKernel::answer_from() reads it, and "programs", a path and its output in each line.
  Said run(const std::vector<std::string>& words, const std::string& case_directory = "CASE") const;
  /// The document that `words -o json --root ROOT` prints.
  [[nodiscard]] nlohmann::json ask(std::vector<std::string> words) const;

  [[nodiscard]] const NodeTree& tree() const { return tree_; }
  /// Every file and link but the program's own journal.
  [[nodiscard]] std::map<std::string, Thing> things() const;
  [[nodiscard]] const nlohmann::json& facts() const { return facts_; }

 private:
  NodeTree tree_;
  nlohmann::json facts_;
};

/// tests/nodes
std::filesystem::path nodes_directory();
/// tests/cases: single layouts, most of them broken, without the facts that a kind has.
std::filesystem::path cases_directory();
/// The directory of a node of that name, of tests/nodes or of tests/cases.
std::filesystem::path node_directory(const std::string& name);
std::string bytes_of(const std::filesystem::path& path);

}  // namespace kubelet_sysctl::golden
