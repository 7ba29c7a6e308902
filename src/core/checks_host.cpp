// SPDX-License-Identifier: Apache-2.0
// Checks of what the program that runs the kubelet needs of the list.
#include <fmt/format.h>

#include "checks_parts.hpp"
#include "entry_set.hpp"
#include "kubelet_sysctl/kubelet_host.hpp"

namespace kubelet_sysctl {

// Source: k3s issue 8487: without its entries the pods of the load balancer fail with SysctlForbidden.
std::optional<Finding> lacking_needs(const NodeSnapshot& snapshot, const Check& check,
                                     const std::vector<std::string>& list) {
  std::vector<std::string> needs = host_needs(snapshot);
  if (needs.empty()) return std::nullopt;
  const EntrySet held(list);
  std::vector<std::string> missing;
  for (std::string& entry : needs) {
    if (held.covering(entry) == nullptr) missing.push_back(std::move(entry));
  }
  if (missing.empty()) return std::nullopt;
  return finding_of(
      check,
      fmt::format("the list lacks {}: the pods of {}'s own load balancer (svclb-*) are "
                  "refused with SysctlForbidden without, where it is on",
                  some_of(missing), kind_of(snapshot).title),
      fmt::format("run: {}", command_with("kubelet-sysctl add", missing)));
}

void host_needs_entries(const NodeSnapshot& snapshot, const NodeModel& model, const Check& check,
                        std::vector<Finding>& found) {
  if (model.stopped) return;
  if (const auto unsure = host_refusal(snapshot)) {
    Finding finding = finding_of(
        check, fmt::format("the list may be another one: {}", unsure->message), unsure->hint);
    finding.severity = Severity::kNote;
    finding.path = unsure->path;
    found.push_back(std::move(finding));
    return;
  }
  const Layer* winner = winner_of(model);
  // Whoever set no list did not take anything out of it.
  if (winner == nullptr) return;
  auto finding = lacking_needs(snapshot, check, texts_of(model.configured));
  if (finding) found.push_back(at_origin(std::move(*finding), winner->at));
}

}  // namespace kubelet_sysctl
