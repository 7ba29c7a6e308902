// SPDX-License-Identifier: Apache-2.0
// Pods on the node that a narrower list would refuse.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/entry_list.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/pods/pods.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::pods {

/// True when `after` does not cover everything that `before` allows.
bool narrows(const EntryList& before, const EntryList& after);

/// A pod that the kubelet admitted with one list and refuses with another.
struct RejectedPod {
  SeenPod pod;
  std::vector<std::string> sysctls;  ///< those it is refused for, as the pod spells them
  std::string reason;                ///< the kubelet's words for the first of them
};

/// Whom a kubelet of `version` admits with `before` and refuses with `after`. Without a version: whom the
/// newest or the oldest known rules do.
std::vector<RejectedPod> rejected_pods(const std::vector<SeenPod>& pods, const EntryList& before,
                                       const EntryList& after,
                                       const std::optional<sysctl::KubeletVersion>& version,
                                       const std::optional<sysctl::KernelVersion>& kernel);

/// What is to happen to rejected.
struct RejectedPodOptions {
  bool evict = false;   ///< --evict-pods: go on
  bool restart = true;  ///< false: --no-restart
  bool starts = false;  ///< --before-start: the kubelet starts as soon as this run ends
};

/// The findings about them: one for each, at most 20, then one with the number of the rest; and one
/// where nobody could look. Errors: kRefused, with a line for each in `detail`, when this run's restart
/// would refuse them and nobody said that it may.
Result<std::vector<Finding>> rejected_pod_findings(const std::vector<RejectedPod>& rejected,
                                                   const PodsSeen& seen, const planning::Plan& plan,
                                                   bool live, const RejectedPodOptions& options);

/// Before a plan is carried out: when it narrows the list, searches for running pods that the kubelet would
/// refuse at its restart, and adds what is to be said of them to the plan. Nothing is read when it does not
/// narrow. Errors: kRefused, see rejected_pod_findings(). An `add` is not refused: it only narrows where the
/// process has more than the files, which another process asked for.
Status check_rejected_pods(ports::Ports& ports, const nodes::NodeSnapshot& snapshot,
                           const model::NodeModel& model, const RejectedPodOptions& options,
                           planning::Plan& plan);

}  // namespace kubelet_sysctl::pods
