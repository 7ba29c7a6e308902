// SPDX-License-Identifier: Apache-2.0
// The rules by which names below /proc/sys become answers about a pod.
//
// Interfaces. A fresh network namespace has lo alone; a pod has lo and one more, eth0 (containerd's
// defaultIfName, and the same in CRI-O), which is there before the sysctls are written. The kernel
// gives every interface the same files: devinet_sysctl_register(), addrconf_sysctl_register() and
// neigh_sysctl_register() fill one table for each. So names of eth0 are judged like those of lo.
// What other interfaces a pod has is its network plugin's business, and the node's say nothing about
// it: an entry for one is unknown where lo has such a name, and absent where it has not, and no
// pattern lists the names of the node's interfaces.
//
// What cannot be seen. A name that is writable here and yet one for the whole node: before Linux
// 5.12 net.ipv4.tcp_allowed_congestion_control (97684f0970f6) and before 5.13
// net.netfilter.nf_conntrack_max (671c54ea8c7f) were of this kind, in releases without the
// back-ports; since 5.13 the kernel takes the write bits from such tables
// (ensure_safe_net_sysctl(), net/sysctl_net.c).
#include "kernel_view.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"

namespace kubelet_sysctl::machine {
namespace {

constexpr std::array<std::string_view, 5> kInterfaceDirectories = {
    "net.ipv4.conf", "net.ipv4.neigh", "net.ipv6.conf", "net.ipv6.neigh", "net.mpls.conf"};
constexpr std::string_view kPodInterface = "eth0";

// All that runc and crun let a pod set below kernel. (libcontainer configs/validate/validator.go,
// src/libcrun/linux.c); what else the kernel has there, as shm_next_id, they refuse.
constexpr std::array<std::string_view, 8> kIpcNames = {
    "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
    "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"};
constexpr const char* kRefusedByRuntimes = "no container runtime lets a pod set it";

// From so many patterns on, one walk of everything costs less than a walk for each.
constexpr std::size_t kManyStems = 32;

bool is_ipc_name(std::string_view name) {
  return std::find(kIpcNames.begin(), kIpcNames.end(), name) != kIpcNames.end();
}

bool is_kept_from_pods(std::string_view name) {
  return name.starts_with("kernel.") && !is_ipc_name(name);
}

/// "net.ipv4.conf", "eth0" and ".rp_filter"; the last begins with a dot or is empty.
struct InterfaceName {
  std::string_view directory;
  std::string_view interface;
  std::string_view rest;
};

std::optional<InterfaceName> interface_in(std::string_view name) {
  for (const std::string_view directory : kInterfaceDirectories) {
    if (!name.starts_with(directory) || name.size() == directory.size()) continue;
    if (name[directory.size()] != '.') continue;
    const std::string_view below = name.substr(directory.size() + 1);
    const std::size_t end = std::min(below.find('.'), below.size());
    return InterfaceName{directory, below.substr(0, end), below.substr(end)};
  }
  return std::nullopt;
}

std::string with_interface(const InterfaceName& name, std::string_view interface) {
  return fmt::format("{}.{}{}", name.directory, interface, name.rest);
}

/// The entry with its separators brought to dots, if a kubelet takes it; else why none does.
struct AskedEntry {
  std::string dotted;
  std::string why;
  [[nodiscard]] bool is_prefix() const { return dotted.ends_with('*'); }
  [[nodiscard]] std::string stem() const { return dotted.substr(0, dotted.size() - 1); }
};

AskedEntry asked_entry(const std::string& entry) {
  auto pattern = sysctl::SysctlPattern::parse(entry);
  if (!pattern) return {.dotted = {}, .why = "it is not spelt like an entry"};
  // The widest table of all releases.
  if (sysctl::rejection_by(sysctl::RuleSet::kUpTo128, entry)) {
    return {.dotted = {}, .why = "no kubelet accepts such an entry"};
  }
  return {.dotted = pattern->dotted(), .why = {}};
}

/// The module that has to be loaded before it is known whether `text` (a name or a stem) covers
/// anything; nullptr when there is none.
const sysctl::KernelModule* missing_module(const KernelView& view, const std::string& text,
                                           bool is_stem) {
  for (const sysctl::KernelModule& module : sysctl::kKernelModules) {
    if (sysctl::may_be_of(module, text, is_stem) && !view.node.contains(std::string(module.marker)))
      return &module;
  }
  return nullptr;
}

std::string why_without(const sysctl::KernelModule& module) {
  return fmt::format("it comes with the kernel module '{}', which is not loaded on this node",
                     module.module);
}

std::string why_of_other(std::string_view interface) {
  return fmt::format(
      "a pod has the interfaces 'lo' and '{}'; whether one has '{}' too, its network plugin "
      "decides",
      kPodInterface, interface);
}

void set_unknown(sysctl::KernelAnswer& answer, std::string why) {
  answer.state = sysctl::KernelState::kUnknown;
  answer.why = std::move(why);
}

void judge_name(const KernelView& view, const std::string& name, sysctl::KernelAnswer& answer) {
  const auto seen = view.pod.find(name);
  if (seen != view.pod.end()) {
    answer.state = seen->second;
    if (is_kept_from_pods(name)) return set_unknown(answer, kRefusedByRuntimes);
    if (answer.state == sysctl::KernelState::kUnknown) answer.why = view.faults.at(name);
    return;
  }
  answer.state = sysctl::KernelState::kAbsent;
  const auto parts = interface_in(name);
  if (parts && view.pod.contains(with_interface(*parts, "lo"))) {
    if (!is_in_every_namespace(parts->interface))
      set_unknown(answer, why_of_other(parts->interface));
  } else if (const sysctl::KernelModule* module = missing_module(view, name, false)) {
    set_unknown(answer, why_without(*module));
  } else {
    answer.nowhere = !view.node.contains(name);
  }
}

bool covers_any(const std::map<std::string, sysctl::KernelState>& names, const std::string& stem) {
  const auto found = names.lower_bound(stem);
  return found != names.end() && found->first.starts_with(stem);
}

/// Why a pattern that covers nothing may yet cover something in a pod; empty when it cannot.
std::string why_covers_nothing(const KernelView& view, const std::string& stem) {
  if (covers_any(view.pod, stem)) return kRefusedByRuntimes;
  if (const auto parts = interface_in(stem)) {
    const bool whole = !parts->rest.empty();
    if (!whole || covers_any(view.pod, with_interface(*parts, "lo"))) {
      return why_of_other(fmt::format("{}{}", parts->interface, whole ? "" : "*"));
    }
  }
  const sysctl::KernelModule* module = missing_module(view, stem, true);
  return module == nullptr ? std::string() : why_without(*module);
}

void judge_stem(const KernelView& view, const std::string& stem, sysctl::KernelAnswer& answer) {
  std::map<std::string, sysctl::KernelState> covered;
  for (auto at = view.pod.lower_bound(stem); at != view.pod.end() && at->first.starts_with(stem);
       ++at) {
    if (!is_kept_from_pods(at->first)) covered.insert(*at);
  }
  for (auto at = view.node.lower_bound(stem); at != view.node.end() && at->starts_with(stem);
       ++at) {
    if (!is_kept_from_pods(*at)) covered.emplace(*at, sysctl::KernelState::kAbsent);
  }
  for (const auto& [name, state] : covered) {
    answer.names.push_back({.name = name, .state = state});
    if (state == sysctl::KernelState::kUnknown) answer.why = view.faults.at(name);
  }
  answer.state = sysctl::state_of(answer.names);
  if (!answer.names.empty()) return;
  std::string why = why_covers_nothing(view, stem);
  answer.nowhere = why.empty();
  if (!why.empty()) set_unknown(answer, std::move(why));
}

/// The pod's own interface, a likeness of lo.
void add_pod_interface(KernelView& view) {
  std::map<std::string, sysctl::KernelState> added;
  for (const auto& [name, state] : view.pod) {
    const auto parts = interface_in(name);
    if (!parts || parts->interface != "lo") continue;
    const std::string other = with_interface(*parts, kPodInterface);
    added.emplace(other, state);
    if (state == sysctl::KernelState::kUnknown) view.faults.emplace(other, view.faults.at(name));
  }
  view.pod.merge(added);
}

}  // namespace

std::string swap_separators(std::string_view text) {
  std::string swapped(text);
  for (char& byte : swapped) {
    if (byte == '/') {
      byte = '.';
    } else if (byte == '.') {
      byte = '/';
    }
  }
  return swapped;
}

bool holds_interfaces(std::string_view dotted_directory) {
  return std::find(kInterfaceDirectories.begin(), kInterfaceDirectories.end(), dotted_directory) !=
         kInterfaceDirectories.end();
}

bool is_in_every_namespace(std::string_view directory_name) {
  return directory_name == "all" || directory_name == "default" || directory_name == "lo";
}

KernelQuestion question_for(const std::vector<std::string>& entries) {
  KernelQuestion question;
  for (const std::string& entry : entries) {
    const AskedEntry asked = asked_entry(entry);
    if (asked.dotted.empty()) continue;
    const std::string text = asked.is_prefix() ? asked.stem() : asked.dotted;
    const auto parts = interface_in(text);
    if (!asked.is_prefix()) {
      question.names.insert(text);
      if (parts) question.names.insert(with_interface(*parts, "lo"));
    } else {
      // All of the directory, for eth0 has to be made of lo.
      question.stems.insert(parts ? fmt::format("{}.", parts->directory) : text);
    }
  }
  if (question.stems.size() > kManyStems) {
    std::erase_if(question.stems, [](const std::string& stem) { return stem.starts_with("net."); });
    question.stems.insert("net.");
  }
  for (const sysctl::KernelModule& module : sysctl::kKernelModules)
    question.markers.emplace(module.marker);
  return question;
}

std::vector<sysctl::KernelAnswer> answers_from(KernelView view,
                                               const std::vector<std::string>& entries) {
  add_pod_interface(view);
  std::vector<sysctl::KernelAnswer> answers;
  answers.reserve(entries.size());
  for (const std::string& entry : entries) {
    sysctl::KernelAnswer answer{.entry = entry};
    const AskedEntry asked = asked_entry(entry);
    if (asked.dotted.empty()) {
      answer.why = asked.why;
    } else if (asked.is_prefix()) {
      judge_stem(view, asked.stem(), answer);
    } else {
      judge_name(view, asked.dotted, answer);
    }
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace kubelet_sysctl::machine
