// SPDX-License-Identifier: Apache-2.0
// The kubelet's health endpoint, asked so that no other process can answer for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {

/// One GET /healthz to the live kubelet where its configuration says that it answers; `ok` when a user says 200:
/// for a read, not for a proof. Nothing where no kubelet runs or its endpoint is off or not known.
std::optional<nodes::HealthSeen> health_of(ports::Ports& ports, const nodes::NodeSnapshot& snapshot,
                                           const model::NodeModel& model);

/// One GET /healthz on a numeric address. `ok` only when it says 200 and what listens there belongs to
/// process `pid` or to a child of it: a kubelet that finds its port taken only logs that, and the old
/// one may still answer. Nobody listening is a fact, not an error. Errors: those of answers_at().
Result<nodes::HealthSeen> probe_health(ports::Ports& ports, std::int64_t pid,
                                       const std::string& address, int port, Milliseconds deadline);

}  // namespace kubelet_sysctl::discover
