// SPDX-License-Identifier: Apache-2.0
// Running programs: what they get, what they say, how they end, and when they do not.

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/clock.hpp"
#include "kubelet_sysctl/machine/run_program.hpp"
#include "support/scratch.hpp"

namespace kubelet_sysctl {
namespace {

Result<machine::Ended> shell(const std::string& text,
                             Milliseconds deadline = Milliseconds(30'000)) {
  return machine::run({.program = "sh", .arguments = {"-c", text}, .deadline = deadline});
}

void expect_no_child_is_left() {
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Child, OutputErrorsAndStatusAreToldApart) {
  const auto ended = shell("echo out; echo err >&2; exit 5");
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->output, "out\n");
  EXPECT_EQ(ended->errors, "err\n");
  EXPECT_EQ(ended->exit_status, 5);
  EXPECT_EQ(ended->signal, 0);
  expect_no_child_is_left();
}

TEST(Child, SignalThatEndsItIsTold) {
  const auto ended = shell("kill -TERM $$");
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->signal, SIGTERM);
}

TEST(Child, ArgumentsReachTheProgramAsTheyAre) {
  const auto ended =
      machine::run({.program = "printf", .arguments = {"[%s]", "a b", "", "$HOME", "*"}});
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->output, "[a b][][$HOME][*]");
}

TEST(Child, EnvironmentIsCleanAndThereIsNoInput) {
  ::setenv("SYSTEMD_IGNORE_CHROOT", "1", 1);
  const auto ended = shell("env | sort; cat");
  ::unsetenv("SYSTEMD_IGNORE_CHROOT");
  ASSERT_TRUE(ended);
  EXPECT_NE(ended->output.find("LC_ALL=C.UTF-8\n"), std::string::npos);
  EXPECT_NE(ended->output.find("SYSTEMD_COLORS=0\n"), std::string::npos);
  EXPECT_NE(ended->output.find("SYSTEMD_PAGER=\n"), std::string::npos);
  EXPECT_EQ(ended->output.find("SYSTEMD_IGNORE_CHROOT"), std::string::npos);
  EXPECT_EQ(ended->output.find("HOME="), std::string::npos);
}

TEST(Child, ProgramThatIsMissingIsNotFound) {
  for (const char* program : {"no-such-program", "/usr/bin/no-such-program"}) {
    const auto ended = machine::run({.program = program});
    ASSERT_FALSE(ended) << program;
    EXPECT_EQ(ended.error().kind, ErrorKind::kNotFound);
  }
}

TEST(Child, OutputBeyondTheLimitIsDroppedAndTheProgramStillEnds) {
  const auto ended = machine::run(
      {.program = "head", .arguments = {"-c", "3000000", "/dev/zero"}, .most_output = 1000});
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->output.size(), 1000u);
  EXPECT_EQ(ended->exit_status, 0);
}

void expect_killed_at_the_deadline(const Scratch& scratch) {
  const auto begin = std::chrono::steady_clock::now();
  const auto ended =
      shell("sleep 100 & echo $! > " + scratch.path("/pid") + "; wait", Milliseconds(500));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::kTimeout);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  expect_no_child_is_left();
  // The child of the child is killed too; who reaps it is up to the machine, so wait for its end.
  machine::SystemClock clock;
  const std::string grandchild = scratch.read("/pid");
  ASSERT_FALSE(grandchild.empty());
  EXPECT_TRUE(clock.wait_until(clock.now() + std::chrono::seconds(20), std::stoll(grandchild)));
}

TEST(Child, DeadlineKillsTheProgramAndItsChildren) {
  const Scratch scratch;
  expect_killed_at_the_deadline(scratch);
}

// Linux before 5.3.
TEST(Child, EndAndDeadlineAreSeenWithoutPidfds) {
  const Scratch scratch;
  const int status = in_child([&] {
    forbid_system_call(SYS_pidfd_open, ENOSYS);
    const auto ended = shell("exec >&- 2>&-; exit 7");
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->exit_status, 7);
    expect_killed_at_the_deadline(scratch);
  });
  if (status == kSkipped) GTEST_SKIP() << "this machine permits no seccomp filter";
  EXPECT_EQ(status, 0);
}

TEST(Child, ProgramThatLeavesAChildWithThePipeIsNotWaitedFor) {
  const auto begin = std::chrono::steady_clock::now();
  const auto ended = shell("sleep 20 & echo $!");
  ASSERT_TRUE(ended);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  ::kill(std::stoi(ended->output), SIGKILL);
}

TEST(Child, SignalsAreAsUsualInTheChildWhateverTheyAreHere) {
  EXPECT_EQ(in_child([] {
              machine::SystemClock clock;
              ASSERT_TRUE(clock.hold_signals());
              ::signal(SIGPIPE, SIG_IGN);
              ::signal(SIGCHLD, SIG_IGN);
              const auto ended = shell("grep -E '^Sig(Blk|Ign)' /proc/self/status; exit 3");
              ASSERT_TRUE(ended);
              EXPECT_EQ(ended->exit_status, 3);
              EXPECT_TRUE(ended->output.starts_with("SigBlk:\t0000000000000000\n"));
              // Signals 1 to 28; glibc's posix_spawn() leaves its own 32 and 33 ignored.
              EXPECT_TRUE(ended->output.ends_with("0000000\n")) << ended->output;
            }),
            0);
}

TEST(Child, ProgramHasAProcessGroupOfItsOwn) {
  const auto ended = shell(
      "read pid name state parent group rest < /proc/self/stat; "
      "test $pid = $group");
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->exit_status, 0);
}

// A Ctrl-C goes to the whole group of the terminal: it must not end a child that is not out of it yet. Here one comes
// at the worst moment: the child is there and has the signals' usual actions, and its group is still ours.
TEST(Child, SignalToTheGroupWhileItStartsDoesNotEndIt) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    const int status = in_child([signal] {
      ASSERT_EQ(::setpgid(0, 0), 0);
      machine::SystemClock clock;
      ASSERT_TRUE(clock.hold_signals());
      ::signal(SIGQUIT, [](int) {});  // one that the program does not hold back
      std::atomic<int> sent = 0;
      before_system_call(SYS_setpgid, [&sent, signal] { sent += ::kill(0, signal) == 0 ? 1 : 0; });
      const auto ended = shell("echo here; exit 3");
      EXPECT_EQ(sent, 1);
      ASSERT_TRUE(ended);
      EXPECT_EQ(ended->signal, 0);
      EXPECT_EQ(ended->exit_status, 3);
      EXPECT_EQ(ended->output, "here\n");
      EXPECT_EQ(machine::stop_is_asked(), signal != SIGQUIT);
    });
    if (status == kSkipped) GTEST_SKIP() << "this machine permits no seccomp filter";
    EXPECT_EQ(status, 0) << "signal " << signal;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
