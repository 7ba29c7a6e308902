// SPDX-License-Identifier: Apache-2.0
// Files that are mounts, file systems that are read-only or full, files that may not change.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/disk_checks.hpp"
#include "support/scratch.hpp"

namespace kubelet_sysctl {
namespace {

void bind(const Scratch& scratch, const char* from, const char* to) {
  ASSERT_EQ(
      ::mount(scratch.path(from).c_str(), scratch.path(to).c_str(), nullptr, MS_BIND, nullptr), 0);
}

void tmpfs(const Scratch& scratch, const char* to, const char* options) {
  ASSERT_EQ(::mkdir(scratch.path(to).c_str(), 0755), 0);
  ASSERT_EQ(::mount("none", scratch.path(to).c_str(), "tmpfs", 0, options), 0);
}

void expect_written_in_place(const Scratch& scratch) {
  bind(scratch, "/data/kubelet", "/etc/kubelet");
  machine::Disk disk(scratch.path());
  const auto written = disk.replace(read(disk, "/etc/kubelet"), "A=2, longer\n");
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(*written, ports::WriteMode::kInPlace);
  EXPECT_EQ(scratch.read("/data/kubelet"), "A=2, longer\n");
  EXPECT_EQ(scratch.names("/etc"), Names{"kubelet"});
}

constexpr const char* kNeeds = "needs mount namespaces (root) and seccomp filters";

TEST(DiskMount, BindMountedFileIsWrittenInPlace) {
  const Scratch scratch;
  scratch.write("/data/kubelet", "A=1\n");
  scratch.write("/etc/kubelet", "under the mount\n");
  const int status = in_mount_namespace([&] { expect_written_in_place(scratch); });
  if (status == kSkipped) GTEST_SKIP() << kNeeds;
  EXPECT_EQ(status, 0);
  EXPECT_EQ(scratch.read("/etc/kubelet"), "under the mount\n");
}

// Before Linux 5.8 statx(2) does not report a mount: the rename says EBUSY.
TEST(DiskMount, BindMountedFileIsWrittenInPlaceWhereOnlyTheRenameTells) {
  const Scratch scratch;
  scratch.write("/data/kubelet", "A=1\n");
  scratch.write("/etc/kubelet", "under the mount\n");
  const int status = in_mount_namespace([&] {
    forbid_system_call(SYS_statx, ENOSYS);
    expect_written_in_place(scratch);
  });
  if (status == kSkipped) GTEST_SKIP() << kNeeds;
  EXPECT_EQ(status, 0);
}

TEST(DiskMount, BindMountedFileInAReadOnlyDirectoryIsWritten) {
  const Scratch scratch;
  scratch.write("/data/kubelet", "A=1\n");
  const int status = in_mount_namespace([&] {
    tmpfs(scratch, "/etc", "size=64k");
    scratch.write("/etc/kubelet", "");
    ASSERT_EQ(
        ::mount("none", scratch.path("/etc").c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
    expect_written_in_place(scratch);
  });
  if (status == kSkipped) GTEST_SKIP() << kNeeds;
  EXPECT_EQ(status, 0);
}

TEST(DiskMount, AReadOnlyFileSystemIsTheMachinesNo) {
  const Scratch scratch;
  const int status = in_mount_namespace([&] {
    tmpfs(scratch, "/etc", "size=64k");
    scratch.write("/etc/kubelet", "A=1\n");
    ASSERT_EQ(
        ::mount("none", scratch.path("/etc").c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
    machine::Disk disk(scratch.path());
    for (const char* path : {"/etc/kubelet", "/etc/new"}) {
      const auto written = disk.replace(read(disk, path), "A=2\n");
      ASSERT_FALSE(written) << path;
      EXPECT_EQ(written.error().kind, ErrorKind::kPermission);
      EXPECT_EQ(written.error().number, EROFS);
      EXPECT_TRUE(written.error().message.ends_with("Read-only file system"));
      EXPECT_EQ(written.error().path, path);
    }
    EXPECT_EQ(scratch.names("/etc"), Names{"kubelet"});
  });
  if (status == kSkipped) GTEST_SKIP() << kNeeds;
  EXPECT_EQ(status, 0);
}

TEST(DiskMount, FullDiskLeavesTheOldFileWhetherRenamedOrWrittenInPlace) {
  const Scratch scratch;
  scratch.write("/data/x", "");
  const std::string large(200'000, 'x');
  const int status = in_mount_namespace([&] {
    tmpfs(scratch, "/etc", "size=64k");
    scratch.write("/etc/kubelet", "A=1\n");
    scratch.write("/etc/linked", "A=1\n");
    ASSERT_EQ(::link(scratch.path("/etc/linked").c_str(), scratch.path("/etc/twin").c_str()), 0);
    machine::Disk disk(scratch.path());
    for (const char* path : {"/etc/kubelet", "/etc/linked", "/etc/new"}) {
      const SourceFile before = read(disk, path);
      const auto written = disk.replace(before, large);
      ASSERT_FALSE(written) << path;
      EXPECT_EQ(written.error().kind, ErrorKind::kIo);
      EXPECT_TRUE(written.error().message.ends_with("No space left on device"))
          << written.error().message;
      EXPECT_EQ(read(disk, path).bytes, before.bytes) << path;
    }
    EXPECT_EQ(scratch.names("/etc"), (Names{"kubelet", "linked", "twin"}));
  });
  if (status == kSkipped) GTEST_SKIP() << kNeeds;
  EXPECT_EQ(status, 0);
}

// A write in place that fails half way, where nothing could be reserved before it.
TEST(DiskMount, WriteInPlaceThatFailsPutsTheOldBytesBack) {
  const Scratch scratch;
  scratch.write("/etc/kubelet", "A=1\n");
  ASSERT_EQ(::link(scratch.path("/etc/kubelet").c_str(), scratch.path("/etc/twin").c_str()), 0);
  const int status = in_child([&] {
    machine::Disk disk(scratch.path());
    const SourceFile before = read(disk, "/etc/kubelet");
    forbid_system_call(SYS_fallocate, EOPNOTSUPP);
    forbid_system_call(SYS_fsync, EIO);
    const auto written = disk.replace(before, "A=2, longer\n");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind, ErrorKind::kIo);
  });
  if (status == kSkipped) GTEST_SKIP() << kNeeds;
  EXPECT_EQ(status, 0);
  EXPECT_EQ(scratch.read("/etc/kubelet"), "A=1\n");
}

TEST(DiskMount, ImmutableFileIsAPermissionErrorThatNamesChattr) {
  const Scratch scratch;
  scratch.write("/etc/kubelet", "A=1\n");
  const std::string path = scratch.path("/etc/kubelet");
  const machine::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  int flags = 0;
  ASSERT_TRUE(fd);
  if (::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) != 0) GTEST_SKIP() << "no flags here";
  int immutable = flags | FS_IMMUTABLE_FL;
  if (::ioctl(fd.get(), FS_IOC_SETFLAGS, &immutable) != 0) GTEST_SKIP() << "flags need root";
  machine::Disk disk(scratch.path());
  const auto written = disk.replace(read(disk, "/etc/kubelet"), "A=2\n");
  EXPECT_EQ(::ioctl(fd.get(), FS_IOC_SETFLAGS, &flags), 0);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kPermission);
  EXPECT_NE(written.error().hint.find("chattr -i /etc/kubelet"), std::string::npos);
  EXPECT_EQ(scratch.names("/etc"), Names{"kubelet"});
}

}  // namespace
}  // namespace kubelet_sysctl
