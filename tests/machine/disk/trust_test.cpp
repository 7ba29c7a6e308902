// SPDX-License-Identifier: Apache-2.0
// Whether another user can write a path or replace what is on the way to it.
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "support/node_tree.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kRecord = "/var/lib/kubelet-sysctl/transactions/1/journal.json";
constexpr unsigned kMallory = 65534;

class DiskTrust : public ::testing::Test {
 protected:
  DiskTrust() {
    tree_.write(kRecord, "{}");
    // Whatever the umask of the test was.
    for (std::string path = kRecord; path.size() > 1; path.erase(path.rfind('/')))
      set_mode(path, 0755);
  }

  void set_mode(const std::string& path, unsigned mode) const {
    ASSERT_EQ(::chmod(tree_.at(path).c_str(), mode), 0);
  }
  void give(const std::string& path, unsigned uid, unsigned gid = 0) const {
    ASSERT_EQ(::lchown(tree_.at(path).c_str(), uid, gid), 0);
  }
  [[nodiscard]] Status ask(const std::string& path = kRecord) const {
    return machine::Disk(tree_.root()).check_trusted(path);
  }
  /// Refused with `reason`, and the place that is to blame.
  void expect_refused(const std::string& at, const std::string& reason) const {
    const Status status = ask();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kRefused);
    EXPECT_EQ(status.error().path, at);
    EXPECT_NE(status.error().message.find(reason), std::string::npos) << status.error().message;
    EXPECT_NE(status.error().hint.find(tree_.root()), std::string::npos) << status.error().hint;
  }

  NodeTree tree_;
};

#define NEEDS_ROOT() \
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away"

TEST_F(DiskTrust, OwnFilesThatNobodyElseCanWriteAreGood) {
  EXPECT_TRUE(ask());
  EXPECT_TRUE(ask("/var/lib/kubelet-sysctl/transactions/2/journal.json")) << "nothing is there";
}

TEST_F(DiskTrust, AnOwnerAnywhereOnTheWayIsRefused) {
  NEEDS_ROOT();
  for (std::string path = kRecord; path.size() > 1; path.erase(path.rfind('/'))) {
    give(path, kMallory);
    expect_refused(path, "uid 65534");
    give(path, 0);
  }
  give("/", kMallory);
  expect_refused("/", "uid 65534");
}

TEST_F(DiskTrust, ARecordThatAGroupOrEverybodyMayWriteIsRefused) {
  for (const unsigned mode : {0664U, 0646U}) {
    set_mode(kRecord, mode);
    expect_refused(kRecord, "may write it");
  }
}

TEST_F(DiskTrust, ADirectoryOnTheWayThatOthersMayWriteIsRefusedUnlessItIsSticky) {
  set_mode("/var/lib", 0777);
  expect_refused("/var/lib", "every user");
  set_mode("/var/lib", 01777);
  EXPECT_TRUE(ask());
}

TEST_F(DiskTrust, ADirectoryOnTheWayMayBeWritableForTheOwnGroupAlone) {
  NEEDS_ROOT();
  set_mode("/var/lib", 0775);
  EXPECT_TRUE(ask());
  give("/var/lib", 0, kMallory);
  expect_refused("/var/lib", "group 65534");
}

TEST_F(DiskTrust, ALinkIsFollowedInsideTheRootAndItsOwnerCounts) {
  NEEDS_ROOT();
  tree_.write("/srv/state/transactions/1/journal.json", "{}");
  tree_.remove("/var/lib/kubelet-sysctl");
  ASSERT_EQ(::symlink("/srv/state", tree_.at("/var/lib/kubelet-sysctl").c_str()), 0);
  EXPECT_TRUE(ask());
  give("/srv/state", kMallory);
  expect_refused("/srv/state", "uid 65534");
  give("/srv/state", 0);
  give("/var/lib/kubelet-sysctl", kMallory);
  expect_refused("/var/lib/kubelet-sysctl", "uid 65534");
}

TEST_F(DiskTrust, ACircleOfLinksIsAnError) {
  tree_.remove("/var/lib/kubelet-sysctl");
  ASSERT_EQ(::symlink("kubelet-sysctl", tree_.at("/var/lib/kubelet-sysctl").c_str()), 0);
  EXPECT_FALSE(ask());
}

}  // namespace
}  // namespace kubelet_sysctl
