// SPDX-License-Identifier: Apache-2.0
// The program as a function: a command line in, text and an exit code out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/machine/runtime_environment.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::cli {

/// What a run needs from the machine before its options are known. `open` makes the ports for a root
/// directory; tests put their own behind it.
struct CliEnvironment {
  std::function<ports::Ports(const std::string& root)> open;
  std::function<void(const std::string&)> out;  ///< results
  std::function<void(const std::string&)> err;  ///< everything else
  std::size_t out_columns = 0;  ///< of the terminal that standard output is; 0 when it is none
  std::size_t err_columns = 0;  ///< the same of standard error
  std::string (*local_time)(std::int64_t) = nullptr;  ///< as TextStyle::local_time
  std::int64_t uid = 0;
  std::string sudo_user;
  std::optional<std::uint32_t> login_uid;  ///< who logged in first; none for services
  std::string program;                     ///< absolute path, for a timer that runs it again
  std::function<std::string()> read_input;
  std::function<Result<bool>()> enter_host;  ///< for --host; true when it led to another place
  machine::RuntimeEnvironment runtime_environment = machine::RuntimeEnvironment::kMachine;
  bool node_was_changed = false;  ///< set by a run that changed files or process
};

/// Runs one command line (without the program's name) and returns the exit code.
int run_cli(const std::vector<std::string>& arguments, CliEnvironment& host);

}  // namespace kubelet_sysctl::cli
