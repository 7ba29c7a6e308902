// SPDX-License-Identifier: Apache-2.0
// What a plan says because another program runs the kubelet.
#include <fmt/format.h>

#include "kubelet_sysctl/kubelet_host.hpp"
#include "plan_parts.hpp"

namespace kubelet_sysctl::planning {

Error made_anew(const NodeModel& model) {
  return {.kind = ErrorKind::kRefused,
          .message = fmt::format("will not edit this file: {} writes it anew at every start",
                                 model.kind->title),
          .path = model.config_path,
          .hint = fmt::format("use '--via args', or make it last: {}", model.kind->vendor_route)};
}

void note_restart(const NodeSnapshot& snapshot, Plan& plan) {
  const KubeletHost* host = host_of(snapshot);
  if (!plan.restart || host == nullptr || host->restarts_too == nullptr) return;
  const auto unit = resolve_command(snapshot);
  if (!unit) return;
  const std::string too = host->restarts_too(snapshot, *unit);
  if (too.empty()) return;
  Finding finding;
  finding.id = "restarts-more";
  finding.severity = Severity::kWarning;
  finding.message = fmt::format("the restart of '{}' restarts {} too", snapshot.unit.name, too);
  finding.hint = "its kubelet may take minutes to start; '--timeout 10m' waits that long for it";
  plan.findings.push_back(std::move(finding));
}

}  // namespace kubelet_sysctl::planning
