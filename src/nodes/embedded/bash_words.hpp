// SPDX-License-Identifier: Apache-2.0
// The words that bash makes of a file of arguments, as far as that is known without running it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::nodes {

/// Variables whose value is known, without blanks and patterns.
using KnownVariables = std::map<std::string, std::string, std::less<>>;

/// What snapd gives every program of a snap; revisions are named by the link that leads to the one in force.
/// Source: snapd, interfaces of the environment of a snap (SNAP, SNAP_DATA, SNAP_COMMON, SNAP_NAME).
KnownVariables snap_variables(std::string_view snap);

/// The words of `declare -a args="($(cat FILE))"`: quotes, comments, and the variables of `known`. What is
/// for one unknown value, within double quotes and behind the name of a flag that does not matter here, is left
/// as it is written. Errors: kUnsupported with the place where only the shell can determine.
/// Source: bash(1) QUOTING, EXPANSION, Arrays; tried with bash 5.2.
Result<std::vector<systemd::Word>> shell_words(const SourceFile& file, std::int32_t source,
                                               const KnownVariables& known);

/// True when `text` begins like a flag whose value decides nothing about the list: "--node-ip=".
bool begins_harmless_flag(std::string_view text);

/// "--allowed-unsafe-sysctls=LIST", in single quotes where bash would search for files.
std::string shell_flag(std::string_view list);

/// A line at the end of a file of arguments, with the line ends that the file has.
Splice line_at_end(const SourceFile& file, std::string_view text);

/// Takes `word` out of such a file: its lines where they hold nothing else, or itself and one blank.
Splice without_word(const SourceFile& file, Span word);

}  // namespace kubelet_sysctl::nodes
