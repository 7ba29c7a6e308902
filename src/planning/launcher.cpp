// SPDX-License-Identifier: Apache-2.0
// What a plan says because another program runs the kubelet.
#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "parts.hpp"

namespace kubelet_sysctl::planning {

Error regenerated(const model::NodeModel& model) {
  return {.kind = ErrorKind::kRefused,
          .message = fmt::format("will not edit this file: {} rewrites it at every start",
                                 model.kind->title),
          .path = model.config_path,
          .hint = fmt::format("use '--via args', or to persist it: {}", model.kind->vendor_route)};
}

void note_restart(const nodes::NodeSnapshot& snapshot, Plan& plan) {
  const nodes::KubeletLauncher* launcher = model::launcher_of(snapshot);
  if (!plan.restart || launcher == nullptr || launcher->restarts_too == nullptr) return;
  const auto unit = model::resolve_command(snapshot);
  if (!unit) return;
  const std::string too = launcher->restarts_too(snapshot, *unit);
  if (too.empty()) return;
  plan.findings.push_back(
      {.id = "restarts-more",
       .severity = Severity::kWarning,
       .message = fmt::format("the restart of '{}' restarts {} too", snapshot.unit.name, too),
       .hint = "its kubelet may take minutes to start; '--timeout 10m' waits that long for it"});
}

}  // namespace kubelet_sysctl::planning
