// SPDX-License-Identifier: Apache-2.0
// --host: what the command line asks for is done on the node that this container runs on.
#pragma once

#include <string>
#include <vector>

#include "cli.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "options.hpp"

namespace kubelet_sysctl::cli {

/// The words with a leading --host put behind the command, so that an image can have it in its entry
/// point.
std::vector<std::string> host_after_command(std::vector<std::string> words);

/// With --host: reads the file of --from-file where we are, enters the node, and finds the program there
/// if a timer shall run it. Afterwards every path means the node's, and `host.program` is that program
/// or empty. Errors: those of enter_host() and of the file; kRefused for a trial that nobody could end.
Status go_to_host(Options& options, CliEnvironment& host);

}  // namespace kubelet_sysctl::cli
