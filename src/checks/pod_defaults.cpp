// SPDX-License-Identifier: Apache-2.0
// Checks of `defaultPodSysctls`: what ends the kubelet, what no pod gets, what no pod can start with.
#include "kubelet_sysctl/model/pod_defaults.hpp"

#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/pod_defaults.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::checks {

using sysctl::DefaultsState;

// Source: kubernetes/website sysctl-cluster.md, "Validation and Limitations"; kubernetes PR 140052.
void default_sysctl_fatal(const nodes::NodeSnapshot&, const model::NodeModel& model,
                          const Check& check, std::vector<Finding>& found) {
  for (Error& fault : model::pod_default_faults(model.pod_defaults)) {
    Finding finding = finding_of(check, std::move(fault.message), std::move(fault.hint));
    finding.path = std::move(fault.path);
    finding.line = fault.line;
    if (fault.kind != ErrorKind::kRefused) finding.severity = Severity::kWarning;
    found.push_back(std::move(finding));
  }
}

// Source: kubernetes PR 83204: a field that the release lacks is ignored. KEP-5996: with the gate off the field
// must go "to prevent validation failures during Kubelet startup"; the code of that was not seen.
void default_sysctl_unused(const nodes::NodeSnapshot&, const model::NodeModel& model,
                           const Check& check, std::vector<Finding>& found) {
  const model::PodDefaults& defaults = model.pod_defaults;
  if (defaults.sysctls.empty() || defaults.state == DefaultsState::kInForce) return;
  const model::PodDefault& first = defaults.sysctls.front();
  if (defaults.state == DefaultsState::kUnknown) {
    Finding finding = finding_of(check, std::string(sysctl::why_of(defaults.state)),
                                 fmt::format("name the release with '--kubelet-version', and set "
                                             "'featureGates: {{{}: true}}'",
                                             sysctl::kDefaultsGate));
    finding.severity = Severity::kNote;
    return found.push_back(at_origin(std::move(finding), first.at));
  }
  const bool off = defaults.state == DefaultsState::kGateOff;
  found.push_back(at_origin(
      finding_of(check,
                 fmt::format("no pod gets what {} sets: {}{}", sysctl::kDefaultsKey,
                             sysctl::why_of(defaults.state),
                             off ? ", and by KEP-5996 a kubelet may not even start so" : ""),
                 off ? fmt::format("set 'featureGates: {{{}: true}}', or take the field out",
                                   sysctl::kDefaultsGate)
                     : "let pods set their sysctls themselves, or take the field out"),
      first.at));
}

std::optional<Finding> unusable_default(const KernelAnswers& kernel, const Check& check,
                                        const model::PodDefault& one) {
  const sysctl::KernelAnswer* answer = kernel.of(one.name);
  if (answer == nullptr) return std::nullopt;
  const bool absent = answer->state == sysctl::KernelState::kAbsent;
  if (!absent && answer->state != sysctl::KernelState::kReadOnly) return std::nullopt;
  return finding_of(
      check,
      fmt::format("'{}' is {} for pods in {}: no pod starts that gets it by {}", one.name,
                  absent ? "absent" : "read-only", kernel.kernel(), sysctl::kDefaultsKey),
      "take it out; what pods cannot set is set for the whole node, by a file in "
      "'/etc/sysctl.d'");
}

}  // namespace kubelet_sysctl::checks
