// SPDX-License-Identifier: Apache-2.0
// The main process of a unit, read from /proc so that a reused number cannot deceive.
#pragma once

#include <cstdint>
#include <optional>

#include "kubelet_sysctl/discover.hpp"
#include "kubelet_sysctl/ports.hpp"

namespace kubelet_sysctl {

/// When the unit's main process began, in milliseconds since the epoch, UTC: from the manager's own
/// record where it has one, else from the kernel's boot time. 0 when neither tells.
std::int64_t started_at_ms(Ports& ports, const UnitState& state, const Process& process);

/// The unit's main process with its start; nothing when there is none. Errors: those of /proc.
Result<std::optional<Process>> read_main_process(Ports& ports, const UnitState& state);

}  // namespace kubelet_sysctl
