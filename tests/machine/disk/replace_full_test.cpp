// SPDX-License-Identifier: Apache-2.0
// Disks that are really full: a small tmpfs, and a file that takes all that is left of it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/disk_checks.hpp"
#include "support/scratch.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kNeeds = "needs mount namespaces (root)";
const std::string kOld(5000, 'o');
const std::string kShorter = "A=1\n";
const std::string kLonger(9000, 'l');

/// A tmpfs at /etc with two files of kOld, one of them with a second name.
void small_disk(const Scratch& scratch, const char* options) {
  ASSERT_EQ(::mkdir(scratch.path("/etc").c_str(), 0755), 0);
  ASSERT_EQ(::mount("none", scratch.path("/etc").c_str(), "tmpfs", 0, options), 0);
  scratch.write("/etc/kubelet", kOld);
  scratch.write("/etc/linked", kOld);
  ASSERT_EQ(::link(scratch.path("/etc/linked").c_str(), scratch.path("/etc/twin").c_str()), 0);
}

/// Writes until there is no byte of room left.
void fill_up(const Scratch& scratch) {
  const std::string path = scratch.path("/etc/filler");
  const machine::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const std::array<char, 4096> block{};
  while (::write(fd.get(), block.data(), block.size()) > 0) {
  }
  ASSERT_EQ(errno, ENOSPC);
}

void expect_full(const Error& error) {
  EXPECT_EQ(error.kind, ErrorKind::kIo);
  EXPECT_TRUE(error.message.ends_with("No space left on device")) << error.message;
}

TEST(DiskFull, WhatIsStagedNeedsNoMoreRoom) {
  const Scratch scratch;
  const int status = in_mount_namespace([&] {
    small_disk(scratch, "size=128k");
    machine::Disk disk(scratch.path());
    std::vector<std::unique_ptr<ports::StagedWrite>> staged;
    const std::array<const char*, 3> paths = {"/etc/kubelet", "/etc/linked", "/etc/d/new"};
    for (const char* path : paths) {
      auto one = disk.stage(read(disk, path), kLonger);
      ASSERT_TRUE(one) << one.error().message;
      staged.push_back(std::move(*one));
    }
    fill_up(scratch);
    for (const auto& one : staged) EXPECT_TRUE(one->commit());
    for (const char* path : paths) EXPECT_EQ(scratch.read(path), kLonger) << path;
  });
  if (status == kSkipped) GTEST_SKIP() << kNeeds;
  EXPECT_EQ(status, 0);
}

TEST(DiskFull, NothingCanBeStagedAndNothingIsLeftOfTheTrial) {
  const Scratch scratch;
  const int status = in_mount_namespace([&] {
    small_disk(scratch, "size=128k");
    fill_up(scratch);
    const Names names = scratch.names("/etc");
    machine::Disk disk(scratch.path());
    for (const char* path : {"/etc/kubelet", "/etc/linked", "/etc/d/new"}) {
      const auto staged = disk.stage(read(disk, path), kLonger);
      ASSERT_FALSE(staged) << path;
      expect_full(staged.error());
    }
    const auto shorter = disk.stage(read(disk, "/etc/kubelet"), kShorter);
    ASSERT_FALSE(shorter);
    expect_full(shorter.error());
    EXPECT_EQ(scratch.names("/etc"), names);
    EXPECT_EQ(scratch.read("/etc/kubelet"), kOld);
    EXPECT_EQ(scratch.read("/etc/linked"), kOld);
  });
  if (status == kSkipped) GTEST_SKIP() << kNeeds;
  EXPECT_EQ(status, 0);
}

// Putting the old bytes back must be possible there; and with no inode left as well as no block.
TEST(DiskFull, BytesThatNeedNoMoreRoomAreWrittenInPlaceAndLongerOnesAreNot) {
  for (const char* options : {"size=128k", "nr_inodes=4"}) {
    const Scratch scratch;
    const int status = in_mount_namespace([&] {
      const bool no_blocks = std::string(options).starts_with("size");
      small_disk(scratch, options);
      if (no_blocks) fill_up(scratch);
      if (!no_blocks) scratch.write("/etc/last", "");
      const Names names = scratch.names("/etc");
      const struct stat old = scratch.facts("/etc/kubelet");
      machine::Disk disk(scratch.path());
      if (no_blocks) {
        const auto longer = disk.replace(read(disk, "/etc/kubelet"), kLonger);
        ASSERT_FALSE(longer);
        expect_full(longer.error());
        EXPECT_EQ(scratch.read("/etc/kubelet"), kOld);
      }
      const std::string other(kOld.size(), 'n');
      for (const std::string& bytes : {other, kShorter}) {
        expect_mode(disk.replace(read(disk, "/etc/kubelet"), bytes), ports::WriteMode::kInPlace);
        EXPECT_EQ(scratch.read("/etc/kubelet"), bytes);
      }
      EXPECT_EQ(scratch.facts("/etc/kubelet").st_ino, old.st_ino);
      EXPECT_EQ(scratch.names("/etc"), names);
    });
    if (status == kSkipped) GTEST_SKIP() << kNeeds;
    EXPECT_EQ(status, 0) << options;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
