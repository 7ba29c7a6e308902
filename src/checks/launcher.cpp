// SPDX-License-Identifier: Apache-2.0
// Checks of what the program that runs the kubelet needs of the list.
#include <fmt/format.h>

#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/pattern_set.hpp"

namespace kubelet_sysctl::checks {

// Source: k3s issue 8487: without its entries the pods of the load balancer fail with SysctlForbidden.
std::optional<Finding> lacking_needs(const nodes::NodeSnapshot& snapshot, const Check& check,
                                     const EntryList& list) {
  std::vector<std::string> needs = model::launcher_needs(snapshot);
  if (needs.empty()) return std::nullopt;
  const sysctl::EntrySet held(list);
  std::vector<std::string> missing;
  for (std::string& entry : needs) {
    if (!held.covering(entry)) missing.push_back(std::move(entry));
  }
  if (missing.empty()) return std::nullopt;
  return finding_of(
      check,
      fmt::format("the list lacks {}: the pods of {}'s own load balancer (svclb-*) are "
                  "refused with SysctlForbidden without, where it is on",
                  some_of(missing), nodes::kind_of(snapshot).title),
      fmt::format("run: {}", command_with("kubelet-sysctl add", missing)));
}

void launcher_needs_entries(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                            const Check& check, std::vector<Finding>& found) {
  if (model.stopped) return;
  if (const auto unsure = model::host_refusal(snapshot)) {
    Finding finding = finding_of(
        check, fmt::format("the list may be another one: {}", unsure->message), unsure->hint);
    finding.severity = Severity::kNote;
    finding.path = unsure->path;
    found.push_back(std::move(finding));
    return;
  }
  const model::Layer* winner = model::winner_of(model);
  // Anyone who set no list did not take anything out of it.
  if (winner == nullptr) return;
  auto finding = lacking_needs(snapshot, check, model::configured_texts(model));
  if (finding) found.push_back(at_origin(std::move(*finding), winner->at));
}

}  // namespace kubelet_sysctl::checks
