// SPDX-License-Identifier: Apache-2.0
// For each kind of node: the object or the command that makes a list last, filled in.
#pragma once

#include <string>
#include <vector>

#include "kubelet_sysctl/base/advice.hpp"
#include "kubelet_sysctl/base/entry_list.hpp"

namespace kubelet_sysctl::nodes {

// Each is the `advise` of the row of that name. Sources: docs/sources.md.
Advice advise_talos(const EntryList& list);
Advice advise_bottlerocket(const EntryList& list);
Advice advise_openshift(const EntryList& list);
Advice advise_eks_al2023(const EntryList& list);
Advice advise_eks_bootstrap(const EntryList& list);
Advice advise_gke(const EntryList& list);
Advice advise_aks(const EntryList& list);
Advice advise_kops(const EntryList& list);
Advice advise_kind(const EntryList& list);
Advice advise_minikube(const EntryList& list);
Advice advise_kubespray(const EntryList& list);
Advice advise_cluster_api(const EntryList& list);
Advice advise_kubeadm(const EntryList& list);
Advice advise_microk8s(const EntryList& list);
Advice advise_k8s_snap(const EntryList& list);
Advice advise_k0s(const EntryList& list);
Advice advise_charmed(const EntryList& list);
Advice advise_kubelet_snap(const EntryList& list);
Advice advise_ack(const EntryList& list);

/// The NodeConfig that nodeadm reads from the node itself.
std::string node_config_fragment(const EntryList& list);

/// "allowedUnsafeSysctls:" with its items in YAML, every line behind `indent`; "[]" for none.
std::string yaml_list(std::string_view key, const EntryList& list, std::string_view indent);
/// ["a","b"]
std::string json_list(const EntryList& list);

/// Document and commands as one text for a shell; the document alone where there is no command.
std::string advice_text(const Advice& advice);

}  // namespace kubelet_sysctl::nodes
