// SPDX-License-Identifier: Apache-2.0
// `defaultPodSysctls`: which kubelets set it, which names it takes, and which pods a name passes over.
#include "kubelet_sysctl/sysctl/pod_defaults.hpp"

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::sysctl {
namespace {

constexpr KubeletVersion kFirst = {.major = 1, .minor = 37, .patch = 0};
constexpr KubeletVersion kBeta = {.major = 1, .minor = 38, .patch = 0};

bool is_of_users(std::string_view dotted) { return dotted.starts_with("user."); }
bool is_of_uts(std::string_view dotted) { return dotted == "kernel.domainname"; }
bool is_of_network(std::string_view dotted) { return dotted.starts_with("net."); }
/// The names of the IPC namespace are those that runc has too.
bool is_of_ipc(std::string_view dotted) {
  return !is_of_network(dotted) && !runtime_refusal(dotted);
}

}  // namespace

std::string_view why_of(DefaultsState state) {
  switch (state) {
    case DefaultsState::kInForce:
      return {};
    case DefaultsState::kNoField:
      return "a kubelet before 1.37 ignores this field";
    case DefaultsState::kGateOff:
      return "the feature gate DefaultPodSysctls is off";
    case DefaultsState::kUnknown:
      return "whether pods get them cannot be determined: the kubelet's release, or what its "
             "feature "
             "gate "
             "DefaultPodSysctls is by default, is not known";
  }
  bug("a DefaultsState without words");
}

DefaultsState defaults_state(const std::optional<KubeletVersion>& version,
                             const DefaultsGates& gates) {
  if (version && *version < kFirst) return DefaultsState::kNoField;
  const auto by = [](bool on) { return on ? DefaultsState::kInForce : DefaultsState::kGateOff; };
  if (gates.own && (version || !*gates.own)) return by(*gates.own);
  if (version && *version < kBeta) return by(gates.all_alpha.value_or(false));
  return DefaultsState::kUnknown;
}

std::optional<std::string> default_name_fault(std::string_view name) {
  const auto pattern = SysctlPattern::parse(name);
  if (!pattern || name.find('*') != std::string_view::npos) return "it is not the name of a sysctl";
  const std::string& dotted = pattern->dotted();
  if (is_of_network(dotted) || is_of_ipc(dotted) || is_of_users(dotted) || is_of_uts(dotted)) {
    return std::nullopt;
  }
  return "it belongs to no namespace of a pod";
}

bool is_kernel_asked(std::string_view name) {
  const auto pattern = SysctlPattern::parse(name);
  return pattern && !default_name_fault(name) && !is_of_users(pattern->dotted()) &&
         !is_of_uts(pattern->dotted());
}

std::string_view skipped_because(std::string_view dotted, const PodShares& shares) {
  if (is_of_users(dotted)) {
    return shares.users ? "the pod shares the node's user namespace" : std::string_view();
  }
  if (is_of_network(dotted) || is_of_uts(dotted)) {
    return shares.network ? "the pod shares the node's network namespace" : std::string_view();
  }
  return shares.ipc ? "the pod shares the node's IPC namespace" : std::string_view();
}

}  // namespace kubelet_sysctl::sysctl
