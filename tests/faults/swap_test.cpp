// SPDX-License-Identifier: Apache-2.0
// Another user puts links in the place of the directories of his tree, before each call of a run as root: no
// call leaves the tree.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "faults/system_calls.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "support/node_tree.hpp"

namespace kubelet_sysctl {
namespace {

namespace fs = std::filesystem;

/// Every directory of the tree below /var, the deepest first, becomes a link to `outside`.
void swap_directories(const NodeTree& tree, const std::string& outside) {
  for (const char* path :
       {"/var/lib/state/records/1", "/var/lib/state/records", "/var/lib/state"}) {
    const std::string at = tree.at(path);
    if (!fs::is_directory(fs::symlink_status(at))) continue;
    fs::rename(at, at + ".moved");
    fs::create_directory_symlink(outside, at);
    return;
  }
}

struct stat facts_of(const std::string& path) {
  struct stat facts = {};
  ::stat(path.c_str(), &facts);
  return facts;
}

/// Runs `act` once for each of its calls, with the swap just before that call.
template <typename Act>
void swap_before_every_call(const Act& act) {
  for (std::size_t number = 1;; ++number) {
    const NodeTree tree;
    const NodeTree outside;
    tree.write("/var/lib/keep", "");
    ::chmod(outside.root().c_str(), 0711);
    bool swapped = false;
    SystemCalls::instance().watch(tree.root(), {.kind = FaultKind::kMeanwhile, .number = number},
                                  nullptr, [&] {
                                    swapped = true;
                                    SystemCalls::instance().rest();
                                    swap_directories(tree, outside.root());
                                  });
    machine::Disk disk(tree.root());
    act(disk);
    SystemCalls::instance().rest();
    EXPECT_EQ(facts_of(outside.root()).st_mode & 07777U, 0711U) << "call " << number;
    EXPECT_TRUE(outside.names("/").empty()) << "call " << number;
    if (!swapped) return;
  }
}

TEST(Swapped, MakingDirectoriesNeverLeavesTheTree) {
  swap_before_every_call([](machine::Disk& disk) {
    static_cast<void>(disk.make_directory("/var/lib/state/records/1", 0700));
  });
}

TEST(Swapped, MakingAFileNeverLeavesTheTree) {
  swap_before_every_call([](machine::Disk& disk) {
    SourceFile absent;
    absent.path = absent.real_path = "/var/lib/state/records/1/journal.json";
    static_cast<void>(disk.replace(absent, "{}"));
  });
}

}  // namespace
}  // namespace kubelet_sysctl
