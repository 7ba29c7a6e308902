// SPDX-License-Identifier: Apache-2.0
// New bytes that are made ready first and put in place later, or never.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/disk_checks.hpp"
#include "support/scratch.hpp"

namespace kubelet_sysctl {
namespace {

using Staged = std::unique_ptr<ports::StagedWrite>;

Staged stage(machine::Disk& disk, const SourceFile& before, const std::string& bytes) {
  auto staged = disk.stage(before, bytes);
  EXPECT_TRUE(staged) << staged.error().message;
  return staged ? std::move(*staged) : nullptr;
}

/// One file that is replaced by a rename, one that is written in place, one that is made.
class DiskStage : public ::testing::Test {
 protected:
  DiskStage() {
    scratch_.write("/etc/kubelet", "A=1\n");
    scratch_.write("/etc/linked", "A=1\n");
    std::filesystem::create_hard_link(scratch_.path("/etc/linked"), scratch_.path("/twin"));
  }
  void expect_untouched() const {
    EXPECT_EQ(scratch_.names("/etc"), (Names{"kubelet", "linked"}));
    EXPECT_EQ(scratch_.read("/etc/kubelet"), "A=1\n");
    EXPECT_EQ(scratch_.read("/etc/linked"), "A=1\n");
  }
  const std::vector<std::string> paths_ = {"/etc/kubelet", "/etc/linked", "/etc/new/d/kubelet"};
  const std::string longer_ = std::string(100'000, 'x');
  Scratch scratch_;
};

TEST_F(DiskStage, BytesAreSeenAfterTheCommitAndNotBefore) {
  auto disk = std::make_unique<machine::Disk>(scratch_.path());
  std::vector<Staged> staged;
  for (const std::string& path : paths_) staged.push_back(stage(*disk, read(*disk, path), longer_));
  for (const std::string& path : paths_) EXPECT_NE(read(*disk, path).bytes, longer_) << path;
  // What is staged needs nothing of the disk object.
  disk.reset();
  expect_mode(staged[0]->commit(), ports::WriteMode::kRenamed);
  expect_mode(staged[1]->commit(), ports::WriteMode::kInPlace);
  expect_mode(staged[2]->commit(), ports::WriteMode::kRenamed);
  staged.clear();
  for (const std::string& path : paths_) EXPECT_EQ(scratch_.read(path), longer_) << path;
  EXPECT_EQ(scratch_.names("/etc"), (Names{"kubelet", "linked", "new"}));
  EXPECT_EQ(scratch_.names("/etc/new/d"), Names{"kubelet"});
}

TEST_F(DiskStage, WithoutACommitEverythingIsAsItWas) {
  machine::Disk disk(scratch_.path());
  std::vector<struct stat> old;
  for (const char* path : {"/etc/kubelet", "/etc/linked"}) old.push_back(scratch_.facts(path));
  for (const std::string& path : paths_) stage(disk, read(disk, path), longer_).reset();
  expect_untouched();
  for (const char* path : {"/etc/linked", "/etc/kubelet"}) {
    const struct stat now = scratch_.facts(path);
    EXPECT_EQ(now.st_ino, old.back().st_ino) << path;
    EXPECT_EQ(now.st_blocks, old.back().st_blocks) << path;
    // systemd sees a changed unit by a newer mtime alone.
    EXPECT_EQ(now.st_mtim.tv_sec, old.back().st_mtim.tv_sec) << path;
    EXPECT_EQ(now.st_mtim.tv_nsec, old.back().st_mtim.tv_nsec) << path;
    old.pop_back();
  }
}

TEST_F(DiskStage, FileThatChangedAfterItWasStagedIsAConflict) {
  machine::Disk disk(scratch_.path());
  for (const std::string& path : paths_) {
    Staged staged = stage(disk, read(disk, path), longer_);
    scratch_.write(path, "B=1\n");
    expect_error(staged->commit(), ErrorKind::kConflict);
    staged.reset();
    EXPECT_EQ(scratch_.read(path), "B=1\n");
  }
  EXPECT_EQ(scratch_.names("/etc"), (Names{"kubelet", "linked", "new"}));
  EXPECT_EQ(scratch_.names("/etc/new/d"), Names{"kubelet"});
}

TEST_F(DiskStage, FailedCommitLeavesTheOldBytesAndNoTemporaryFile) {
  for (const int call : {SYS_renameat2, SYS_fsync}) {
    for (const std::string& path : paths_) {
      if (call == SYS_renameat2 && path == paths_[1]) continue;  // written in place
      const int status = in_child([&] {
        machine::Disk disk(scratch_.path());
        Staged staged = stage(disk, read(disk, path), "A=2\n");
        forbid_system_call(call, EIO);
        expect_error(staged->commit(), ErrorKind::kIo);
      });
      if (status == kSkipped) GTEST_SKIP() << "this machine permits no seccomp filter";
      EXPECT_EQ(status, 0) << "system call " << call << " for " << path;
      expect_untouched();
    }
  }
}

TEST_F(DiskStage, EqualBytesAreNothingToCommit) {
  machine::Disk disk(scratch_.path());
  Staged staged = stage(disk, read(disk, "/etc/kubelet"), "A=1\n");
  EXPECT_EQ(scratch_.names("/etc"), (Names{"kubelet", "linked"}));
  expect_mode(staged->commit(), ports::WriteMode::kUnchanged);
}

}  // namespace
}  // namespace kubelet_sysctl
