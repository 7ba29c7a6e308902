// SPDX-License-Identifier: Apache-2.0
// What a kubelet says to a pod's sysctl: safe names and the list as one union, exact names first.
// Source: pkg/kubelet/sysctl/whitelist.go (up to 1.21), allowlist.go (from 1.22).
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "kubelet_sysctl/base/go_text.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::sysctl {
namespace {

constexpr KubeletVersion kAllowlist = {.major = 1, .minor = 22, .patch = 0};   // PR 102298
constexpr KubeletVersion kConverts = {.major = 1, .minor = 23, .patch = 0};    // PR 102393
constexpr KubeletVersion kPodSlashes = {.major = 1, .minor = 25, .patch = 0};  // PR 106834
constexpr KubeletVersion kCapitals = {.major = 1, .minor = 29, .patch = 0};    // PR 118705

/// Which namespace the entry belongs to that decides over `name`, if one matches. As in the
/// kubelet's two maps a whole name comes before every prefix; which of several prefixes it is does
/// not matter, for the namespace is the same.
std::optional<SysctlNamespace> match(const std::string& name, const std::vector<std::string>& list,
                                     const KubeletVersion& version,
                                     const std::optional<KernelVersion>& kernel) {
  const RuleSet rules = rule_set_of(version);
  if (const SafeSysctl* safe = safe_sysctl(name, version, kernel)) {
    return namespace_of(safe->name, rules);
  }
  std::optional<SysctlNamespace> by_prefix;
  for (const std::string& entry : list) {
    const SysctlNamespace one = namespace_of(entry, rules);
    if (one == SysctlNamespace::kNone) continue;  // a kubelet does not start with it
    std::string text = compared_name(entry, version);
    if (text == name) return one;
    if (!text.ends_with('*')) continue;
    text.pop_back();
    if (!by_prefix && name.starts_with(text)) by_prefix = one;
  }
  return by_prefix;
}

std::string forbidden(std::string_view name, std::string_view why) {
  return fmt::format("forbidden sysctl: {} {}", go_quoted(name), why);
}

}  // namespace

const char* name_of(Gate gate) {
  switch (gate) {
    case Gate::kNone:
      return "none";
    case Gate::kSpelling:
      return "spelling";
    case Gate::kList:
      return "list";
    case Gate::kHostNetwork:
      return "host-network";
    case Gate::kHostIpc:
      return "host-ipc";
    case Gate::kRuntime:
      return "runtime";
    case Gate::kKernel:
      return "kernel";
  }
  return "none";
}

std::string compared_name(std::string_view name, const KubeletVersion& version) {
  if (version < kConverts) return std::string(name);
  std::string dotted(name);
  const std::size_t first = dotted.find_first_of("./");
  if (first == std::string::npos || dotted[first] == '.') return dotted;
  for (char& byte : dotted) {
    if (byte == '/') {
      byte = '.';
    } else if (byte == '.') {
      byte = '/';
    }
  }
  return dotted;
}

Gate gate_of(const SysctlUse& use, const std::vector<std::string>& list,
             const KubeletVersion& version, const std::optional<KernelVersion>& kernel) {
  const auto matched = match(compared_name(use.name, version), list, version, kernel);
  if (!matched) return Gate::kList;
  if (*matched == SysctlNamespace::kNet && use.host_network) return Gate::kHostNetwork;
  if (*matched == SysctlNamespace::kIpc && use.host_ipc) return Gate::kHostIpc;
  return Gate::kNone;
}

Admission admission_of(const SysctlUse& use, const std::vector<std::string>& list,
                       const KubeletVersion& version, const std::optional<KernelVersion>& kernel) {
  const Gate gate = gate_of(use, list, version, kernel);
  const std::string name = compared_name(use.name, version);
  const bool capitals = version >= kCapitals;
  switch (gate) {
    case Gate::kList:
      return {gate, forbidden(name, version < kAllowlist ? "not whitelisted" : "not allowlisted")};
    case Gate::kHostNetwork:
      return {gate, forbidden(name, capitals ? "not allowed with host Net enabled"
                                             : "not allowed with host net enabled")};
    case Gate::kHostIpc:
      return {gate, forbidden(name, capitals ? "not allowed with host IPC enabled"
                                             : "not allowed with host ipc enabled")};
    default:
      return {};
  }
}

std::optional<std::string> pod_spelling_fault(std::string_view name,
                                              const KubeletVersion& version) {
  const bool slashes = version >= kPodSlashes;
  // A name is an entry without a star; the two patterns differ in nothing else.
  const bool star = name.find('*') != std::string_view::npos;
  const bool spelt =
      SysctlPattern::parse(name) && !star && (slashes || name.find('/') == std::string_view::npos);
  if (spelt) return std::nullopt;
  return fmt::format(
      "must have at most 253 characters and match regex "
      "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?{})*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$",
      slashes ? "[\\./]" : "\\.");
}

std::optional<std::string> runtime_refusal(std::string_view dotted) {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall",
       "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"});
  const bool known = dotted.starts_with("net.") || dotted.starts_with("fs.mqueue.") ||
                     std::find(kNames.begin(), kNames.end(), dotted) != kNames.end();
  if (known && dotted.find('/') == std::string_view::npos) return std::nullopt;
  // Every dot becomes a slash on the way to /proc/sys, so an interface name with a dot in it is
  // another path. Source: runc internal/sys/sysctl_linux.go.
  if (known) return fmt::format("open sysctl {} file: it takes every dot for a slash", dotted);
  return fmt::format("sysctl \"{}\" is not in a separate kernel namespace", dotted);
}

}  // namespace kubelet_sysctl::sysctl
