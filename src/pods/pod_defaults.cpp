// SPDX-License-Identifier: Apache-2.0
// What a pod ends up with of the node's `defaultPodSysctls`.
#include "kubelet_sysctl/model/pod_defaults.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/pods/manifest.hpp"
#include "kubelet_sysctl/pods/verdicts.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/pod_defaults.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::pods {
namespace {

std::string dotted_of(std::string_view name) {
  return sysctl::compared_name(name, sysctl::newest_known_kubelet());
}

/// The pod's own value is in, under the name that the pod writes: the kubelet normalises those of the defaults
/// alone, so two spellings of one sysctl both reach the runtime.
/// Source: pkg/kubelet/kuberuntime/kuberuntime_sandbox.go generatePodSandboxLinuxConfig().
DefaultVerdict beside_own(DefaultVerdict verdict, const SysctlVerdict& own) {
  if (own.sysctl.name != dotted_of(verdict.name)) {
    verdict.set = std::nullopt;
    verdict.reason =
        fmt::format("the pod sets '{}', the same sysctl in another spelling", own.sysctl.name);
    return verdict;
  }
  verdict.set = false;
  verdict.reason = fmt::format("the pod's own value is in, {}", own.sysctl.value);
  if (!own.admitted.value_or(true) && own.gate == sysctl::Gate::kList) {
    verdict.reason += "; without that the pod has this one and needs no entry";
  }
  return verdict;
}

bool is_unusable(const std::string& name, const VerdictContext& context) {
  const sysctl::KernelAnswer* answer = sysctl::answer_for(context.kernel, name);
  return answer != nullptr && (answer->state == sysctl::KernelState::kAbsent ||
                               answer->state == sysctl::KernelState::kReadOnly);
}

DefaultVerdict verdict_on(const model::PodDefault& one, const PodVerdict& pod,
                          const VerdictContext& context) {
  DefaultVerdict verdict = {.name = one.name, .value = one.value, .set = {}, .reason = {}};
  const std::string dotted = dotted_of(one.name);
  const sysctl::PodShares shares = {
      .network = pod.pod.host_network, .ipc = pod.pod.host_ipc, .users = pod.pod.host_users};
  const std::string_view skipped = sysctl::skipped_because(dotted, shares);
  if (!skipped.empty()) {
    verdict.set = false;
    verdict.reason = skipped;
    return verdict;
  }
  const auto own = std::find_if(
      pod.sysctls.begin(), pod.sysctls.end(),
      [&dotted](const SysctlVerdict& each) { return dotted_of(each.sysctl.name) == dotted; });
  if (own != pod.sysctls.end()) return beside_own(std::move(verdict), *own);
  if (context.defaults.state == sysctl::DefaultsState::kInForce) verdict.set = true;
  return verdict;
}

}  // namespace

void judge_defaults(PodVerdict& verdict, const VerdictContext& context) {
  const sysctl::DefaultsState state = context.defaults.state;
  const bool known = state == sysctl::DefaultsState::kInForce;
  if (!known && state != sysctl::DefaultsState::kUnknown) return;
  for (const model::PodDefault& one : context.defaults.sysctls) {
    if (sysctl::default_name_fault(one.name)) continue;  // no kubelet starts that would set it
    DefaultVerdict each = verdict_on(one, verdict, context);
    const bool stops = each.set.value_or(true) && is_unusable(one.name, context);
    // What the kubelet refuses never gets to the kernel.
    if (stops && verdict.admitted.value_or(false)) {
      verdict.admitted = known ? std::optional<bool>(false) : std::nullopt;
      verdict.gate = known ? sysctl::Gate::kKernel : sysctl::Gate::kNone;
      verdict.reason =
          fmt::format("pods cannot set '{}' in this kernel, and {} sets it in this one", one.name,
                      sysctl::kDefaultsKey);
    }
    if (stops) each.reason = "pods cannot set it in this kernel: the pod does not start";
    verdict.defaults.push_back(std::move(each));
  }
}

}  // namespace kubelet_sysctl::pods
