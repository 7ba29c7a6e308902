// SPDX-License-Identifier: Apache-2.0
// Reading, listing and finding files under a root directory.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/scratch.hpp"

namespace kubelet_sysctl {
namespace {

void link_to(const Scratch& scratch, const std::string& target, const std::string& below) {
  std::filesystem::create_symlink(target, scratch.path(below));
}

// A tree as on a node: /etc/kubelet leads through two links, one of them absolute, to
// /data/kubelet.
void plant_links(const Scratch& scratch) {
  scratch.write("/data/kubelet", "A=1\n");
  scratch.write("/etc/plain", "p");
  link_to(scratch, "second", "/etc/kubelet");
  link_to(scratch, "/data/../data/kubelet", "/etc/second");
  link_to(scratch, "../../../../data/kubelet", "/etc/climbs");
  link_to(scratch, "/data", "/etc/directory");
  link_to(scratch, "loop", "/etc/loop");
  link_to(scratch, "/etc/nowhere", "/etc/dangling");
}

void expect_links_resolved(const Scratch& scratch) {
  machine::Disk disk(scratch.path());
  for (const char* path : {"/etc/kubelet", "/etc/climbs", "/etc/directory/kubelet"}) {
    const auto file = disk.read(path);
    ASSERT_TRUE(file) << path;
    EXPECT_EQ(file->bytes, "A=1\n") << path;
    EXPECT_EQ(file->path, path);
    EXPECT_EQ(file->real_path, "/data/kubelet") << path;
  }
  const auto dangling = disk.read("/etc/dangling");
  ASSERT_TRUE(dangling);
  EXPECT_EQ(dangling->kind, FileKind::kAbsent);
  const auto loop = disk.read("/etc/loop");
  ASSERT_FALSE(loop);
  EXPECT_EQ(loop.error().kind, ErrorKind::kIo);
  EXPECT_TRUE(loop.error().message.ends_with("Too many levels of symbolic links"));
  const auto link = disk.stat("/etc/kubelet");
  ASSERT_TRUE(link && *link);
  EXPECT_EQ((*link)->kind, ports::EntryKind::kSymlink);
  EXPECT_EQ((*link)->target, "second");
  EXPECT_EQ((*link)->size, 6u);
}

TEST(Disk, LinksAreResolvedInsideTheRoot) {
  const Scratch scratch;
  plant_links(scratch);
  expect_links_resolved(scratch);
}

TEST(Disk, LinksAreResolvedInsideTheRootWithoutOpenat2) {
  const Scratch scratch;
  plant_links(scratch);
  const int status = in_child([&] {
    forbid_system_call(SYS_openat2, ENOSYS);
    expect_links_resolved(scratch);
  });
  if (status == kSkipped) GTEST_SKIP() << "this machine permits no seccomp filter";
  EXPECT_EQ(status, 0);
}

TEST(Disk, RealPathOfWhatDoesNotExistIsThePathItself) {
  const Scratch scratch;
  plant_links(scratch);
  machine::Disk disk(scratch.path());
  const auto found = disk.real_path("/etc/kubelet");
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, "/data/kubelet");
  for (const char* path : {"/etc/none", "/none/none", "/etc/plain/below", "/etc/dangling"}) {
    const auto absent = disk.real_path(path);
    ASSERT_TRUE(absent) << path;
    EXPECT_EQ(*absent, path);
  }
}

TEST(Disk, FactsOfAFileAreItsOwnerModeInodeAndTime) {
  const Scratch scratch;
  scratch.write("/etc/kubelet", "A=1\n");
  ASSERT_EQ(::chmod(scratch.path("/etc/kubelet").c_str(), 0640), 0);
  const auto file = machine::Disk(scratch.path()).read("/etc/kubelet");
  ASSERT_TRUE(file && file->exists());
  const struct stat facts = scratch.facts("/etc/kubelet");
  EXPECT_EQ(file->meta.mode, 0640u);
  EXPECT_EQ(file->meta.inode, facts.st_ino);
  EXPECT_EQ(file->meta.mtime_ns, facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec);
}

TEST(Disk, PipesAndDirectoriesAreNamedAndNotOpened) {
  const Scratch scratch;
  scratch.write("/etc/plain", "p");
  ASSERT_EQ(::mkfifo(scratch.path("/etc/pipe").c_str(), 0600), 0);
  machine::Disk disk(scratch.path());
  const auto pipe = disk.read("/etc/pipe");
  ASSERT_TRUE(pipe);
  EXPECT_EQ(pipe->kind, FileKind::kOther);
  const auto directory = disk.read("/etc");
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->kind, FileKind::kDirectory);
  const auto none = disk.read("/etc/none");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->kind, FileKind::kAbsent);
}

TEST(Disk, SixteenMebibytesAreReadAndMoreAreRefused) {
  const Scratch scratch;
  scratch.write("/most", "");
  scratch.write("/more", "");
  ASSERT_EQ(::truncate(scratch.path("/most").c_str(), 16 << 20), 0);
  ASSERT_EQ(::truncate(scratch.path("/more").c_str(), 17 << 20), 0);
  machine::Disk disk(scratch.path());
  const auto most = disk.read("/most");
  ASSERT_TRUE(most);
  EXPECT_EQ(most->bytes.size(), 16u << 20U);
  const auto more = disk.read("/more");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().kind, ErrorKind::kUnsupported);
}

TEST(Disk, FilesOfProcAreReadThoughTheirSizeIsZero) {
  machine::Disk disk;
  const std::string base = "/proc/" + std::to_string(::getpid());
  const auto stat = disk.read(base + "/stat");
  ASSERT_TRUE(stat);
  EXPECT_TRUE(parse_start_ticks(stat->bytes));
  const auto maps = disk.read(base + "/maps");  // longer than one read returns
  ASSERT_TRUE(maps);
  EXPECT_NE(maps->bytes.find("[stack]"), std::string::npos);
  const auto gone = disk.read("/proc/4194305/stat");  // above the highest pid_max, proc(5)
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->kind, FileKind::kAbsent);
}

TEST(Disk, DirectoryIsListedInByteOrderWithLinksAsTheyAre) {
  const Scratch scratch;
  scratch.write("/d/b.conf", "12345");
  scratch.write("/d/A.conf", "");
  scratch.write("/d/sub/x", "");
  link_to(scratch, "/dev/null", "/d/a.conf");
  const auto entries = machine::Disk(scratch.path()).list("/d");
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 4u);
  EXPECT_EQ((*entries)[0].name, "A.conf");
  EXPECT_EQ((*entries)[1].name, "a.conf");
  EXPECT_EQ((*entries)[1].target, "/dev/null");
  EXPECT_EQ((*entries)[2].name, "b.conf");
  EXPECT_EQ((*entries)[2].kind, ports::EntryKind::kFile);
  EXPECT_EQ((*entries)[3].kind, ports::EntryKind::kDirectory);
}

TEST(Disk, MissingDirectoryListsNothing) {
  const Scratch scratch;
  scratch.write("/plain", "");
  machine::Disk disk(scratch.path());
  for (const char* path : {"/none", "/plain", "/plain/below"}) {
    const auto entries = disk.list(path);
    ASSERT_TRUE(entries) << path;
    EXPECT_TRUE(entries->empty()) << path;
  }
}

TEST(Disk, RootThatIsNotThereIsAnErrorAndNotAnEmptyNode) {
  const Scratch scratch;
  machine::Disk disk(scratch.path("/none"));
  EXPECT_FALSE(disk.read("/etc/kubelet"));
  EXPECT_FALSE(disk.list("/etc"));
  EXPECT_FALSE(disk.stat("/etc"));
}

TEST(Disk, FileThatMayNotBeReadIsAPermissionError) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become another process";
  const Scratch scratch;
  scratch.write("/etc/secret", "s");
  ASSERT_EQ(::chmod(scratch.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(scratch.path("/etc/secret").c_str(), 0600), 0);
  EXPECT_EQ(in_child([&] {
              ASSERT_EQ(::setresuid(65534, 65534, 65534), 0);
              const auto file = machine::Disk(scratch.path()).read("/etc/secret");
              ASSERT_FALSE(file);
              EXPECT_EQ(file.error().kind, ErrorKind::kPermission);
              EXPECT_EQ(file.error().path, "/etc/secret");
              EXPECT_TRUE(file.error().message.ends_with("Permission denied"));
            }),
            0);
}

TEST(Disk, EndOfALogIsReadHoweverLargeItIs) {
  const Scratch scratch;
  scratch.write("/log", std::string(1000, 'a') + "the end\n");
  machine::Disk disk(scratch.path());
  const auto end = disk.read_end("/log", 8);
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, "the end\n");
  const auto whole = disk.read_end("/log", 100000);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->size(), 1008u);
  const auto none = disk.read_end("/none", 8);
  ASSERT_TRUE(none);
  EXPECT_EQ(*none, "");
}

}  // namespace
}  // namespace kubelet_sysctl
