// SPDX-License-Identifier: Apache-2.0
// Would this node's kubelet, runtime and kernel take a pod, and which of them speaks first.
#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/pods/manifest.hpp"
#include "kubelet_sysctl/pods/verdicts.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::pods {
namespace {

/// Releases that a node of unknown release may have. The list is in the configuration since 1.16.
constexpr int kOldestMinor = 16;

/// All that any list could ever allow.
const std::vector<std::string>& widest_list() {
  static const std::vector<std::string> list = {"net.*", "fs.mqueue.*", "kernel.shm*",
                                                "kernel.msg*", "kernel.sem"};
  return list;
}

/// What one gate says, or that it is unknown.
struct Said {
  std::optional<bool> admitted = true;
  sysctl::Gate gate = sysctl::Gate::kNone;
  std::string reason = {};
};

std::vector<sysctl::KubeletVersion> releases(const VerdictContext& context) {
  if (context.version) return {*context.version};
  std::vector<sysctl::KubeletVersion> all;
  for (int minor = sysctl::newest_known_kubelet().minor; minor >= kOldestMinor; --minor) {
    all.push_back({.major = 1, .minor = minor, .patch = 0});
  }
  return all;
}

/// The kubelet of one release. The kubelet knows its list and its kernel; where they are not known
/// here, what it says is known only if it is the same in every case. The reason is left out unless `with_reason`.
Said kubelet_says(const sysctl::SysctlUse& use, const sysctl::KubeletVersion& version,
                  const VerdictContext& context, bool with_reason) {
  if (auto fault = sysctl::pod_spelling_fault(use.name, version)) {
    return {false, sysctl::Gate::kSpelling, std::move(*fault)};
  }
  const auto kernel = sysctl::parse_kernel_version(context.kernel.release);
  const std::vector<std::string> none;
  const auto& least = context.pod_list ? *context.pod_list : none;
  const auto& most = context.pod_list ? *context.pod_list : widest_list();
  const auto newest = kernel ? kernel : sysctl::kAnyKernel;
  const sysctl::Gate worst = sysctl::gate_of(use, least, version, kernel);
  const sysctl::Gate best = sysctl::gate_of(use, most, version, newest);
  // An entry that matches may be refused too, for what the pod shares with the node.
  if (worst != sysctl::Gate::kNone && best != sysctl::Gate::kNone) {
    return {false, best,
            with_reason ? sysctl::admission_of(use, most, version, newest).reason : std::string()};
  }
  if (worst != best) {
    if (!with_reason) return {std::nullopt, sysctl::Gate::kNone};
    std::string why =
        fmt::format("whether '{}' is safe depends on the kernel, which is not known", use.name);
    const bool by_kernel = sysctl::gate_of(use, least, version, newest) == sysctl::Gate::kNone;
    if (!context.pod_list && !by_kernel) {
      why = fmt::format("the list is not known: {}", context.list_why);
    }
    return {std::nullopt, sysctl::Gate::kNone, std::move(why)};
  }
  return {};
}

/// The kubelet of the node; of unknown release, what all of them say, in the words of the newest.
Said kubelet_says(const sysctl::SysctlUse& use, const VerdictContext& context) {
  std::optional<Said> first;
  for (const sysctl::KubeletVersion& version : releases(context)) {
    Said said = kubelet_says(use, version, context, !first);
    if (!first) {
      first = std::move(said);
    } else if (said.admitted != first->admitted || said.gate != first->gate) {
      return {std::nullopt, sysctl::Gate::kNone,
              fmt::format("it depends on the kubelet's release, which is not known: {}",
                          context.version_why)};
    }
  }
  return *first;
}

/// What comes behind the kubelet.
Said node_says(const std::string& dotted, sysctl::KernelState kernel, const std::string& release) {
  if (auto words = sysctl::runtime_refusal(dotted))
    return {false, sysctl::Gate::kRuntime, std::move(*words)};
  if (kernel == sysctl::KernelState::kReadOnly || kernel == sysctl::KernelState::kAbsent) {
    return {false, sysctl::Gate::kKernel,
            fmt::format("'{}' is {} for pods in this kernel{}", dotted,
                        kernel == sysctl::KernelState::kAbsent ? "absent" : "read-only",
                        release.empty() ? "" : fmt::format(" ({})", release))};
  }
  return {};
}

bool takes_entry(const std::string& entry, const VerdictContext& context) {
  const auto every = releases(context);
  return std::all_of(every.begin(), every.end(), [&](const sysctl::KubeletVersion& version) {
    return !sysctl::rejection_by(sysctl::rule_set_of(version), entry);
  });
}

/// Why no entry can make this use pass; empty when one can.
std::string why_no_entry(const sysctl::SysctlUse& use, const std::string& dotted,
                         const Said& behind, const VerdictContext& context) {
  const sysctl::SysctlNamespace one =
      sysctl::namespace_of(dotted, sysctl::rule_set_of(releases(context).front()));
  if (one == sysctl::SysctlNamespace::kNet && use.host_network) {
    return "the pod shares the node's network namespace";
  }
  if (one == sysctl::SysctlNamespace::kIpc && use.host_ipc) {
    return "the pod shares the node's IPC namespace";
  }
  if (!takes_entry(dotted, context)) return "a kubelet does not start with such an entry";
  return behind.admitted.value_or(true) ? std::string() : behind.reason;
}

SysctlVerdict verdict_on(const sysctl::SysctlUse& use, const PodSysctl& sysctl,
                         const VerdictContext& context) {
  SysctlVerdict verdict;
  verdict.sysctl = sysctl;
  const auto every = releases(context);
  const std::string dotted = sysctl::compared_name(use.name, sysctl::newest_known_kubelet());
  const auto kernel = sysctl::parse_kernel_version(context.kernel.release);
  verdict.safe =
      std::all_of(every.begin(), every.end(), [&](const sysctl::KubeletVersion& version) {
        return sysctl::safe_sysctl(dotted, version, kernel ? kernel : sysctl::kAnyKernel) !=
               nullptr;
      });
  if (const sysctl::KernelAnswer* answer = sysctl::answer_for(context.kernel, use.name)) {
    verdict.kernel = answer->state;
  }
  const Said kubelet = kubelet_says(use, context);
  const Said behind = node_says(dotted, verdict.kernel, context.kernel.release);
  // What the kubelet refuses never gets further; what it may refuse may.
  const bool stops_behind = kubelet.admitted.value_or(true) && !*behind.admitted;
  const Said& said = stops_behind ? behind : kubelet;
  verdict.admitted = said.admitted;
  verdict.gate = said.gate;
  verdict.reason = said.reason;
  if (said.admitted.value_or(false)) return verdict;
  if (said.gate == sysctl::Gate::kSpelling) {
    verdict.no_help = "no pod can be created with a sysctl that is spelt so";
    return verdict;
  }
  verdict.no_help = why_no_entry(use, dotted, behind, context);
  if (verdict.no_help.empty()) verdict.entry = dotted;
  return verdict;
}

/// The way of a pod: it is spelt, admitted by the kubelet, taken by the runtime and then by the
/// kernel.
int stage_of(sysctl::Gate gate) {
  switch (gate) {
    case sysctl::Gate::kSpelling:
      return 0;
    case sysctl::Gate::kRuntime:
      return 2;
    case sysctl::Gate::kKernel:
      return 3;
    default:
      return 1;
  }
}

/// The verdict of a pod is its first refusal; without one, what is unknown.
void conclude(PodVerdict& pod) {
  const SysctlVerdict* decides = nullptr;
  for (const SysctlVerdict& one : pod.sysctls) {
    if (one.admitted.value_or(false)) continue;
    const bool refused = one.admitted.has_value();
    const bool sooner = decides == nullptr || (refused && !decides->admitted) ||
                        (refused && stage_of(one.gate) < stage_of(decides->gate));
    if (sooner) decides = &one;
  }
  pod.admitted = true;
  if (decides == nullptr) return;
  pod.admitted = decides->admitted;
  pod.gate = decides->gate;
  pod.reason = decides->reason;
  std::set<std::string> seen;
  for (const SysctlVerdict& one : pod.sysctls) {
    if (one.admitted.value_or(false)) continue;
    if (one.entry.empty()) {
      pod.add.clear();
      return;
    }
    if (seen.insert(one.entry).second) pod.add.push_back(one.entry);
  }
}

}  // namespace

PodVerdict verdict_on_pod(const PodSpec& pod, const VerdictContext& context) {
  PodVerdict verdict;
  verdict.pod = pod;
  std::set<std::string> seen;
  for (const PodSysctl& sysctl : pod.sysctls) {
    const sysctl::SysctlUse use = {
        .name = sysctl.name, .host_network = pod.host_network, .host_ipc = pod.host_ipc};
    SysctlVerdict one = verdict_on(use, sysctl, context);
    // Source: pkg/apis/core/validation/validation.go validateSysctls; field.Duplicate.
    if (!seen.insert(sysctl.name).second) {
      one.admitted = false;
      one.gate = sysctl::Gate::kSpelling;
      one.reason = fmt::format("Duplicate value: \"{}\"", sysctl.name);
      one.entry.clear();
      one.no_help = "a pod names each sysctl once";
    }
    verdict.sysctls.push_back(std::move(one));
  }
  conclude(verdict);
  judge_defaults(verdict, context);
  return verdict;
}

}  // namespace kubelet_sysctl::pods
