// SPDX-License-Identifier: Apache-2.0
// Files that another program writes again, and where the list belongs then.
#include "kubelet_sysctl/model/rewritten.hpp"

#include <fmt/format.h>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/model/model.hpp"

namespace kubelet_sysctl::model {

// With every plan of Rancher, on k3s and RKE2 alike.
// Source: rancher/rancher pkg/capr/planner, rancher/rancherd pkg/config.
bool is_of_rancher(const SourceFile& file) {
  for (const std::string_view name :
       {"/config.yaml.d/50-rancher.yaml", "/config.yaml.d/40-rancherd.yaml"}) {
    if (file.path.ends_with(name) || file.real_path.ends_with(name)) return true;
  }
  return false;
}

std::string_view rewriter_of(const NodeModel& model, const SourceFile& file) {
  if (is_of_rancher(file)) return "rancher-system-agent, with every plan of Rancher";
  // Source: kubernetes/release cmd/krel/templates/latest/kubeadm: the drop-in is a file of the package.
  const bool of_package = model.kind->id == "kubeadm" && base_name(file.path) == "10-kubeadm.conf";
  return of_package ? "an upgrade of the kubeadm package" : model.kind->rewritten_by;
}

std::string_view route_past_rewriter(const NodeModel& model, const SourceFile& file) {
  return is_of_rancher(file)
             ? "kubelet-arg with the whole list in machineGlobalConfig of the cluster in Rancher "
               "(machineSelectorConfig for some of its machines)"
             : model.kind->vendor_route;
}

bool is_rewritten(const NodeModel& model, const SourceFile& file) {
  if (is_of_rancher(file)) return true;
  const std::string_view name = base_name(file.path);
  for (std::string_view rest = model.kind->rewritten; !rest.empty();) {
    const std::string_view path = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(path.size() + 1, rest.size()));
    if (path == file.path || path == file.real_path) return true;
    // The directory of a launcher may be elsewhere; the names of its own files in it are always the same. A
    // slash at the end means all below a directory.
    if (model.kind->launcher == nullptr || model.config_dir.empty()) continue;
    if (!file.path.starts_with(model.config_dir + "/")) continue;
    const bool below = path.ends_with('/');
    const std::string_view last = path.substr(path.rfind('/', path.size() - 2) + 1);
    if (below ? file.path.find(fmt::format("/{}", last)) != std::string::npos : last == name) {
      return true;
    }
  }
  return false;
}

}  // namespace kubelet_sysctl::model
