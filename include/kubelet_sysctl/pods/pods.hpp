// SPDX-License-Identifier: Apache-2.0
// The pods of the node, seen without the API server, and which of them a new list would refuse.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/pods/manifest.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::pods {

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
PodPlaces pod_places_of(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model);

/// One pod, and who showed it.
struct SeenPod {
  PodSpec spec;
  std::string
      where;  ///< the file of a static pod; "containerd", "CRI-O", "the kubelet's own list", …
};

/// What was seen of the node's pods.
struct PodsSeen {
  std::vector<SeenPod> pods;               ///< that set sysctls; by namespace and name, each once
  bool whole = false;                      ///< a user answered who knows every pod of the node
  std::vector<std::string> not_inspected;  ///< why the others did not answer: "containerd has no …"
  std::size_t unreadable = 0;              ///< pods whose sysctls nobody could tell
  std::string unreadable_why;              ///< of the first of them
};

/// Asks, in this order: the static pods' files; the state directories of containerd and CRI-O; the
/// kubelet's read-only port; and, when none of the runtimes and not the kubelet answered, crictl. With
/// `live` false only the first: nothing runs in a tree of files. Never an error: see `not_inspected`.
PodsSeen find_pods(ports::Ports& ports, const PodPlaces& places, bool live);

}  // namespace kubelet_sysctl::pods
