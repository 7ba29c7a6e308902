// SPDX-License-Identifier: Apache-2.0
// Which records of changes may go, and how they go.
#pragma once

#include <cstdint>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {

/// Those begun before `before_ms` that nothing needs, oldest first. Needed are: open changes and trials; the newest that
/// decides what the list must hold, the newest that `undo` takes back; and of an undone change its undo, or it could
/// be undone again.
std::vector<Transaction> purgeable(const std::vector<Transaction>& all, std::int64_t before_ms);
/// Takes these records away with the files that they keep. The caller holds the lock.
Status purge(ports::Ports& ports, const std::vector<Transaction>& records);

}  // namespace kubelet_sysctl::transaction
