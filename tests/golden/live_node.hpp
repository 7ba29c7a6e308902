// SPDX-License-Identifier: Apache-2.0
// A pretend node that runs, and command lines run on it in this process.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/cli.hpp"
#include "golden/golden_node.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "support/elf_program.hpp"
#include "support/fake_services.hpp"
#include "support/node_tree.hpp"

namespace kubelet_sysctl::golden {

inline constexpr const char* kKubelet = "/usr/local/bin/kubelet";

/// A node of tests/nodes, running, on a kernel that answers as a 6.18 was observed to (read-only, absent): the
/// kOps node, with the list net.core.somaxconn, net.ipv4.tcp_tw_reuse, unless another is named with the program
/// that its unit starts.
class LiveNode {
 public:
  explicit LiveNode(const std::string& version, const std::string& kind = "kops",
                    const std::string& program = kKubelet)
      : tree_((nodes_directory() / kind / "root").string()),
        disk_(tree_.root()),
        services(tree_.root(), disk_) {
    tree_.write(program, elf_with_data("v" + version));
    ::chmod(tree_.at(program).c_str(), 0755);
    services.boot();
    services.programs.outputs.insert_or_assign(program,
                                               std::string("Kubernetes v" + version + "\n"));
    services.kernel.answer_from(
        "6.18.0\nnet.core.somaxconn writable\nnet.core.rmem_max read-only\n"
        "net.core.netdev_max_backlog absent\nnet.ipv4.tcp_rmem writable\nkernel.shmmax writable\n"
        "kernel.shm_rmid_forced writable\nkernel.msgmax writable\nnet.ipv4.tcp_syncookies "
        "writable\n");
  }

  Said run(const std::vector<std::string>& words, const std::string& input = {}) {
    Said said;
    cli::CliEnvironment host;
    host.open = [this](const std::string&) { return services.ports(); };
    host.out = [&said](const std::string& text) { said.out += text; };
    host.err = [&said](const std::string& text) { said.err += text; };
    host.read_input = [&input] { return input; };
    said.exit = cli::run_cli(words, host);
    return said;
  }

  [[nodiscard]] const NodeTree& tree() const { return tree_; }

  /// The document of these words, kept for tests/validate_json.py.
  nlohmann::json ask(std::vector<std::string> words, const std::string& input = {}) {
    words.insert(words.end(), {"-o", "json"});
    const Said said = run(words, input);
    EXPECT_EQ(said.err, "");
    keep(said.out);
    return nlohmann::json::parse(said.out, nullptr, false);
  }

 private:
  static void keep(const std::string& document) {
    const char* directory = std::getenv("KUBELET_SYSCTL_JSON_DIR");
    if (directory == nullptr) return;
    std::filesystem::create_directories(directory);
    static int number = 0;
    std::ofstream(std::string(directory) + "/live-" + std::to_string(::getpid()) + "-" +
                  std::to_string(number++) + ".json")
        << document;
  }

  NodeTree tree_;
  machine::Disk disk_;

 public:
  FakeServices services;
};

}  // namespace kubelet_sysctl::golden
