// SPDX-License-Identifier: Apache-2.0
// Diagnostics on standard error, for -v. Results and errors of the program do not go here.
#pragma once

#include <string_view>

namespace kubelet_sysctl::machine {

enum class LogLevel {
  kSteps = 1,    ///< -v: what was run or written
  kDetails = 2,  ///< -vv: what was read
};

/// Lines of this level and the ones below it are written from now on; 0, the start, writes none.
void set_log_level(int verbosity);

/// True when a line of this level would be written: ask before making an expensive one.
bool log_wants(LogLevel level);

void log(LogLevel level, std::string_view line);

}  // namespace kubelet_sysctl::machine
