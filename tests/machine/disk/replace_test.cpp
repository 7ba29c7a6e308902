// SPDX-License-Identifier: Apache-2.0
// Replacing files: what is kept, what is a conflict, what is left after a failure.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>
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

std::string attribute(const std::string& path, const char* name) {
  std::array<char, 256> value{};
  const ssize_t size = ::lgetxattr(path.c_str(), name, value.data(), value.size());
  return size < 0 ? "none" : std::string(value.data(), static_cast<std::size_t>(size));
}

// The binary form of user::rw-,user:1000:rw-,group::r--,mask::rw-,other::r--; acl(5) and the
// kernel's include/uapi/linux/posix_acl_xattr.h: version 2, then tag, permissions and id of each
// entry.
std::string access_list() {
  std::string bytes("\x02\0\0\0", 4);
  const auto entry = [&](char tag, char permissions, std::string_view id) {
    bytes += std::string{tag, '\0', permissions, '\0'};
    bytes += id;
  };
  constexpr std::string_view kNobody = "\xff\xff\xff\xff";
  entry(0x01, 6, kNobody);
  entry(0x02, 6, std::string_view("\xe8\x03\0\0", 4));
  entry(0x04, 4, kNobody);
  entry(0x10, 6, kNobody);
  entry(0x20, 4, kNobody);
  return bytes;
}

TEST(DiskReplace, NewBytesComeWithANewInodeAndTime) {
  const Scratch scratch;
  scratch.write("/etc/kubelet", "A=1\n");
  const struct stat old = scratch.facts("/etc/kubelet");
  machine::Disk disk(scratch.path());
  expect_mode(disk.replace(read(disk, "/etc/kubelet"), "A=2\n"), ports::WriteMode::kRenamed);
  EXPECT_EQ(scratch.read("/etc/kubelet"), "A=2\n");
  const struct stat now = scratch.facts("/etc/kubelet");
  EXPECT_NE(now.st_ino, old.st_ino);
  // systemd sees a changed unit by a newer mtime alone.
  EXPECT_GE(read(disk, "/etc/kubelet").meta.mtime_ns,
            old.st_mtim.tv_sec * 1'000'000'000 + old.st_mtim.tv_nsec);
  EXPECT_EQ(scratch.names("/etc"), Names{"kubelet"});
}

TEST(DiskReplace, SameBytesWriteNothing) {
  const Scratch scratch;
  scratch.write("/etc/kubelet", "A=1\n");
  const struct stat old = scratch.facts("/etc/kubelet");
  machine::Disk disk(scratch.path());
  expect_mode(disk.replace(read(disk, "/etc/kubelet"), "A=1\n"), ports::WriteMode::kUnchanged);
  const struct stat now = scratch.facts("/etc/kubelet");
  EXPECT_EQ(now.st_ino, old.st_ino);
  EXPECT_EQ(now.st_mtim.tv_nsec, old.st_mtim.tv_nsec);
  EXPECT_EQ(now.st_ctim.tv_nsec, old.st_ctim.tv_nsec);
}

TEST(DiskReplace, OwnerAndModeAreKept) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give a file away";
  const Scratch scratch;
  scratch.write("/etc/kubelet", "A=1\n");
  const std::string path = scratch.path("/etc/kubelet");
  ASSERT_EQ(::chown(path.c_str(), 123, 456), 0);
  ASSERT_EQ(::chmod(path.c_str(), 04640), 0);
  ::umask(077);
  machine::Disk disk(scratch.path());
  expect_mode(disk.replace(read(disk, "/etc/kubelet"), "A=2\n"), ports::WriteMode::kRenamed);
  ::umask(022);
  const struct stat now = scratch.facts("/etc/kubelet");
  EXPECT_EQ(now.st_uid, 123u);
  EXPECT_EQ(now.st_gid, 456u);
  EXPECT_EQ(now.st_mode & 07777U, 04640u);
}

TEST(DiskReplace, ExtendedAttributesAndLabelsAreKept) {
  const Scratch scratch;
  scratch.write("/etc/kubelet", "A=1\n");
  const std::string path = scratch.path("/etc/kubelet");
  if (::setxattr(path.c_str(), "user.note", "mine", 4, 0) != 0) {
    GTEST_SKIP() << "this file system has no extended attributes";
  }
  // Without SELinux the kernel stores the label as it is given.
  const bool labels = ::setxattr(path.c_str(), "security.selinux", "u:r:etc_t", 9, 0) == 0;
  machine::Disk disk(scratch.path());
  expect_mode(disk.replace(read(disk, "/etc/kubelet"), "A=2\n"), ports::WriteMode::kRenamed);
  EXPECT_EQ(attribute(path, "user.note"), "mine");
  EXPECT_EQ(attribute(path, "security.selinux"), labels ? "u:r:etc_t" : "none");
}

TEST(DiskReplace, AccessListIsKeptAndTheDefaultOfTheDirectoryDoesNotLeakIn) {
  const Scratch scratch;
  scratch.write("/etc/listed", "A=1\n");
  scratch.write("/etc/plain", "A=1\n");
  const std::string acl = access_list();
  const char* kAccess = "system.posix_acl_access";
  const auto set = [&](const char* below, const char* name) {
    return ::setxattr(scratch.path(below).c_str(), name, acl.data(), acl.size(), 0);
  };
  if (set("/etc/listed", kAccess) != 0 || set("/etc", "system.posix_acl_default") != 0) {
    GTEST_SKIP() << "this file system has no POSIX ACLs";
  }
  machine::Disk disk(scratch.path());
  for (const char* path : {"/etc/listed", "/etc/plain"}) {
    expect_mode(disk.replace(read(disk, path), "A=2\n"), ports::WriteMode::kRenamed);
  }
  EXPECT_EQ(attribute(scratch.path("/etc/listed"), kAccess), acl);
  EXPECT_EQ(attribute(scratch.path("/etc/plain"), kAccess), "none");
  EXPECT_EQ(scratch.facts("/etc/plain").st_mode & 07777U, 0644u);
}

TEST(DiskReplace, LabelThatCannotBeKeptIsAnErrorAndTheOldFileStands) {
  const Scratch scratch;
  scratch.write("/etc/kubelet", "A=1\n");
  if (::setxattr(scratch.path("/etc/kubelet").c_str(), "user.note", "mine", 4, 0) != 0) {
    GTEST_SKIP() << "this file system has no extended attributes";
  }
  const int status = in_child([&] {
    forbid_system_call(SYS_fsetxattr, EPERM);
    machine::Disk disk(scratch.path());
    expect_error(disk.replace(read(disk, "/etc/kubelet"), "A=2\n"), ErrorKind::kPermission);
  });
  if (status == kSkipped) GTEST_SKIP() << "this machine permits no seccomp filter";
  EXPECT_EQ(status, 0);
  EXPECT_EQ(scratch.read("/etc/kubelet"), "A=1\n");
  EXPECT_EQ(scratch.names("/etc"), Names{"kubelet"});
}

TEST(DiskReplace, LinkStaysAndItsTargetInsideTheRootIsReplaced) {
  const Scratch scratch;
  scratch.write("/data/kubelet", "A=1\n");
  scratch.write("/etc/other", "");
  std::filesystem::create_symlink("/data/kubelet", scratch.path("/etc/kubelet"));
  machine::Disk disk(scratch.path());
  expect_mode(disk.replace(read(disk, "/etc/kubelet"), "A=2\n"), ports::WriteMode::kRenamed);
  EXPECT_EQ(std::filesystem::read_symlink(scratch.path("/etc/kubelet")), "/data/kubelet");
  EXPECT_EQ(scratch.read("/data/kubelet"), "A=2\n");
  EXPECT_EQ(scratch.names("/data"), Names{"kubelet"});
}

TEST(DiskReplace, EveryNameOfAFileWithHardLinksSeesTheNewBytes) {
  const Scratch scratch;
  scratch.write("/etc/kubelet", "a longer text\n");
  std::filesystem::create_hard_link(scratch.path("/etc/kubelet"), scratch.path("/etc/twin"));
  machine::Disk disk(scratch.path());
  expect_mode(disk.replace(read(disk, "/etc/kubelet"), "short\n"), ports::WriteMode::kInPlace);
  EXPECT_EQ(scratch.read("/etc/twin"), "short\n");
  expect_mode(disk.replace(read(disk, "/etc/twin"), "a longer text again\n"),
              ports::WriteMode::kInPlace);
  EXPECT_EQ(scratch.read("/etc/kubelet"), "a longer text again\n");
  EXPECT_EQ(scratch.facts("/etc/kubelet").st_nlink, 2u);
}

TEST(DiskReplace, InATreeTheOtherNamesOfALinkedFileKeepTheirBytes) {
  const Scratch scratch;
  scratch.write("/tree/etc/kubelet", "A=1\n");
  std::filesystem::create_hard_link(scratch.path("/tree/etc/kubelet"), scratch.path("/backup"));
  machine::Disk disk(scratch.path("/tree"), machine::LinkedFiles::kBreak);
  const auto traits = disk.traits_of(read(disk, "/etc/kubelet"));
  ASSERT_TRUE(traits);
  EXPECT_FALSE(traits->in_place);
  expect_mode(disk.replace(read(disk, "/etc/kubelet"), "A=2\n"), ports::WriteMode::kRenamed);
  EXPECT_EQ(scratch.read("/tree/etc/kubelet"), "A=2\n");
  EXPECT_EQ(scratch.read("/backup"), "A=1\n");
}

TEST(DiskReplace, FileThatChangedSinceItWasReadIsAConflict) {
  const Scratch scratch;
  machine::Disk disk(scratch.path());
  scratch.write("/etc/kubelet", "A=1\n");
  const SourceFile before = read(disk, "/etc/kubelet");
  scratch.write("/etc/kubelet", "B=1\n");  // same inode, same size
  expect_error(disk.replace(before, "A=2\n"), ErrorKind::kConflict);
  EXPECT_FALSE(disk.remove(before, false));
  EXPECT_EQ(scratch.read("/etc/kubelet"), "B=1\n");
  EXPECT_EQ(scratch.names("/etc"), Names{"kubelet"});
}

TEST(DiskReplace, ChangeThatKeepsSizeAndTimesIsAConflictToo) {
  const Scratch scratch;
  machine::Disk disk(scratch.path());
  scratch.write("/etc/kubelet", "A=1\n");
  const SourceFile before = read(disk, "/etc/kubelet");
  const struct stat old = scratch.facts("/etc/kubelet");
  scratch.write("/etc/kubelet", "B=1\n");
  const std::array<timespec, 2> times = {old.st_atim, old.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, scratch.path("/etc/kubelet").c_str(), times.data(), 0), 0);
  expect_error(disk.replace(before, "A=2\n"), ErrorKind::kConflict);
  EXPECT_EQ(scratch.read("/etc/kubelet"), "B=1\n");
}

TEST(DiskReplace, FileThatVanishedOrLeadsElsewhereIsAConflict) {
  const Scratch scratch;
  machine::Disk disk(scratch.path());
  scratch.write("/etc/kubelet", "A=1\n");
  scratch.write("/data/kubelet", "A=1\n");
  const SourceFile before = read(disk, "/etc/kubelet");
  std::filesystem::remove(scratch.path("/etc/kubelet"));
  expect_error(disk.replace(before, "A=2\n"), ErrorKind::kConflict);
  std::filesystem::create_symlink("/data/kubelet", scratch.path("/etc/kubelet"));
  expect_error(disk.replace(before, "A=2\n"), ErrorKind::kConflict);
  std::filesystem::remove(scratch.path("/etc/kubelet"));
  ASSERT_EQ(::mkfifo(scratch.path("/etc/kubelet").c_str(), 0600), 0);
  expect_error(disk.replace(before, "A=2\n"), ErrorKind::kConflict);
  EXPECT_EQ(scratch.read("/data/kubelet"), "A=1\n");
}

// Each system call of the recipe fails once; errno from seccomp(2), so the disk does not matter.
TEST(DiskReplace, AfterAnyFailedStepTheOldFileStandsAndNoTemporaryFileIsLeft) {
  const Scratch scratch;
  scratch.write("/etc/kubelet", "A=1\n");
  for (const int call : {SYS_pwrite64, SYS_flistxattr, SYS_fchmod, SYS_fsync, SYS_renameat2}) {
    const int status = in_child([&] {
      machine::Disk disk(scratch.path());
      const SourceFile before = read(disk, "/etc/kubelet");
      forbid_system_call(call, EIO);
      expect_error(disk.replace(before, "A=2\n"), ErrorKind::kIo);
    });
    if (status == kSkipped) GTEST_SKIP() << "this machine permits no seccomp filter";
    EXPECT_EQ(status, 0) << "system call " << call;
    EXPECT_EQ(scratch.read("/etc/kubelet"), "A=1\n") << "system call " << call;
    EXPECT_EQ(scratch.names("/etc"), Names{"kubelet"}) << "system call " << call;
  }
}

// NFS, FUSE and old overlays know no RENAME_EXCHANGE: rename(2), renameat2 fails with EINVAL there.
TEST(DiskReplace, FileSystemThatCannotExchangeGetsAPlainRename) {
  const Scratch scratch;
  scratch.write("/etc/kubelet", "A=1\n");
  const int status = in_child([&] {
    machine::Disk disk(scratch.path());
    const SourceFile before = read(disk, "/etc/kubelet");
    forbid_system_call(SYS_renameat2, EINVAL);
    expect_mode(disk.replace(before, "A=2\n"), ports::WriteMode::kRenamed);
  });
  if (status == kSkipped) GTEST_SKIP() << "this machine permits no seccomp filter";
  EXPECT_EQ(status, 0);
  EXPECT_EQ(scratch.read("/etc/kubelet"), "A=2\n");
  EXPECT_EQ(scratch.names("/etc"), Names{"kubelet"});
}

TEST(DiskReplace, TemporaryFileOfADeadRunIsSweptAndThatOfALiveOneIsNot) {
  const Scratch scratch;
  scratch.write("/etc/kubelet", "A=1\n");
  // A run that can neither rename nor remove leaves what a killed one leaves.
  const int status = in_child([&] {
    machine::Disk disk(scratch.path());
    const SourceFile before = read(disk, "/etc/kubelet");
    forbid_system_call(SYS_unlinkat, EIO);
    forbid_system_call(SYS_renameat2, EIO);
    expect_error(disk.replace(before, "A=2\n"), ErrorKind::kIo);
  });
  if (status == kSkipped) GTEST_SKIP() << "this machine permits no seccomp filter";
  const Names left = scratch.names("/etc");
  ASSERT_EQ(left.size(), 2u);
  const machine::UniqueFd maker(
      ::open(scratch.path("/etc/" + left[0]).c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(maker.get(), LOCK_EX), 0);
  machine::Disk disk(scratch.path());
  expect_mode(disk.replace(read(disk, "/etc/kubelet"), "A=3\n"), ports::WriteMode::kRenamed);
  EXPECT_EQ(scratch.names("/etc"), left);
  ASSERT_EQ(::flock(maker.get(), LOCK_UN), 0);
  expect_mode(disk.replace(read(disk, "/etc/kubelet"), "A=4\n"), ports::WriteMode::kRenamed);
  EXPECT_EQ(scratch.names("/etc"), Names{"kubelet"});
}

// systemd reads *.conf in a drop-in directory and names of unit types in a unit directory; shells
// and EnvironmentFile= patterns skip a leading dot.
TEST(DiskReplace, NobodyTakesTheTemporaryFileForAUnitOrADropIn) {
  const Scratch scratch;
  scratch.write("/d/20-kubelet.conf", "A=1\n");
  const int status = in_child([&] {
    machine::Disk disk(scratch.path());
    const SourceFile before = read(disk, "/d/20-kubelet.conf");
    forbid_system_call(SYS_unlinkat, EIO);
    forbid_system_call(SYS_renameat2, EIO);
    expect_error(disk.replace(before, "A=2\n"), ErrorKind::kIo);
  });
  if (status == kSkipped) GTEST_SKIP() << "this machine permits no seccomp filter";
  const Names left = scratch.names("/d");
  ASSERT_EQ(left.size(), 2u);
  EXPECT_TRUE(left[0].starts_with(".20-kubelet.conf."));
  const std::string ending = left[0].substr(left[0].rfind('.'));
  EXPECT_TRUE(ending.starts_with(".kubelet-sysctl~")) << ending;
  EXPECT_EQ(scratch.facts("/d/" + left[0]).st_mode & 07777U,
            scratch.facts("/d/20-kubelet.conf").st_mode & 07777U);
}

TEST(DiskReplace, ReaderSeesTheOldBytesOrTheNewOnes) {
  const Scratch scratch;
  const std::string one(20000, '1');
  const std::string two(30000, '2');
  scratch.write("/etc/kubelet", one);
  std::array<int, 2> stop{};
  ASSERT_EQ(::pipe2(stop.data(), O_NONBLOCK | O_CLOEXEC), 0);
  const pid_t reader = ::fork();
  if (reader == 0) {
    ::alarm(60);
    ::close(stop[1]);
    char byte = 0;
    bool whole = true;
    while (::read(stop[0], &byte, 1) < 0) {
      const std::string seen = scratch.read("/etc/kubelet");
      whole = whole && (seen == one || seen == two);
    }
    ::_exit(whole ? 0 : 1);
  }
  machine::Disk disk(scratch.path());
  for (int round = 0; round < 100; ++round) {
    const SourceFile before = read(disk, "/etc/kubelet");
    expect_mode(disk.replace(before, before.bytes == one ? two : one), ports::WriteMode::kRenamed);
  }
  ::close(stop[1]);
  int status = -1;
  ASSERT_EQ(::waitpid(reader, &status, 0), reader);
  EXPECT_EQ(status, 0);
  ::close(stop[0]);
}

}  // namespace
}  // namespace kubelet_sysctl
