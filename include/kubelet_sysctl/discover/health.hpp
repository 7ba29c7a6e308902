// SPDX-License-Identifier: Apache-2.0
// The kubelet's health endpoint, asked so that no other process can answer for it.
#pragma once

#include <cstdint>
#include <string>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {

/// One GET /healthz on a numeric address; `ok` when somebody says 200. For a look, not for a proof.
nodes::HealthSeen ask_health_of(ports::Ports& ports, const std::string& address, int port,
                                Milliseconds deadline);

/// One GET /healthz on a numeric address. `ok` only when it says 200 and what listens there belongs to
/// process `pid` or to a child of it: a kubelet that finds its port taken only logs that, and the old
/// one may still answer. Nobody listening is a fact, not an error. Errors: those of answers_at().
Result<nodes::HealthSeen> probe_health(ports::Ports& ports, std::int64_t pid,
                                       const std::string& address, int port, Milliseconds deadline);

}  // namespace kubelet_sysctl::discover
