// SPDX-License-Identifier: Apache-2.0
// The kubelet's command line, from whichever program.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::model {

/// The kubelet's command line: the unit's own, or what its launcher makes of it; then program, environment and
/// ExecStart= stay those of the unit. Errors: those of KubeletLauncher::words.
Result<systemd::CommandLine> kubelet_command(const nodes::NodeSnapshot& snapshot,
                                             systemd::CommandLine unit);

/// What must be read, besides the unit, before kubelet_command() can determine: nothing without a launcher.
std::vector<nodes::HostPath> launcher_paths(const nodes::NodeSnapshot& snapshot,
                                            const systemd::CommandLine& unit);

/// The launcher of the snapshot's kind; nullptr when the unit runs the kubelet itself.
const nodes::KubeletLauncher* launcher_of(const nodes::NodeSnapshot& snapshot);
/// Why its launcher lets the list be shown and not changed; nothing without one. See KubeletLauncher::refusal.
std::optional<Error> host_refusal(const nodes::NodeSnapshot& snapshot);
/// Entries that the launcher itself needs; none without one. See KubeletLauncher::needs.
std::vector<std::string> launcher_needs(const nodes::NodeSnapshot& snapshot);
/// The file that the kubelet logs to; empty: the unit's journal.
std::string launcher_log_file(const nodes::NodeSnapshot& snapshot);
/// The kubelet's words, its name first, from the line that its launcher logged them in behind `mark`: joined with
/// blanks, the whole in quotes where the log quotes its messages. Nothing when the words cannot be distinguished.
std::optional<std::vector<std::string>> words_in_log(std::string_view line, std::string_view mark);
/// Where the kubelet's process is to be searched for.
nodes::KubeletPlace kubelet_place(const nodes::NodeSnapshot& snapshot);

}  // namespace kubelet_sysctl::model
