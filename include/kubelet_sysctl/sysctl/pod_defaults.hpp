// SPDX-License-Identifier: Apache-2.0
// `defaultPodSysctls`: which kubelets set it, which names it takes, and which pods a name passes over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::sysctl {

inline constexpr std::string_view kDefaultsKey = "defaultPodSysctls";
inline constexpr std::string_view kDefaultsGate = "DefaultPodSysctls";

/// What the kubelet of a node does with the field.
enum class DefaultsState : std::uint8_t {
  kInForce,
  kNoField,  ///< its release has no such field, and ignores it
  kGateOff,
  kUnknown,
};

/// Why pods do not get it, or may not; empty where they do.
std::string_view why_of(DefaultsState state);

/// The switches of feature gates that decide; nothing for one that nobody gave.
struct DefaultsGates {
  std::optional<bool> own;
  std::optional<bool> all_alpha;
};

/// The gate is alpha and off in 1.37. What a later release has it on is not known here.
/// Source: kubernetes/website feature-gates/DefaultPodSysctls.md; KEP-5996.
DefaultsState defaults_state(const std::optional<KubeletVersion>& version,
                             const DefaultsGates& gates);

/// What is wrong with a name, so that a kubelet which has it in force does not start; nothing when it starts.
/// Source: kubernetes/website "Using sysctls in a Kubernetes Cluster"; kubernetes PR 140052.
std::optional<std::string> default_name_fault(std::string_view name);

/// True when the kernel says in fresh network and IPC namespaces what a pod gets of this name.
bool is_kernel_asked(std::string_view name);

/// What a pod shares with the node.
struct PodShares {
  bool network = false;
  bool ipc = false;
  bool users = true;
};

/// Why the kubelet does not set a name (dotted) in such a pod; empty when it does.
/// Source: pkg/kubelet/kuberuntime/kuberuntime_sandbox.go applyPodSysctls(); kubernetes PR 140892.
std::string_view skipped_because(std::string_view dotted, const PodShares& shares);

}  // namespace kubelet_sysctl::sysctl
