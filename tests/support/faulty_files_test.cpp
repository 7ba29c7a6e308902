// SPDX-License-Identifier: Apache-2.0
// The files that fail on demand fail when told, before anything happened, and only then.
#include "support/faulty_files.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"

#include <gtest/gtest.h>

#include "support/node_tree.hpp"

namespace kubelet_sysctl {
namespace {

const Error kFull{.kind = ErrorKind::kIo, .message = "no space left on device"};

TEST(FaultyFiles, NthChangeFailsWithNothingDoneAndTheNextOneWorks) {
  NodeTree tree;
  tree.write("/a", "old");
  machine::Disk disk(tree.root());
  FaultyFiles files(disk);
  files.fail(1, Calls::kChanging, kFull);
  const SourceFile before = *files.read("/a");
  auto failed = files.replace(before, "new");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, kFull.message);
  EXPECT_EQ(failed.error().path, "/a");
  EXPECT_TRUE(files.has_failed());
  EXPECT_EQ(tree.read("/a"), "old");
  EXPECT_TRUE(files.replace(before, "new"));
  EXPECT_EQ(tree.read("/a"), "new");
  EXPECT_EQ(files.calls(Calls::kChanging), (std::vector<std::string>{"replace /a", "replace /a"}));
}

TEST(FaultyFiles, CommitOfWhatWasStagedIsACallOfItsOwn) {
  NodeTree tree;
  tree.write("/a", "old");
  machine::Disk disk(tree.root());
  FaultyFiles files(disk);
  files.fail(2, Calls::kChanging, kFull);
  const SourceFile before = *files.read("/a");
  auto staged = files.stage(before, "new");
  ASSERT_TRUE(staged);
  EXPECT_FALSE((*staged)->commit());
  EXPECT_EQ(tree.read("/a"), "old");
  EXPECT_EQ(files.calls(Calls::kChanging), (std::vector<std::string>{"stage /a", "commit /a"}));
}

TEST(FaultyFiles, ForGoodEveryLaterCallFailsToo) {
  NodeTree tree;
  tree.write("/a", "old");
  machine::Disk disk(tree.root());
  FaultyFiles files(disk);
  files.fail(2, Calls::kAll, kFull, true);
  EXPECT_TRUE(files.read("/a"));
  EXPECT_FALSE(files.stat("/a"));
  EXPECT_FALSE(files.make_directory("/b", 0700));
  EXPECT_FALSE(tree.exists("/b"));
  files.heal();
  EXPECT_TRUE(files.stat("/a"));
  EXPECT_EQ(files.count(Calls::kAll), 1u);
  EXPECT_FALSE(files.has_failed());
}

}  // namespace
}  // namespace kubelet_sysctl
