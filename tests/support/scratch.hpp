// SPDX-License-Identifier: Apache-2.0
// A directory for one test, the plain calls that look into it without our own code, and child
// processes in which a test may break the machine.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <vector>

namespace kubelet_sysctl {

/// A directory that is removed with all that is in it.
class Scratch {
 public:
  Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();
  [[nodiscard]] std::string path(const std::string& below = {}) const { return root_ + below; }
  /// Writes a file below it, and the directories above the file.
  void write(const std::string& below, const std::string& bytes) const;
  [[nodiscard]] std::string read(const std::string& below) const;
  [[nodiscard]] struct stat facts(const std::string& below) const;
  /// Names in a directory, sorted, hidden ones too.
  [[nodiscard]] std::vector<std::string> names(const std::string& below) const;

 private:
  std::string root_;
};

inline constexpr int kSkipped = 77;

/// Runs `body` in a forked process and returns its exit status: 0 when all its expectations held, 1
/// when not, whatever it passed to _exit(), 128 + N after signal N. Killed after 60 seconds.
int in_child(const std::function<void()>& body);

/// The same, in a mount namespace of its own; kSkipped where the machine does not permit one.
int in_mount_namespace(const std::function<void()>& body);

/// From now on this process and its children get errno `number` from the system call.
void forbid_system_call(int call, int number);

/// From now on the kernel holds this process and its children back where one begins this system call, until `then`
/// has run, in a thread of its own. Exits with kSkipped where the machine does not permit that.
void before_system_call(int call, const std::function<void()>& then);

}  // namespace kubelet_sysctl
