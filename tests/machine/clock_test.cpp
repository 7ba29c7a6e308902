// SPDX-License-Identifier: Apache-2.0
// Waiting for a moment, for the end of a process, and for a signal.

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>

#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/clock.hpp"
#include "support/scratch.hpp"

namespace kubelet_sysctl {
namespace {

constexpr auto kLong = std::chrono::seconds(30);
constexpr auto kSoon =
    std::chrono::seconds(15);  // far less than kLong, far more than a busy machine

pid_t process_that_ends_in(useconds_t microseconds) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::usleep(microseconds);
    ::_exit(0);
  }
  return pid;
}

void expect_end_of_process_is_seen() {
  machine::SystemClock clock;
  const pid_t pid = process_that_ends_in(50'000);
  const TimePoint begin = clock.now();
  EXPECT_TRUE(clock.wait_until(begin + kLong, pid));
  EXPECT_LT(clock.now() - begin, kSoon);
  ::waitpid(pid, nullptr, 0);
  // It has gone altogether now.
  EXPECT_TRUE(clock.wait_until(clock.now() + kLong, pid));
  EXPECT_LT(clock.now() - begin, kSoon);
}

TEST(SystemClock, WaitEndsWithTheProcess) { expect_end_of_process_is_seen(); }

TEST(SystemClock, WaitEndsWithTheProcessWithoutPidfds) {
  const int status = in_child([] {
    forbid_system_call(SYS_pidfd_open, ENOSYS);
    expect_end_of_process_is_seen();
  });
  if (status == kSkipped) GTEST_SKIP() << "this machine permits no seccomp filter";
  EXPECT_EQ(status, 0);
}

TEST(SystemClock, WaitForALiveProcessEndsAtItsTimeAndNotBefore) {
  machine::SystemClock clock;
  const TimePoint until = clock.now() + Milliseconds(30);
  EXPECT_FALSE(clock.wait_until(until, ::getpid()));
  EXPECT_GE(clock.now(), until);
  EXPECT_FALSE(clock.wait_until(until, 0));
  EXPECT_FALSE(clock.interrupted());
}

// timeout(1) signals its child and then its whole group; a terminal that goes away asks nothing.
TEST(SystemClock, SignalsInOneBreathAskOnceAndAHangUpNever) {
  EXPECT_EQ(in_child([] {
              machine::SystemClock clock;
              ASSERT_TRUE(clock.hold_signals());
              EXPECT_EQ(clock.times_asked_to_stop(), 0);
              ::raise(SIGTERM);
              EXPECT_EQ(clock.times_asked_to_stop(), 1);
              ::raise(SIGTERM);
              ::raise(SIGINT);
              EXPECT_EQ(clock.times_asked_to_stop(), 1);
              clock.wait_until(clock.now() + Milliseconds(350), 0);
              ::raise(SIGHUP);
              EXPECT_EQ(clock.times_asked_to_stop(), 1);
              ::raise(SIGINT);
              EXPECT_EQ(clock.times_asked_to_stop(), 2);
            }),
            0);
}

TEST(SystemClock, SignalEndsOneWaitAndIsRemembered) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    EXPECT_EQ(in_child([signal] {
                machine::SystemClock clock;
                ASSERT_TRUE(clock.hold_signals());
                EXPECT_FALSE(clock.interrupted());
                ::raise(signal);
                EXPECT_TRUE(machine::stop_is_asked());
                const TimePoint begin = clock.now();
                EXPECT_FALSE(clock.wait_until(begin + kLong, 0));
                EXPECT_LT(clock.now() - begin, kSoon);
                EXPECT_TRUE(clock.interrupted());
                EXPECT_FALSE(machine::stop_is_asked());
                const TimePoint until = clock.now() + Milliseconds(30);
                EXPECT_FALSE(clock.wait_until(until, 0));
                EXPECT_GE(clock.now(), until);
                EXPECT_TRUE(clock.interrupted());
              }),
              0)
        << signal;
  }
}

TEST(SystemClock, SignalToTheProcessIsHeldAndKeptOverASecondCall) {
  EXPECT_EQ(in_child([] {
              machine::SystemClock clock;
              ASSERT_TRUE(clock.hold_signals());
              ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
              ASSERT_TRUE(clock.hold_signals());
              EXPECT_TRUE(clock.interrupted());
            }),
            0);
}

TEST(SystemClock, SignalThatWasIgnoredAtTheStartStaysIgnored) {
  EXPECT_EQ(in_child([] {
              ::signal(SIGHUP, SIG_IGN);  // as nohup(1) does
              machine::SystemClock clock;
              ASSERT_TRUE(clock.hold_signals());
              ::raise(SIGHUP);
              EXPECT_FALSE(clock.interrupted());
            }),
            0);
}

TEST(SystemClock, WallClockIsMillisecondsSinceTheEpoch) {
  machine::SystemClock clock;
  const std::int64_t before = std::time(nullptr);
  const std::int64_t milliseconds = clock.wall_ms();
  EXPECT_GE(milliseconds, (before - 1) * 1000);
  EXPECT_LE(milliseconds, (std::time(nullptr) + 1) * 1000);
}

}  // namespace
}  // namespace kubelet_sysctl
