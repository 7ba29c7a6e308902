// SPDX-License-Identifier: Apache-2.0
// The help texts, made from the tables of commands and options.
#pragma once

#include <string>

#include "commands.hpp"

namespace kubelet_sysctl::cli {

/// What `kubelet-sysctl --help` prints.
std::string program_help();
/// What `kubelet-sysctl COMMAND --help` prints.
std::string command_help(const Command& command);

}  // namespace kubelet_sysctl::cli
