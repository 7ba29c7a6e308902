// SPDX-License-Identifier: Apache-2.0
// A directory for one test, and child processes in which a test may break the machine.
#include "support/scratch.hpp"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace kubelet_sysctl {

Scratch::Scratch() {
  std::string pattern = ::testing::TempDir() + "kubelet-sysctl.XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) std::abort();
  root_ = pattern;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

void Scratch::write(const std::string& below, const std::string& bytes) const {
  std::filesystem::create_directories(std::filesystem::path(path(below)).parent_path());
  std::ofstream(path(below), std::ios::binary) << bytes;
}

std::string Scratch::read(const std::string& below) const {
  std::ifstream file(path(below), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct stat Scratch::facts(const std::string& below) const {
  struct stat facts = {};
  EXPECT_EQ(::lstat(path(below).c_str(), &facts), 0) << below;
  return facts;
}

std::vector<std::string> Scratch::names(const std::string& below) const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path(below))) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

int in_child(const std::function<void()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::alarm(60);
    body();
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int in_mount_namespace(const std::function<void()>& body) {
  return in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0) ::_exit(kSkipped);
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(kSkipped);
    body();
  });
}

// Source: seccomp(2), the example of a filter.
void forbid_system_call(int call, int number) {
  const auto wanted = static_cast<unsigned>(call);
  const auto answer = SECCOMP_RET_ERRNO | (static_cast<unsigned>(number) & SECCOMP_RET_DATA);
  std::array<sock_filter, 4> filter = {
      sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, wanted},
      sock_filter{BPF_RET | BPF_K, 0, 0, answer},
      sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
  const sock_fprog program = {.len = filter.size(), .filter = filter.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    ::_exit(kSkipped);
  }
}

// Source: seccomp_unotify(2).
void before_system_call(int call, const std::function<void()>& then) {
  std::array<sock_filter, 4> filter = {
      sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<unsigned>(call)},
      sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF},
      sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
  const sock_fprog program = {.len = filter.size(), .filter = filter.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(kSkipped);
  const auto listener = static_cast<int>(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
  if (listener < 0) ::_exit(kSkipped);
  std::thread([listener, then] {
    seccomp_notif held = {};
    while (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &held) == 0) {
      then();
      seccomp_notif_resp answer = {};
      answer.id = held.id;
      answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
      ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
      held = {};
    }
  }).detach();
}

}  // namespace kubelet_sysctl
