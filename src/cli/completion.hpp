// SPDX-License-Identifier: Apache-2.0
// What a shell offers for the word that is being typed: the hidden command that its scripts ask.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::cli {

/// Its name: "kubelet-sysctl __complete WORD... LAST". Not in the table of commands: nobody types it.
inline constexpr std::string_view kCompleteCommand = "__complete";

/// Prints what can be in place of the last of `words`, which are those after the program's name: one
/// a line, with a tab and its meaning where it has one. One that ends in '.' is the beginning of others.
/// A line ":files" or ":directories" says what else fits. Says nothing on standard error and returns 0,
/// whatever is wrong with the words or cannot be read: the user is in the middle of a line.
int complete(const std::vector<std::string>& words, CliEnvironment& host);

/// The sysctls of this kernel, below /proc/sys of `files`, that begin with `prefix` and that the newest
/// kubelet takes as an entry. A dot in a directory's name is a slash. Of a directory with one folder for
/// each interface only the folders are named, until the prefix has chosen one: a node has hundreds.
std::vector<std::string> kernel_names(ports::FileSystem& files, std::string_view prefix);

}  // namespace kubelet_sysctl::cli
