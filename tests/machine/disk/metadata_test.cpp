// SPDX-License-Identifier: Apache-2.0
// What a file has besides its bytes: told before a change, and given to a file that is made again.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/disk_checks.hpp"
#include "support/scratch.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kNoAttributes = "this file system has no extended attributes";

bool set_attribute(const std::string& path, const char* name, const std::string& value) {
  return ::lsetxattr(path.c_str(), name, value.data(), value.size(), 0) == 0;
}

std::string attribute(const std::string& path, const char* name) {
  std::array<char, 256> value{};
  const ssize_t size = ::lgetxattr(path.c_str(), name, value.data(), value.size());
  return size < 0 ? "none" : std::string(value.data(), static_cast<std::size_t>(size));
}

bool is_in_place(machine::Disk& disk, const char* path) {
  const auto traits = disk.traits_of(read(disk, path));
  EXPECT_TRUE(traits) << path;
  return traits && traits->in_place;
}

TEST(DiskTraits, AttributesAreToldWithoutTheHashesOfTheContent) {
  const Scratch scratch;
  scratch.write("/data/kubelet", "A=1\n");
  scratch.write("/etc/other", "");
  std::filesystem::create_symlink("/data/kubelet", scratch.path("/etc/kubelet"));
  const std::string path = scratch.path("/data/kubelet");
  const std::string binary("a\0b", 3);
  if (!set_attribute(path, "user.note", binary)) GTEST_SKIP() << kNoAttributes;
  // Where the kernel computes it, it lets nobody else set it.
  set_attribute(path, "security.ima", "\x01hash");
  machine::Disk disk(scratch.path());
  const auto traits = disk.traits_of(read(disk, "/etc/kubelet"));
  ASSERT_TRUE(traits);
  const auto& all = traits->attributes;
  const ExtendedAttribute note = {.name = "user.note", .value = binary};
  EXPECT_NE(std::find(all.begin(), all.end(), note), all.end());
  EXPECT_TRUE(std::none_of(all.begin(), all.end(), [](const ExtendedAttribute& one) {
    return one.name == "security.ima" || one.name == "security.evm";
  }));
}

TEST(DiskTraits, FileThatIsGoneIsAConflict) {
  const Scratch scratch;
  scratch.write("/etc/kubelet", "A=1\n");
  machine::Disk disk(scratch.path());
  const SourceFile file = read(disk, "/etc/kubelet");
  std::filesystem::remove(scratch.path("/etc/kubelet"));
  const auto traits = disk.traits_of(file);
  ASSERT_FALSE(traits);
  EXPECT_EQ(traits.error().kind, ErrorKind::kConflict);
}

TEST(DiskTraits, FileWithSeveralNamesOrThatIsAMountIsWrittenInPlace) {
  const Scratch scratch;
  for (const char* path : {"/etc/plain", "/etc/linked", "/etc/mounted", "/data/kubelet"}) {
    scratch.write(path, "A=1\n");
  }
  std::filesystem::create_hard_link(scratch.path("/etc/linked"), scratch.path("/etc/twin"));
  const int status = in_mount_namespace([&] {
    ASSERT_EQ(::mount(scratch.path("/data/kubelet").c_str(), scratch.path("/etc/mounted").c_str(),
                      nullptr, MS_BIND, nullptr),
              0);
    machine::Disk disk(scratch.path());
    EXPECT_TRUE(is_in_place(disk, "/etc/linked"));
    EXPECT_TRUE(is_in_place(disk, "/etc/mounted"));
    struct statx facts = {};
    ASSERT_EQ(::statx(AT_FDCWD, scratch.path().c_str(), 0, STATX_TYPE, &facts), 0);
    const bool tells = (facts.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;  // Linux 5.8
    EXPECT_EQ(is_in_place(disk, "/etc/plain"), !tells);
    forbid_system_call(SYS_statx, ENOSYS);
    EXPECT_TRUE(is_in_place(disk, "/etc/plain"));
  });
  if (status == kSkipped) GTEST_SKIP() << "needs mount namespaces (root) and seccomp filters";
  EXPECT_EQ(status, 0);
}

SourceFile exactly(machine::Disk& disk, const char* path) {
  SourceFile absent = read(disk, path);
  absent.meta.exact = true;
  absent.meta.mode = 04640;
  absent.meta.uid = 123;
  absent.meta.gid = 456;
  return absent;
}

TEST(DiskTraits, FileThatIsMadeExactlyHasTheOwnerTheModeAndTheAttributes) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give a file away";
  const Scratch scratch;
  scratch.write("/etc/other", "");
  machine::Disk disk(scratch.path());
  SourceFile absent = exactly(disk, "/etc/kubelet");
  const bool has_attributes = set_attribute(scratch.path("/etc/other"), "user.note", "mine");
  if (has_attributes) absent.meta.attributes = {{.name = "user.note", .value = "mine"}};
  expect_mode(disk.replace(absent, "A=1\n"), ports::WriteMode::kRenamed);
  const struct stat now = scratch.facts("/etc/kubelet");
  EXPECT_EQ(now.st_uid, 123u);
  EXPECT_EQ(now.st_gid, 456u);
  EXPECT_EQ(now.st_mode & 07777U, 04640u);
  EXPECT_EQ(attribute(scratch.path("/etc/kubelet"), "user.note"), has_attributes ? "mine" : "none");
}

TEST(DiskTraits, AttributeOrOwnerThatCannotBeGivenIsAnErrorAndNoFileIsMade) {
  const Scratch scratch;
  scratch.write("/etc/other", "");
  if (!set_attribute(scratch.path("/etc/other"), "user.note", "x")) GTEST_SKIP() << kNoAttributes;
  for (const int call : {SYS_fsetxattr, SYS_fchown}) {
    const int status = in_child([&] {
      machine::Disk disk(scratch.path());
      SourceFile absent = exactly(disk, "/etc/d/kubelet");
      absent.meta.uid = ::geteuid() + 1;
      absent.meta.attributes = {{.name = "user.note", .value = "mine"}};
      forbid_system_call(call, EPERM);
      expect_error(disk.replace(absent, "A=1\n"), ErrorKind::kPermission);
    });
    if (status == kSkipped) GTEST_SKIP() << "this machine permits no seccomp filter";
    EXPECT_EQ(status, 0) << "system call " << call;
    EXPECT_EQ(scratch.names("/etc"), Names{"other"}) << "system call " << call;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
