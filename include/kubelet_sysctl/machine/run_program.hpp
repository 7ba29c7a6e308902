// SPDX-License-Identifier: Apache-2.0
// Runs a program without a shell.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"

namespace kubelet_sysctl::machine {

struct Command {
  std::string program;  ///< an absolute path, or a name that is searched for in fixed directories
  std::vector<std::string> arguments = {};
  Milliseconds deadline{30'000};
  std::size_t most_output = 4U << 20U;  ///< bytes kept of each stream; the rest is read and dropped
};

/// How a program ended.
struct Ended {
  std::string output;  ///< of standard output
  std::string errors;  ///< of standard error
  int exit_status = 0;
  int signal = 0;  ///< that ended it; 0 when it ended itself
};

/// A program that runs while its caller does something else. Destroyed before its end was waited for, it
/// is killed.
class Started {
 public:
  Started() = default;
  Started(const Started&) = delete;
  Started& operator=(const Started&) = delete;
  virtual ~Started() = default;
  /// True once it has ended, or its deadline has passed; waits for that as long as `patience`.
  virtual bool is_over(Milliseconds patience) = 0;
  /// Waits for its end; called once. Errors: kTimeout.
  virtual Result<Ended> finish() = 0;
};

/// Starts it as run() does. The deadline counts from here. Errors: kNotFound, kPermission, kIo.
Result<std::unique_ptr<Started>> start(const Command& command);

/// Runs it to its end: in the foreground of nobody (a Ctrl-C at the terminal does not reach it),
/// with no input, in a clean environment and the C.UTF-8 locale. At the deadline it and its
/// children are killed.
/// Errors: kNotFound when there is no such program, kTimeout, kPermission, kIo.
Result<Ended> run(const Command& command);

}  // namespace kubelet_sysctl::machine
