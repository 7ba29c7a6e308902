// SPDX-License-Identifier: Apache-2.0
// The kubelet's health endpoint, asked so that no other process can answer for it.
#pragma once

#include <cstdint>
#include <string>

#include "kubelet_sysctl/error.hpp"
#include "kubelet_sysctl/node.hpp"
#include "kubelet_sysctl/ports.hpp"

namespace kubelet_sysctl {

/// One GET /healthz on a numeric address; `ok` when somebody says 200. For a look, not for a proof.
HealthSeen ask_health_of(Ports& ports, const std::string& address, int port, Milliseconds deadline);

/// One GET /healthz on a numeric address. `ok` only when it says 200 and what listens there belongs to
/// process `pid` or to a child of it: a kubelet that finds its port taken only logs that, and the old
/// one may still answer. Nobody listening is a fact, not an error. Errors: those of answers_at().
Result<HealthSeen> probe_health(Ports& ports, std::int64_t pid, const std::string& address,
                                int port, Milliseconds deadline);

}  // namespace kubelet_sysctl
