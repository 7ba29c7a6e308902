// SPDX-License-Identifier: Apache-2.0
// Who runs the program, as records and the log name them.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "kubelet_sysctl/machine/machine.hpp"
#include "support/scratch.hpp"

namespace kubelet_sysctl {
namespace {

std::string sudo_user_of(const char* value) {
  ::setenv("SUDO_USER", value, 1);
  std::string user = machine::machine_facts().sudo_user;
  ::unsetenv("SUDO_USER");
  return user;
}

// Source: useradd(8); sudo(8) sets the variable, and anyone who is root already may set it to anything.
TEST(MachineFacts, SudoUserIsANameThatAUserCanHaveOrNone) {
  for (const char* name : {"alice", "svc-node.1", "bob_$", "CORP\\alice", "a@b.example"}) {
    EXPECT_EQ(sudo_user_of(name), name);
  }
  for (const char* other :
       {"", "a\x1b[2Jb", "alice\nroot", "a b", "a\"b", "a,b", "a=b", "\xe2\x80\xaex", "a\xff"}) {
    EXPECT_EQ(sudo_user_of(other), "") << other;
  }
  EXPECT_EQ(sudo_user_of(std::string(255, 'a').c_str()).size(), 255U);
  EXPECT_EQ(sudo_user_of(std::string(256, 'a').c_str()), "");
  ::unsetenv("SUDO_USER");
  EXPECT_EQ(machine::machine_facts().sudo_user, "");
}

// The kernel keeps it through su and sudo. Source: proc_pid_loginuid(5), audit_setloginuid(3).
TEST(MachineFacts, LoginUidIsTheKernelsAndNobodyWhereNobodyLoggedIn) {
  std::string text;
  if (!(std::ifstream("/proc/self/loginuid") >> text)) GTEST_SKIP() << "a kernel without audit";
  const auto uid = machine::machine_facts().login_uid;
  EXPECT_EQ(uid ? std::to_string(*uid) : "4294967295", text);
  const int status = in_child([] {
    const int fd = ::open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || ::write(fd, "1234", 4) != 4) ::_exit(kSkipped);
    EXPECT_EQ(machine::machine_facts().login_uid, 1234U);
  });
  EXPECT_TRUE(status == 0 || status == kSkipped) << status;
}

}  // namespace
}  // namespace kubelet_sysctl
