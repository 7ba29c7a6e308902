// SPDX-License-Identifier: Apache-2.0
// Diagnostics on standard error, for -v. Results and errors of the program do not go here.
#pragma once

#include <string_view>

namespace kubelet_sysctl::machine {

/// Whether lines are written from now on; none are before.
void set_verbose(bool verbose);
/// Whether a line would be written: ask before making an expensive one.
bool is_verbose();
/// What was run or written, as one line; nothing without -v.
void log(std::string_view line);

}  // namespace kubelet_sysctl::machine
