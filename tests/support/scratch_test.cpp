// SPDX-License-Identifier: Apache-2.0
// What the child processes of the tests report.
#include "support/scratch.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

namespace kubelet_sysctl {
namespace {

TEST(Scratch, ChildReportsExpectationsThatFailed) {
  EXPECT_EQ(in_child([] {}), 0);
  EXPECT_EQ(in_child([] { ::_exit(9); }), 9);
  EXPECT_EQ(in_child([] { ::raise(SIGKILL); }), 128 + SIGKILL);
}

TEST(Scratch, ForbiddenSystemCallFailsInTheChildAlone) {
  const int status = in_child([] {
    forbid_system_call(SYS_getppid, EIO);
    errno = 0;
    ::_exit(::syscall(SYS_getppid) == -1 && errno == EIO ? 3 : 4);
  });
  if (status == kSkipped) GTEST_SKIP() << "this machine permits no seccomp filter";
  EXPECT_EQ(status, 3);
  EXPECT_GE(::syscall(SYS_getppid), 0);
}

TEST(Scratch, SystemCallThatIsHeldBackHappensAfterwards) {
  const int status = in_child([] {
    std::atomic<int> calls = 0;
    before_system_call(SYS_getppid, [&calls] { ++calls; });
    const long parent = ::syscall(SYS_getppid);
    ::_exit(parent > 0 && calls == 1 ? 3 : 4);
  });
  if (status == kSkipped) GTEST_SKIP() << "this machine permits no seccomp filter";
  EXPECT_EQ(status, 3);
}

}  // namespace
}  // namespace kubelet_sysctl
