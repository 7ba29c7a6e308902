// SPDX-License-Identifier: Apache-2.0
// Making files and directories that were not there, and removing them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/disk_checks.hpp"
#include "support/scratch.hpp"

namespace kubelet_sysctl {
namespace {

TEST(DiskCreate, AbsentFileIsMadeWithItsDirectoriesAndMode) {
  const Scratch scratch;
  machine::Disk disk(scratch.path());
  SourceFile before = read(disk, "/etc/systemd/system/kubelet.service.d/20-x.conf");
  before.meta.mode = 0600;
  expect_mode(disk.replace(before, "[Service]\n"), ports::WriteMode::kRenamed);
  EXPECT_EQ(scratch.read("/etc/systemd/system/kubelet.service.d/20-x.conf"), "[Service]\n");
  EXPECT_EQ(scratch.facts("/etc/systemd/system/kubelet.service.d/20-x.conf").st_mode & 07777U,
            0600u);
  EXPECT_EQ(scratch.facts("/etc/systemd/system/kubelet.service.d").st_mode & 07777U, 0755u);
}

TEST(DiskCreate, AbsentTargetOfALinkIsMadeInsideTheRoot) {
  const Scratch scratch;
  machine::Disk disk(scratch.path());
  scratch.write("/etc/other", "");
  std::filesystem::create_symlink("/data/kubelet", scratch.path("/etc/kubelet"));
  expect_mode(disk.replace(read(disk, "/etc/kubelet"), "A=1\n"), ports::WriteMode::kRenamed);
  EXPECT_EQ(scratch.read("/data/kubelet"), "A=1\n");
  EXPECT_EQ(read(disk, "/etc/kubelet").real_path, "/data/kubelet");
}

TEST(DiskCreate, AbsentFileThatAppearedIsAConflict) {
  const Scratch scratch;
  machine::Disk disk(scratch.path());
  scratch.write("/etc/other", "");
  const SourceFile before = read(disk, "/etc/kubelet");
  scratch.write("/etc/kubelet", "theirs\n");
  expect_error(disk.replace(before, "ours\n"), ErrorKind::kConflict);
  EXPECT_EQ(scratch.read("/etc/kubelet"), "theirs\n");
  EXPECT_EQ(scratch.names("/etc"), (Names{"kubelet", "other"}));
}

TEST(DiskCreate, AfterAFailedStepOfMakingAFileNeitherItNorItsDirectoriesAreLeft) {
  const Scratch scratch;
  scratch.write("/etc/other", "");
  for (const int call : {SYS_pwrite64, SYS_fchmod, SYS_fsync, SYS_renameat2}) {
    const int status = in_child([&] {
      machine::Disk disk(scratch.path());
      const SourceFile before = read(disk, "/etc/new/kubelet");
      forbid_system_call(call, ENOSPC);
      expect_error(disk.replace(before, "A=2\n"), ErrorKind::kIo);
    });
    if (status == kSkipped) GTEST_SKIP() << "this machine permits no seccomp filter";
    EXPECT_EQ(status, 0) << "system call " << call;
    EXPECT_EQ(scratch.names("/etc"), Names{"other"}) << "system call " << call;
  }
}

TEST(DiskCreate, FileIsMadeWhereTheFileSystemCannotRenameWithoutReplacing) {
  const Scratch scratch;
  const int status = in_child([&] {
    machine::Disk disk(scratch.path());
    forbid_system_call(SYS_renameat2, EINVAL);
    const SourceFile before = read(disk, "/etc/kubelet");
    expect_mode(disk.replace(before, "A=1\n"), ports::WriteMode::kRenamed);
  });
  if (status == kSkipped) GTEST_SKIP() << "this machine permits no seccomp filter";
  EXPECT_EQ(status, 0);
  EXPECT_EQ(scratch.read("/etc/kubelet"), "A=1\n");
  EXPECT_EQ(scratch.names("/etc"), Names{"kubelet"});
  EXPECT_EQ(scratch.facts("/etc/kubelet").st_nlink, 1u);
}

TEST(DiskRemove, FileGoesAndItsDirectoryOnlyWhenEmpty) {
  const Scratch scratch;
  scratch.write("/etc/d/one", "1");
  scratch.write("/etc/d/two", "2");
  machine::Disk disk(scratch.path());
  EXPECT_TRUE(disk.remove(read(disk, "/etc/d/one"), true));
  EXPECT_EQ(scratch.names("/etc/d"), Names{"two"});
  EXPECT_TRUE(disk.remove(read(disk, "/etc/d/two"), true));
  EXPECT_TRUE(scratch.names("/etc").empty());
}

TEST(DiskMakeDirectory, ModeIsOfTheLastOneAndAnExistingOneIsLeftAlone) {
  const Scratch scratch;
  machine::Disk disk(scratch.path());
  ASSERT_TRUE(disk.make_directory("/var/lib/state", 0700));
  EXPECT_EQ(scratch.facts("/var/lib/state").st_mode & 07777U, 0700u);
  EXPECT_EQ(scratch.facts("/var/lib").st_mode & 07777U, 0755u);
  ASSERT_TRUE(disk.make_directory("/var/lib", 0700));
  EXPECT_EQ(scratch.facts("/var/lib").st_mode & 07777U, 0755u);
  scratch.write("/plain", "");
  EXPECT_FALSE(disk.make_directory("/plain/below", 0755));
}

}  // namespace
}  // namespace kubelet_sysctl
