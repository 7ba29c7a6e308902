// SPDX-License-Identifier: Apache-2.0
// What a killed run leaves beside a file, and folders that go.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "support/node_tree.hpp"

namespace kubelet_sysctl {
namespace {

using Names = std::vector<std::string>;

TEST(DiskSweep, TakesWhatADeadRunLeftAndNothingElse) {
  const NodeTree tree;
  tree.write("/etc/kubelet", "A=1\n");
  tree.write("/etc/.kubelet.kubelet-sysctl~abcdef", "half");
  tree.write("/etc/.kubelet.kubelet-sysctl~abcdefg", "a user's");
  tree.write("/etc/.other.kubelet-sysctl~abcdef", "of another file");
  tree.write("/etc/.kubelet.kubelet-sysctl~living", "of a run that lives");
  const int living = ::open(tree.at("/etc/.kubelet.kubelet-sysctl~living").c_str(), O_RDONLY);
  ASSERT_EQ(::flock(living, LOCK_EX | LOCK_NB), 0);
  machine::Disk disk(tree.root());
  EXPECT_TRUE(disk.sweep("/etc/kubelet"));
  EXPECT_EQ(tree.names("/etc"),
            (Names{".kubelet.kubelet-sysctl~abcdefg", ".kubelet.kubelet-sysctl~living",
                   ".other.kubelet-sysctl~abcdef", "kubelet"}));
  ::close(living);
  EXPECT_TRUE(disk.sweep("/etc/none/file")) << "where there is no directory there is nothing to do";
}

TEST(DiskSweep, FolderGoesWithItsFilesAndNotWithADirectoryInIt) {
  const NodeTree tree;
  tree.write("/var/x/journal.json", "{}");
  tree.write("/var/x/.original-0.kubelet-sysctl~abcdef", "half");
  tree.write("/var/y/deep/file", "kept");
  machine::Disk disk(tree.root());
  EXPECT_TRUE(disk.remove_folder("/var/x"));
  EXPECT_TRUE(disk.remove_folder("/var/x")) << "one that is not there is no error";
  EXPECT_FALSE(disk.remove_folder("/var/y"));
  EXPECT_EQ(tree.names("/var"), Names{"y"});
  EXPECT_EQ(tree.read("/var/y/deep/file"), "kept");
}

}  // namespace
}  // namespace kubelet_sysctl
