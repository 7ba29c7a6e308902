// SPDX-License-Identifier: Apache-2.0
// What a program that runs the kubelet decides by: its files, and the line of its journal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::discover {

/// Reads what the launcher of the snapshot's kind names, into files, launcher_files and listings. Without a launcher:
/// nothing. Errors: those of reading.
Status read_launcher_files(ports::FileSystem& files, const systemd::CommandLine& unit,
                           nodes::NodeSnapshot& snapshot);

/// The words that the launcher logged when it started its kubelet, into logged_argv; nothing where its log does
/// not say them. A journal that cannot be read leaves them unknown.
Status read_logged_argv(ports::Ports& ports, nodes::NodeSnapshot& snapshot);

/// Size of the file that the kubelet of a launcher logs to; 0 when it logs to the journal.
std::uint64_t size_of_launcher_log(ports::FileSystem& files, const nodes::NodeSnapshot& snapshot);
/// The last lines of that file, at most `lines`, of what was written since it had `size` bytes; nothing when the
/// kubelet logs to the journal.
std::optional<std::vector<std::string>> last_words_in_file(ports::FileSystem& files,
                                                           const nodes::NodeSnapshot& snapshot,
                                                           std::uint64_t size, std::size_t lines);

}  // namespace kubelet_sysctl::discover
