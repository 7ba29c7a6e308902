// SPDX-License-Identifier: Apache-2.0
// From a container onto the node: the namespaces, root and environment of process 1.
#pragma once

#include <sched.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"

namespace kubelet_sysctl::machine {

/// Whom to follow and how; tests set another process and other calls.
struct EnterSettings {
  std::string proc = "/proc";
  pid_t leader = 1;  ///< whose namespaces are entered
  std::uint32_t uid = ::geteuid();
  int (*setns)(int fd, int flags) = ::setns;
  /// The machine's own. Source: PROC_PID_INIT_INO, include/linux/proc_ns.h.
  std::string first_pid_namespace = "pid:[4026531836]";
};

/// Brings this process, which has one thread, into the mount, cgroup, UTS, IPC and network namespaces of
/// the leader and below its root, with "/" as working directory and an environment of TERM and NO_COLOR
/// alone. Its PID namespace must be ours already: a process cannot go to one above its own (setns(2)).
/// Returns false where all that was so before; then nothing is changed, the environment neither.
/// Errors: kPermission (not root; a container with a PID namespace of its own, where the leader is neither
/// the machine's first process nor a systemd; a capability, seccomp, a user namespace). After an error the
/// process may be half way: it must end.
Result<bool> enter_host(const EnterSettings& settings = {});

/// What `enter_host` needs and /proc/self/status, its CapEff line, does not list: "CAP_SYS_PTRACE", in the
/// order of their numbers. Nothing where the line cannot be read.
std::vector<std::string_view> capabilities_missing(std::string_view proc_status);

/// True when a seccomp filter is in force for the process of this /proc/self/status.
bool has_seccomp_filter(std::string_view proc_status);

}  // namespace kubelet_sysctl::machine
