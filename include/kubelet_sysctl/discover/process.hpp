// SPDX-License-Identifier: Apache-2.0
// The main process of a unit, read from /proc so that a reused number cannot deceive.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {

/// True for the words of a kubelet itself, not of a program that names one: hyperkube names what it is.
bool is_kubelet(const std::vector<std::string>& words);

/// The process with this number, from /proc; nothing when it has ended.
Result<std::optional<Process>> read_process(ports::FileSystem& files, std::int64_t pid);

/// When the unit's main process began, in milliseconds since the epoch, UTC: from the manager's own
/// record where it has one, else from the kernel's boot time. 0 when neither says.
std::int64_t started_at_ms(ports::Ports& ports, const ports::UnitState& state,
                           const Process& process);

/// A program of another name that a loader started with all arguments of the unit as they are is the kubelet:
/// its first word becomes that of `unit_argv`, the words that the files give. Nothing happens otherwise.
void take_by_arguments(Process& process, const std::vector<std::string>& unit_argv);

/// The unit's main process with its start; nothing when there is none. Errors: those of /proc.
Result<std::optional<Process>> read_main_process(ports::Ports& ports,
                                                 const ports::UnitState& state);

/// A moment before which this kubelet has read none of its files, in milliseconds since the epoch, as late as it is
/// known: its start, or what its launcher shows of it. 0 when it is unknown yet.
std::int64_t read_not_before_ms(ports::Ports& ports, const nodes::KubeletLauncher& launcher,
                                const Process& process);

/// The kubelet's process: the main process, or where it is `place` (KubeletPlace) a process whose first word
/// is a kubelet: a child of the unit, or one in the control group of a container. Nothing when there is
/// none, or more than one that could be it. Errors: those of /proc.
Result<std::optional<Process>> read_kubelet_process(ports::Ports& ports,
                                                    const ports::UnitState& state,
                                                    nodes::KubeletPlace place);

}  // namespace kubelet_sysctl::discover
