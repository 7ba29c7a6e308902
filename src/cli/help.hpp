// SPDX-License-Identifier: Apache-2.0
// The help texts, made from the tables of commands and options.
#pragma once

#include <string>

#include "commands.hpp"

namespace kubelet_sysctl::cli {

/// What `kubelet-sysctl` alone prints: a screen of 24 lines.
std::string overview();
/// What `kubelet-sysctl --help` prints.
std::string program_help();
/// What `kubelet-sysctl COMMAND --help` prints; with every option for `--help-all`.
std::string command_help(const Command& command, bool all);

}  // namespace kubelet_sysctl::cli
