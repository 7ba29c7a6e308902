// SPDX-License-Identifier: Apache-2.0
// Which running pods a new list refuses, and the findings about them.
#include "kubelet_sysctl/pods/rejected_pods.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/pods/manifest.hpp"
#include "kubelet_sysctl/pods/pods.hpp"
#include "kubelet_sysctl/sysctl/pattern_set.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::pods {
namespace {

/// How many are named; a person reads no more.
constexpr std::size_t kMostNamed = 20;
/// The first release whose safe list the tables have; between it and the newest lie all rules.
constexpr sysctl::KubeletVersion kOldest = {.major = 1, .minor = 4, .patch = 0};
constexpr const char* kAskTheCluster =
    "the API server knows: 'kubectl get pods -A -o yaml --field-selector spec.nodeName=NODE'";

std::string title_of(const SeenPod& pod) {
  return fmt::format("{}/{}", pod.spec.pod_namespace, pod.spec.name);
}

std::string pods_text(std::size_t count) {
  return count == 1 ? std::string("1 pod") : fmt::format("{} pods", count);
}

/// The kubelet's words when one of the rules admits with `before` and refuses with `after`.
std::optional<std::string> refusal(const sysctl::SysctlUse& use,
                                   const std::vector<std::string>& before,
                                   const std::vector<std::string>& after,
                                   const std::vector<sysctl::KubeletVersion>& rules,
                                   const std::optional<sysctl::KernelVersion>& kernel) {
  for (const sysctl::KubeletVersion& version : rules) {
    if (sysctl::gate_of(use, before, version, kernel) != sysctl::Gate::kNone) continue;
    auto admission = sysctl::admission_of(use, after, version, kernel);
    if (admission.gate != sysctl::Gate::kNone) return std::move(admission.reason);
  }
  return std::nullopt;
}

Error refused(const std::vector<RejectedPod>& rejected) {
  Error error{
      .kind = ErrorKind::kRefused,
      .message = fmt::format("the kubelet would refuse {} of this node when it restarts "
                             "with the new list, and end {}",
                             pods_text(rejected.size()), rejected.size() == 1 ? "it" : "them")};
  error.hint = fmt::format(
      "remove the sysctls from {0} or move {0} to another node first; or have {0} ended with "
      "'--evict-pods'",
      rejected.size() == 1 ? "it" : "them");
  for (std::size_t i = 0; i < std::min(rejected.size(), kMostNamed); ++i) {
    error.detail += fmt::format("{} sets {} (seen in {})\n", title_of(rejected[i].pod),
                                joined(rejected[i].sysctls, ", "), rejected[i].pod.where);
  }
  if (rejected.size() > kMostNamed) {
    error.detail += fmt::format("and {} more\n", rejected.size() - kMostNamed);
  }
  return error;
}

void add_rejected_pods(const std::vector<RejectedPod>& rejected, bool restarts,
                       std::vector<Finding>& found) {
  const char* when = restarts ? "the kubelet refuses the pod '{}' at this restart: {}"
                              : "the kubelet refuses the pod '{}' when it starts next: {}";
  for (std::size_t i = 0; i < std::min(rejected.size(), kMostNamed); ++i) {
    const RejectedPod& pod = rejected[i];
    const bool is_path = pod.pod.where.starts_with('/');
    found.push_back({.id = "pod-refused",
                     .severity = Severity::kWarning,
                     .message = fmt::format(fmt::runtime(when), title_of(pod.pod), pod.reason),
                     .path = is_path ? pod.pod.where : std::string(),
                     .line = pod.pod.spec.line,
                     .hint = {}});
  }
  if (rejected.size() <= kMostNamed) return;
  found.push_back({.id = "pod-refused",
                   .severity = Severity::kWarning,
                   .message = fmt::format("and {} like {}", pods_text(rejected.size() - kMostNamed),
                                          rejected.size() - kMostNamed == 1 ? "that" : "those"),
                   .path = {},
                   .hint = {}});
}

/// What nobody could see is said, so that no word is not taken for no pod.
void add_unseen(const PodsSeen& seen, std::vector<Finding>& found) {
  if (!seen.whole) {
    found.push_back({.id = "pods-not-seen",
                     .severity = Severity::kWarning,
                     .message = fmt::format("could not search for running pods that the new list "
                                            "refuses: {}",
                                            joined(seen.not_inspected, "; ")),
                     .path = {},
                     .hint = kAskTheCluster});
  }
  if (seen.unreadable > 0) {
    found.push_back({.id = "pods-not-seen",
                     .severity = Severity::kWarning,
                     .message = fmt::format("could not see what {} of this node set{}: {}",
                                            pods_text(seen.unreadable),
                                            seen.unreadable == 1 ? "s" : "", seen.unreadable_why),
                     .path = {},
                     .hint = kAskTheCluster});
  }
}

}  // namespace

bool narrows(const EntryList& before, const EntryList& after) {
  // What only adds, takes nothing away; that is most changes, and lists may be long.
  const bool only_adds =
      before.size() <= after.size() && std::equal(before.begin(), before.end(), after.begin());
  if (only_adds) return false;
  const sysctl::EntrySet allowed(after);
  return std::any_of(before.begin(), before.end(),
                     [&](std::string_view entry) { return !allowed.covering(entry); });
}

std::vector<RejectedPod> rejected_pods(const std::vector<SeenPod>& pods,
                                       const EntryList& before_change,
                                       const EntryList& after_change,
                                       const std::optional<sysctl::KubeletVersion>& version,
                                       const std::optional<sysctl::KernelVersion>& kernel) {
  std::vector<sysctl::KubeletVersion> rules = {sysctl::newest_known_kubelet(), kOldest};
  if (version) rules = {*version};
  std::vector<RejectedPod> rejected;
  if (pods.empty()) return rejected;
  const std::vector<std::string> before = before_change;
  const std::vector<std::string> after = after_change;
  for (const SeenPod& pod : pods) {
    RejectedPod one{.pod = pod, .sysctls = {}, .reason = {}};
    for (const PodSysctl& sysctl : pod.spec.sysctls) {
      const sysctl::SysctlUse use = {.name = sysctl.name,
                                     .host_network = pod.spec.host_network,
                                     .host_ipc = pod.spec.host_ipc};
      auto reason = refusal(use, before, after, rules, kernel);
      if (!reason) continue;
      if (one.sysctls.empty()) one.reason = std::move(*reason);
      one.sysctls.push_back(sysctl.name);
    }
    if (!one.sysctls.empty()) rejected.push_back(std::move(one));
  }
  return rejected;
}

Result<std::vector<Finding>> rejected_pod_findings(const std::vector<RejectedPod>& rejected,
                                                   const PodsSeen& seen, const planning::Plan& plan,
                                                   bool live, const RejectedPodOptions& options) {
  const bool by_us = options.restart && plan.restart && !plan.pending;
  const bool restarts = live && (by_us || options.starts);
  // A kubelet that is stopped ends them too, at its next start.
  const bool later = live && options.restart && plan.pending;
  const bool stops = (restarts || later) && !options.evict && plan.verb != planning::Verb::kAdd;
  if (!rejected.empty() && stops) return refused(rejected);
  std::vector<Finding> found;
  add_rejected_pods(rejected, restarts, found);
  if (live) add_unseen(seen, found);
  return found;
}

}  // namespace kubelet_sysctl::pods
