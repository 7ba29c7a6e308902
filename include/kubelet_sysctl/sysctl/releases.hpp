// SPDX-License-Identifier: Apache-2.0
// What one release of the kubelet accepts, refuses and says: its tables as data, with their
// sources.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/sysctl/pattern.hpp"

namespace kubelet_sysctl::sysctl {

/// A release, major and minor as Kubernetes counts them.
struct KubeletVersion {
  int major = 1;
  int minor = 0;
  int patch = 0;
  auto operator<=>(const KubeletVersion&) const = default;
};

/// "1.29.6"
std::string text_of(const KubeletVersion& version);

/// Reads "Kubernetes v1.29.6-eks-036c24b", "v1.29.6+k3s1" or "1.29"; nothing from any other text.
/// Source: component-base version/verflag prints "Kubernetes " and the git version.
std::optional<KubeletVersion> parse_kubelet_version(std::string_view text);

/// The newest release whose rules this program knows.
KubeletVersion newest_known_kubelet();

/// The rules of that release for entries of the list.
RuleSet rule_set_of(const KubeletVersion& version);

/// A release of the Linux kernel; what follows the numbers is not compared.
struct KernelVersion {
  int major = 0;
  int minor = 0;
  auto operator<=>(const KernelVersion&) const = default;
};
/// A kernel that has whatever any kernel has.
inline constexpr KernelVersion kAnyKernel = {.major = 9999, .minor = 0};
/// From uname(2): "6.1.0-28-amd64" is 6.1. Nothing when it does not begin with two numbers.
std::optional<KernelVersion> parse_kernel_version(std::string_view release);

/// One name of the safe list, which needs no entry.
struct SafeSysctl {
  std::string_view name;
  int since_minor;           ///< first 1.x release that has it
  KernelVersion min_kernel;  ///< the kubelet drops it on older kernels; 0.0: no minimum
  std::string_view source;
};
const std::vector<SafeSysctl>& safe_sysctls();

/// The row of a dotted name that is safe in this release on this kernel; nullptr when it is not. An
/// unknown kernel drops the names that have a minimum, as the kubelet does.
const SafeSysctl* safe_sysctl(std::string_view dotted, const KubeletVersion& version,
                              const std::optional<KernelVersion>& kernel);

/// Which namespace a name belongs to, by the kubelet's table of that release.
enum class SysctlNamespace { kNet, kIpc, kNone };
const char* name_of(SysctlNamespace one);  ///< "net", "ipc", "none"
SysctlNamespace namespace_of(std::string_view entry, RuleSet rules);

/// A pod's use of one sysctl, as admission sees it.
struct SysctlUse {
  std::string name;  ///< as the pod spells it
  bool host_network = false;
  bool host_ipc = false;
};

/// Who refuses a pod. The spelling is judged by the API server, or by the kubelet when it reads a
/// static pod, before any list is asked.
enum class Gate { kNone, kSpelling, kList, kHostNetwork, kHostIpc, kRuntime, kKernel };
/// "none", "spelling", "list", "host-network", "host-ipc", "runtime", "kernel"
const char* name_of(Gate gate);

struct Admission {
  Gate gate = Gate::kNone;  ///< kNone: admitted
  std::string reason;  ///< the kubelet's own words, "forbidden sysctl: …"; empty when admitted
};

/// What a kubelet of `version` with this list on this kernel says to one use.
/// Source: pkg/kubelet/sysctl/allowlist.go (whitelist.go up to 1.21).
Gate gate_of(const SysctlUse& use, const std::vector<std::string>& list,
             const KubeletVersion& version, const std::optional<KernelVersion>& kernel);
/// The same with the kubelet's words.
Admission admission_of(const SysctlUse& use, const std::vector<std::string>& list,
                       const KubeletVersion& version, const std::optional<KernelVersion>& kernel);

/// Why a pod cannot even be made that spells a sysctl so, in the words of validation; nothing when
/// it can.
/// Source: pkg/apis/core/validation/validation.go IsValidSysctlName; slashes from 1.25 on (PR
/// 106834).
std::optional<std::string> pod_spelling_fault(std::string_view name, const KubeletVersion& version);

/// The name in dots, as the kubelet of `version` compares it: up to 1.22 as it is written.
std::string compared_name(std::string_view name, const KubeletVersion& version);

/// What runc says to a name (dotted) that the kubelet admitted and that no pod can set; nothing
/// where it goes on and writes. `crun` refuses the same names. The pod hangs in ContainerCreating
/// then.
/// Source: opencontainers/runc libcontainer/configs/validate/validator.go, 1.3.6.
std::optional<std::string> runtime_refusal(std::string_view dotted);

}  // namespace kubelet_sysctl::sysctl
