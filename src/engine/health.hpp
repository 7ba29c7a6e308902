// SPDX-License-Identifier: Apache-2.0
// The kubelet's health endpoint, asked so that no other process can answer for it.
#pragma once

#include <cstdint>
#include <string>

#include "kubelet_sysctl/error.hpp"
#include "kubelet_sysctl/node.hpp"
#include "kubelet_sysctl/ports.hpp"

namespace kubelet_sysctl {

/// True when process `pid`, or a child of it, holds a socket that listens on this port. Errors: kPermission,
/// kIo from /proc.
Result<bool> listens_on(FileSystem& files, std::int64_t pid, int port);

/// One GET /healthz on a numeric address; `ok` when somebody says 200. For a look, not for a proof.
HealthSeen ask_health_of(Ports& ports, const std::string& address, int port, Milliseconds deadline);

/// One GET /healthz on a numeric address. `ok` only when it says 200 and the listening socket
/// belongs to process `pid` or to a child of it: a kubelet that finds its port taken only logs
/// that, and the old one may still answer. Nobody listening is a fact, not an error. Errors:
/// kPermission, kIo from /proc.
Result<HealthSeen> probe_health(Ports& ports, std::int64_t pid, const std::string& address,
                                int port, Milliseconds deadline);

}  // namespace kubelet_sysctl
