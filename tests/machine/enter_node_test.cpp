// SPDX-License-Identifier: Apache-2.0
// Entering the namespaces of another process: of a stand-in for the node's process 1, which bears its
// name and lives outside of a container that the test makes of itself.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/machine/enter_node.hpp"
#include "support/scratch.hpp"

namespace kubelet_sysctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A process outside of the container; ends with the one that made it.
pid_t process_named(const char* name) {
  std::array<int, 2> ready{};
  if (::pipe2(ready.data(), O_CLOEXEC) != 0) ::_exit(1);
  const pid_t pid = ::fork();
  if (pid != 0) {
    char byte = 0;
    ::close(ready[1]);
    if (::read(ready[0], &byte, 1) != 1) ::_exit(1);
    ::close(ready[0]);
    return pid;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, name);
  if (::write(ready[1], "x", 1) != 1) ::_exit(1);
  for (;;) ::pause();
}

/// This process in namespaces of its own, as in a container that shares the node's processes.
void become_container() {
  constexpr int kAll = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET;
  if (::unshare(kAll) != 0) ::_exit(kSkipped);
  ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  ASSERT_EQ(::sethostname("pod-1", 5), 0);
}

std::string namespace_of(pid_t pid, const char* kind) {
  std::error_code fault;
  return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/ns/" + kind, fault);
}

void expect_to_be_where(pid_t leader) {
  for (const char* kind : {"mnt", "cgroup", "uts", "ipc", "net"}) {
    EXPECT_FALSE(namespace_of(leader, kind).empty()) << kind;
    EXPECT_EQ(namespace_of(::getpid(), kind), namespace_of(leader, kind)) << kind;
  }
}

/// As kernels before 5.8 answer: one namespace by its descriptor, and no process (setns(2)).
int setns_of_old(int fd, int flags) {
  const int one = flags & -flags;
  if (one == flags) return ::setns(fd, flags);
  errno = EINVAL;
  return -1;
}

void expect_done(int status) {
  if (status == kSkipped) GTEST_SKIP() << "this machine permits no namespaces";
  EXPECT_EQ(status, 0);
}

TEST(EnterHost, LeadsIntoEveryNamespaceAndLeavesTheEnvironmentBehind) {
  expect_done(in_child([] {
    const pid_t leader = process_named("systemd");
    become_container();
    ASSERT_NE(namespace_of(::getpid(), "net"), namespace_of(leader, "net"));
    ::setenv("SUDO_USER", "a user", 1);
    ::setenv("TERM", "vt100", 1);
    const auto entered = machine::enter_host({.leader = leader});
    ASSERT_TRUE(entered) << entered.error().message;
    EXPECT_TRUE(*entered);
    expect_to_be_where(leader);
    EXPECT_EQ(std::getenv("SUDO_USER"), nullptr);
    EXPECT_EQ(std::getenv("PATH"), nullptr);
    EXPECT_STREQ(std::getenv("TERM"), "vt100");
    EXPECT_EQ(std::filesystem::current_path(), "/");
  }));
}

TEST(EnterHost, GoesThroughOneDoorAfterTheOtherWhereTheKernelIsOld) {
  expect_done(in_child([] {
    const pid_t leader = process_named("systemd");
    become_container();
    const auto entered = machine::enter_host({.leader = leader, .setns = setns_of_old});
    ASSERT_TRUE(entered) << entered.error().message;
    EXPECT_TRUE(*entered);
    expect_to_be_where(leader);
  }));
}

TEST(EnterHost, ChangesNothingForWhoIsThere) {
  expect_done(in_child([] {
    const pid_t leader = process_named("systemd");
    if (namespace_of(leader, "mnt").empty()) ::_exit(kSkipped);
    ::setenv("SUDO_USER", "a user", 1);
    const auto entered = machine::enter_host({.leader = leader, .setns = [](int, int) {
                                                ADD_FAILURE() << "entered what it is in";
                                                return -1;
                                              }});
    ASSERT_TRUE(entered) << entered.error().message;
    EXPECT_FALSE(*entered);
    EXPECT_STREQ(std::getenv("SUDO_USER"), "a user");
  }));
}

// systemctl does nothing in a chroot, and says that all is well.
TEST(EnterHost, LeavesAChrootToo) {
  const Scratch scratch;
  expect_done(in_mount_namespace([&] {
    const pid_t leader = process_named("systemd");
    const std::string proc = scratch.path("/proc");
    ASSERT_EQ(::mkdir(proc.c_str(), 0755), 0);
    ASSERT_EQ(::mount("/proc", proc.c_str(), nullptr, MS_BIND | MS_REC, nullptr), 0);
    ASSERT_EQ(::chroot(scratch.path().c_str()), 0);
    ASSERT_NE(::access("/etc", F_OK), 0);
    const auto entered = machine::enter_host({.leader = leader});
    ASSERT_TRUE(entered) << entered.error().message;
    EXPECT_TRUE(*entered);
    EXPECT_EQ(::access("/etc", F_OK), 0);
  }));
}

// A container without hostPID; and Talos, whose first process is no systemd: it is reported elsewhere what to
// do there.
TEST(EnterHost, TakesAProcess1ThatIsNoSystemdForANodeOnlyInTheFirstPidNamespace) {
  expect_done(in_child([] {
    if (::geteuid() != 0) ::_exit(kSkipped);
    const pid_t leader = process_named("machined");
    become_container();
    const auto refused = machine::enter_host({.leader = leader, .first_pid_namespace = "pid:[1]"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kPermission);
    EXPECT_THAT(refused.error().message, HasSubstr("is 'machined'"));
    EXPECT_THAT(refused.error().hint, HasSubstr("'hostPID: true'"));
    const auto entered = machine::enter_host(
        {.leader = leader, .first_pid_namespace = namespace_of(::getpid(), "pid")});
    ASSERT_TRUE(entered) << entered.error().message;
    expect_to_be_where(leader);
  }));
}

TEST(EnterHost, RefusesWhoIsNotRootBeforeItLooks) {
  const auto entered = machine::enter_host({.proc = "/nowhere", .uid = 1000});
  ASSERT_FALSE(entered);
  EXPECT_EQ(entered.error().kind, ErrorKind::kPermission);
  EXPECT_THAT(entered.error().hint, HasSubstr("'runAsUser: 0'"));
}

// The masks are those of 'docker run' with its default capabilities, of --privileged on a kernel with 41
// of them, and of a process without any.
TEST(EnterHost, NamesTheCapabilitiesThatAContainerLacks) {
  EXPECT_THAT(machine::capabilities_missing(
                  "Name:\tx\nCapEff:\t00000000a80425fb\nCapBnd:\t000001ffffffffff\n"),
              ElementsAre("CAP_SYS_PTRACE", "CAP_SYS_ADMIN"));
  EXPECT_THAT(machine::capabilities_missing("CapEff:\t000001ffffffffff\n"), IsEmpty());
  EXPECT_THAT(
      machine::capabilities_missing("CapPrm:\t000001ffffffffff\nCapEff:\t0000000000000000\n"),
      ElementsAre("CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN"));
  EXPECT_THAT(machine::capabilities_missing("Name:\tx\n"), IsEmpty());
}

TEST(EnterHost, KnowsAFilterOfSystemCallsFromItsCount) {
  EXPECT_TRUE(machine::has_seccomp_filter("NoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1\n"));
  EXPECT_FALSE(machine::has_seccomp_filter("Seccomp:\t0\nSeccomp_filters:\t2\n"));
}

}  // namespace
}  // namespace kubelet_sysctl
