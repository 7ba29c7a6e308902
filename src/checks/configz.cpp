// SPDX-License-Identifier: Apache-2.0
// Checks of what the kubelet itself answers against everything else.
#include <fmt/format.h>

#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl::checks {
void configz_differs(const nodes::NodeSnapshot&, const model::NodeModel& model, const Check& check,
                     std::vector<Finding>& found) {
  if (!model.running || model.running->configz != model::Configz::kDiffers ||
      !model.running->entries)
    return;
  const std::vector<std::string>& entries = *model.running->entries;
  found.push_back(finding_of(
      check,
      fmt::format("the kubelet itself says that it runs with {}, and its arguments and files say "
                  "otherwise",
                  entries.empty() ? "no entry" : some_of(entries)),
      "see what else starts a kubelet here or hands it settings, and restart its unit"));
}

void configz_silent(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                    const Check& check, std::vector<Finding>& found) {
  if (!snapshot.configz || !model.running || model.running->configz != model::Configz::kUnknown)
    return;
  found.push_back(finding_of(
      check, fmt::format("the kubelet itself could not be asked: {}", snapshot.configz->why),
      "the result rests on the other evidence; see --configz in kubelet-sysctl(8) for what it "
      "needs"));
}

}  // namespace kubelet_sysctl::checks
