// SPDX-License-Identifier: Apache-2.0
// The kubelet's command line, whoever makes it.
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

/// The kubelet's command line: the unit's own, or what its host makes of it; then program, environment and
/// ExecStart= stay those of the unit. Errors: those of KubeletHost::words.
Result<systemd::CommandLine> kubelet_command(const nodes::NodeSnapshot& snapshot,
                                             systemd::CommandLine unit);

/// What must be read, besides the unit, before kubelet_command() can tell: nothing without a host.
std::vector<nodes::HostPath> host_paths(const nodes::NodeSnapshot& snapshot,
                                        const systemd::CommandLine& unit);

/// The host of the snapshot's kind; nullptr when the unit runs the kubelet itself.
const nodes::KubeletHost* host_of(const nodes::NodeSnapshot& snapshot);
/// Why its host lets the list be shown and not changed; nothing without one. See KubeletHost::refusal.
std::optional<Error> host_refusal(const nodes::NodeSnapshot& snapshot);
/// Entries that the host itself needs; none without one. See KubeletHost::needs.
std::vector<std::string> host_needs(const nodes::NodeSnapshot& snapshot);
/// The file that the kubelet logs to; empty: the unit's journal.
std::string host_log_file(const nodes::NodeSnapshot& snapshot);
/// The kubelet's words, its name first, from the line that its host logged them in behind `mark`: joined with
/// blanks, the whole in quotes where the log quotes its messages. Nothing when the words cannot be told apart.
std::optional<std::vector<std::string>> words_in_log(std::string_view line, std::string_view mark);
/// Where the kubelet's process is to be looked for.
nodes::KubeletPlace kubelet_place(const nodes::NodeSnapshot& snapshot);

}  // namespace kubelet_sysctl::model
