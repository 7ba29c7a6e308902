// SPDX-License-Identifier: Apache-2.0
// The pods in manifests: multi-document YAML or JSON, and the templates of controllers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"

namespace kubelet_sysctl::pods {

/// One sysctl of a pod with its value.
struct PodSysctl {
  std::string name;
  std::string value;
  std::size_t line = 0;  ///< from 1; 0 when unknown
};

/// What a pod spec says about sysctls.
struct PodSpec {
  std::string file;           ///< where it was read; empty for a pod that runs
  std::string kind;           ///< "Pod", "Deployment", …: the object that holds the spec
  std::string name;           ///< metadata.name; "(no name)" where there is none
  std::string pod_namespace;  ///< "default" where there is none
  std::size_t line = 0;
  bool host_network = false;
  bool host_ipc = false;
  bool host_users = true;
  std::vector<PodSysctl> sysctls;
};

/// Every pod spec in `text`: Pod, PodTemplate, Deployment, DaemonSet, StatefulSet, ReplicaSet,
/// ReplicationController, Job, CronJob, and List of these; also the kubelet's /pods (PodList). Other kinds are
/// passed over and named in `skipped`. Errors: kMalformed with the place.
Result<std::vector<PodSpec>> parse_manifests(const SourceFile& file,
                                             std::vector<std::string>& skipped);

}  // namespace kubelet_sysctl::pods
