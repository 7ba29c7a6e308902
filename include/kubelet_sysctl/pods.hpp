// SPDX-License-Identifier: Apache-2.0
// The pods of the node, seen without the API server, and which of them a new list would refuse.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/checks.hpp"
#include "kubelet_sysctl/kubelet_rules.hpp"
#include "kubelet_sysctl/manifest.hpp"
#include "kubelet_sysctl/model.hpp"
#include "kubelet_sysctl/plan.hpp"
#include "kubelet_sysctl/ports.hpp"

namespace kubelet_sysctl {

/// The pod whose sandbox was started with this runtime configuration: its name, its namespace, the sysctls
/// of the sandbox and which namespaces of the node it shares. Nothing when it is no sandbox but a container
/// in one, or nothing of Kubernetes. The sysctls are those that the runtime set: with the pod's own also
/// the runtime's defaults (default_sysctls of CRI-O). Errors: kMalformed.
/// Source: opencontainers/runtime-spec config-linux.md; containerd pkg/cri/annotations/annotations.go;
/// cri-o pkg/annotations, server/sandbox_run_linux.go.
Result<std::optional<PodSpec>> parse_sandbox(const SourceFile& config);

/// The same from what `crictl inspectp -o json` prints of one sandbox: `info.runtimeSpec` is such a
/// configuration. Errors: kMalformed, also where the runtime does not show it.
Result<std::optional<PodSpec>> parse_inspected_sandbox(const SourceFile& answer);

/// The pods of the kubelet's own list (GET /pods) without those that have ended. A pending one counts: the
/// kubelet refuses it as well, and shows static pods as pending while it cannot reach the API server.
/// Errors: kMalformed. Source: pkg/kubelet/server/server.go getPods(); kubelet.go HandlePodAdditions().
Result<std::vector<PodSpec>> parse_pod_list(const SourceFile& answer);

/// Where the kubelet in force shows its pods.
struct PodPlaces {
  std::string
      static_pods;         ///< directory or file of static pods, absolute; empty when there is none
  int read_only_port = 0;  ///< 0: off
  std::string read_only_address;  ///< numeric
  std::string node_name;          ///< what a static pod's name ends with; empty when unknown
};

/// From the flags of the process, where it is seen, else of the unit, and from the configuration.
/// Without --config the read-only port is open by default, with it closed.
/// Source: cmd/kubelet/app/options/options.go applyLegacyDefaults(); apis/config/v1beta1/defaults.go.
PodPlaces pod_places_of(const NodeSnapshot& snapshot, const NodeModel& model);

/// One pod, and who showed it.
struct SeenPod {
  PodSpec spec;
  std::string
      where;  ///< the file of a static pod; "containerd", "CRI-O", "the kubelet's own list", …
};

/// What was seen of the node's pods.
struct PodsSeen {
  std::vector<SeenPod> pods;            ///< that set sysctls; by namespace and name, each once
  bool whole = false;                   ///< somebody answered who knows every pod of the node
  std::vector<std::string> not_looked;  ///< why the others did not answer: "containerd has no …"
  std::size_t unreadable = 0;           ///< pods whose sysctls nobody could tell
  std::string unreadable_why;           ///< of the first of them
};

/// Asks, in this order: the static pods' files; the state directories of containerd and CRI-O; the
/// kubelet's read-only port; and, when none of the runtimes and not the kubelet answered, crictl. With
/// `live` false only the first: nothing runs in a tree of files. Never an error: see `not_looked`.
PodsSeen look_for_pods(Ports& ports, const PodPlaces& places, bool live);

/// True when `after` does not cover everything that `before` allows.
bool narrows(const std::vector<std::string>& before, const std::vector<std::string>& after);

/// A pod that the kubelet admitted with one list and refuses with another.
struct Victim {
  SeenPod pod;
  std::vector<std::string> sysctls;  ///< those it is refused for, as the pod spells them
  std::string reason;                ///< the kubelet's words for the first of them
};

/// Whom a kubelet of `version` admits with `before` and refuses with `after`. Without a version: whom the
/// newest or the oldest known rules do.
std::vector<Victim> victims_of(const std::vector<SeenPod>& pods,
                               const std::vector<std::string>& before,
                               const std::vector<std::string>& after,
                               const std::optional<KubeletVersion>& version,
                               const std::optional<KernelVersion>& kernel);

/// What is to happen to victims.
struct VictimOptions {
  bool evict = false;   ///< --evict-pods: go on
  bool restart = true;  ///< false: --no-restart
  bool starts = false;  ///< --before-start: the kubelet starts as soon as this run ends
};

/// What is said of them: one finding for each, at most 20, then one with the number of the rest; and one
/// where nobody could look. Errors: kRefused, with a line for each in `detail`, when this run's restart
/// would refuse them and nobody said that it may.
Result<std::vector<Finding>> victim_findings(const std::vector<Victim>& victims,
                                             const PodsSeen& seen, const Plan& plan, bool live,
                                             const VictimOptions& options);

/// Before a plan is carried out: when it narrows the list, looks for running pods that the kubelet would
/// refuse at its restart, and adds what is to be said of them to the plan. Nothing is read when it does not
/// narrow. Errors: kRefused, see victim_findings(). An `add` is not refused: it only narrows where the
/// process has more than the files, which was somebody else's wish.
Status check_victims(Ports& ports, const NodeSnapshot& snapshot, const NodeModel& model,
                     const VictimOptions& options, Plan& plan);

}  // namespace kubelet_sysctl
