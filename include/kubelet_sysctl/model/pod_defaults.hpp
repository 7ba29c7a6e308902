// SPDX-License-Identifier: Apache-2.0
// What the files of a kubelet say together about `defaultPodSysctls`, each with its place.
#pragma once

#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/pod_defaults.hpp"

namespace kubelet_sysctl::model {

struct NodeModel;

/// One sysctl that every pod gets without an entry.
struct PodDefault {
  std::string name;  ///< as it is written
  std::string value;
  Origin at;
};

struct PodDefaults {
  std::vector<PodDefault> sysctls;  ///< by name; none where no file sets the field
  sysctl::DefaultsState state = sysctl::DefaultsState::kUnknown;
};

/// Of a model whose flags and configuration files were read. A drop-in adds to the map and replaces single
/// values of it; a null takes one away, or all. Source: server.go mergeKubeletConfigurations(), RFC 7396.
PodDefaults pod_defaults_of(const nodes::NodeSnapshot& snapshot, const NodeModel& model);

/// Every name with which a kubelet does not start, if it has the field in force: kRefused where this one has,
/// kUnsupported where that cannot be determined. None where the kubelet ignores the field or its gate is off.
std::vector<Error> pod_default_faults(const PodDefaults& defaults);

/// Names of the list and of the defaults, which the kernel is to be asked about.
std::vector<std::string> kernel_questions(const NodeModel& model);

}  // namespace kubelet_sysctl::model
