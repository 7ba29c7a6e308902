// SPDX-License-Identifier: Apache-2.0
// One run holds the lock; the next one is recognised by whom, or gets it when the holder has died.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <string>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/clock.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "support/scratch.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kLock = "/run/kubelet-sysctl/lock";

/// A process that holds the lock until it is told to end, or killed.
class Holder {
 public:
  explicit Holder(const Scratch& scratch) {
    std::array<int, 2> told{};
    std::array<int, 2> ready{};
    EXPECT_EQ(::pipe(told.data()), 0);
    EXPECT_EQ(::pipe(ready.data()), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::alarm(60);
      ::close(told[1]);
      auto lock =
          machine::Disk(scratch.path()).lock(kLock, Milliseconds(0), "add net.core.somaxconn");
      char byte = lock ? 'y' : 'n';
      if (::write(ready[1], &byte, 1) != 1 || ::read(told[0], &byte, 1) != 0) ::_exit(1);
      // Only a wait that is under way can be ended by what follows; this is no check.
      ::usleep(50'000);
      ::_exit(0);
    }
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    EXPECT_EQ(byte, 'y');
    for (const int fd : {told[0], ready[0], ready[1]}) ::close(fd);
    reported_ = told[1];
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() { kill(); }

  void let_end() { ::close(std::exchange(reported_, -1)); }
  void kill() {
    if (reported_ >= 0) let_end();
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
  int reported_ = -1;
};

TEST(DiskLock, SecondProcessIsToldWhoHoldsItAndWhatFor) {
  const Scratch scratch;
  const Holder holder(scratch);
  machine::Disk disk(scratch.path());
  const auto lock = disk.lock(kLock, Milliseconds(20), "show");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().kind, ErrorKind::kLocked);
  EXPECT_EQ(lock.error().path, kLock);
  EXPECT_NE(lock.error().message.find("process " + std::to_string(holder.pid())),
            std::string::npos);
  EXPECT_NE(lock.error().message.find("add net.core.somaxconn"), std::string::npos);
}

TEST(DiskLock, LockDiesWithAHolderThatIsKilled) {
  const Scratch scratch;
  Holder holder(scratch);
  machine::Disk disk(scratch.path());
  ASSERT_FALSE(disk.lock(kLock, Milliseconds(0), ""));
  holder.kill();
  EXPECT_TRUE(disk.lock(kLock, Milliseconds(0), ""));
}

TEST(DiskLock, WaitEndsWhenTheHolderDoes) {
  const Scratch scratch;
  Holder holder(scratch);
  holder.let_end();
  EXPECT_TRUE(machine::Disk(scratch.path()).lock(kLock, Milliseconds(30'000), ""));
}

TEST(DiskLock, LockIsFreeAgainWhenItsOwnerIsGone) {
  const Scratch scratch;
  machine::Disk disk(scratch.path());
  {
    const auto lock = disk.lock(kLock, Milliseconds(0), "first");
    ASSERT_TRUE(lock);
    EXPECT_FALSE(machine::Disk(scratch.path()).lock(kLock, Milliseconds(0), "second"));
  }
  EXPECT_TRUE(disk.lock(kLock, Milliseconds(0), "third"));
}

TEST(DiskLock, LockFileIsForRootAlone) {
  const Scratch scratch;
  const auto lock = machine::Disk(scratch.path()).lock(kLock, Milliseconds(0), "");
  ASSERT_TRUE(lock);
  EXPECT_EQ(scratch.facts(kLock).st_mode & 07777U, 0600u);
  EXPECT_EQ(scratch.facts("/run/kubelet-sysctl").st_mode & 07777U, 0700u);
}

TEST(DiskLock, SignalEndsTheWait) {
  const Scratch scratch;
  const Holder holder(scratch);
  EXPECT_EQ(in_child([&] {
              machine::SystemClock clock;
              ASSERT_TRUE(clock.hold_signals());
              ::raise(SIGINT);
              const TimePoint begin = clock.now();
              const auto lock = machine::Disk(scratch.path()).lock(kLock, Milliseconds(30'000), "");
              ASSERT_FALSE(lock);
              EXPECT_EQ(lock.error().kind, ErrorKind::kInterrupted);
              EXPECT_LT(clock.now() - begin, Milliseconds(15'000));
              EXPECT_TRUE(clock.interrupted());
            }),
            0);
}

}  // namespace
}  // namespace kubelet_sysctl
