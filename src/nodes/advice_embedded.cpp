// SPDX-License-Identifier: Apache-2.0
// The persistent way where another program runs the kubelet: MicroK8s, Canonical Kubernetes, k0s.
#include <fmt/format.h>

#include "kubelet_sysctl/base/advice.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/nodes/advice.hpp"

namespace kubelet_sysctl::nodes {
namespace {

/// The flag as an entry of a map of arguments; `list` as one value in double quotes.
std::string argument(std::string_view key, const EntryList& list) {
  // An array of one string in JSON, without its brackets: a string that YAML reads too.
  const std::string value = json_list(std::vector<std::string>{joined(list)});
  return fmt::format("{}:\n  --allowed-unsafe-sysctls: {}\n", key,
                     value.substr(1, value.size() - 2));
}

}  // namespace

Advice advise_microk8s(const EntryList& list) {
  return {
      .what =
          "for new machines put this into the launch configuration, before the snap is installed: "
          "/var/snap/microk8s/common/.microk8s.yaml",
      .object = "version: 0.2.0\n" + argument("extraKubeletArgs", list)};
}

Advice advise_k8s_snap(const EntryList& list) {
  return {
      .what =
          "for new machines put this into the file of 'k8s bootstrap --file' or 'k8s join-cluster "
          "--file'",
      .object = argument("extra-node-kubelet-args", list)};
}

Advice advise_k0s(const EntryList& list) {
  return {.what =
              "put this profile into k0s.yaml on the controllers, and start the workers with "
              "'--profile=sysctls'",
          .object = "spec:\n  workerProfiles:\n  - name: sysctls\n    values:\n" +
                    yaml_list("allowedUnsafeSysctls", list, "      ")};
}

}  // namespace kubelet_sysctl::nodes
