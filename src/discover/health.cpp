// SPDX-License-Identifier: Apache-2.0
// The kubelet's health endpoint, asked so that no other process can answer for it.
#include "kubelet_sysctl/discover/health.hpp"

#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/discover/sockets.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {

namespace {

/// `ok` when a user says 200.
nodes::HealthSeen ask_health_of(ports::Ports& ports, const std::string& address, int port,
                                Milliseconds deadline) {
  const auto answer = ports.health.get(address, port, "/healthz", deadline);
  if (!answer) return {.ok = false, .detail = answer.error().message};
  constexpr int kOk = 200;
  if (answer->status == kOk) return {.ok = true, .detail = "ok"};
  return {.ok = false, .detail = fmt::format("http {}", answer->status)};
}

}  // namespace

// Whose socket answers is asked after a restart, not here: the kernel's table of sockets takes longer to read
// than all the rest together.
std::optional<nodes::HealthSeen> health_of(ports::Ports& ports, const nodes::NodeSnapshot& snapshot,
                                           const model::NodeModel& model) {
  constexpr Milliseconds kDeadline{1000};
  if (!snapshot.live || !snapshot.process || model.stopped) return std::nullopt;
  if (model.health_address.empty() || model.health_port == 0) return std::nullopt;
  const bool is_seen = kubelet::kubelet_arguments_start(snapshot.process->argv).has_value();
  if (model.wrapped && !is_seen) return std::nullopt;
  return ask_health_of(ports, model.health_address, model.health_port, kDeadline);
}

Result<nodes::HealthSeen> probe_health(ports::Ports& ports, std::int64_t pid,
                                       const std::string& address, int port,
                                       Milliseconds deadline) {
  nodes::HealthSeen seen = ask_health_of(ports, address, port, deadline);
  if (!seen.ok) return seen;
  if (!shares_network(ports.files, pid).value_or(true)) {
    return nodes::HealthSeen{.ok = false, .detail = "the kubelet is in another network namespace"};
  }
  auto own = answers_at(ports.files, pid, address, port);
  if (!own) return std::move(own).error();
  if (*own) return seen;
  return nodes::HealthSeen{.ok = false,
                           .detail = fmt::format("another process answers on port {}", port)};
}

}  // namespace kubelet_sysctl::discover
