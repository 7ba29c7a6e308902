// SPDX-License-Identifier: Apache-2.0
// How each kind of node is told: by what its unit says, and where that says nothing by a path that exists.
#pragma once

#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl::nodes {

bool is_talos(const NodeSnapshot& snapshot);
bool is_bottlerocket(const NodeSnapshot& snapshot);
bool is_openshift(const NodeSnapshot& snapshot);
bool is_k3s(const NodeSnapshot& snapshot);
bool is_rke2(const NodeSnapshot& snapshot);
bool is_microk8s(const NodeSnapshot& snapshot);
bool is_k8s_snap(const NodeSnapshot& snapshot);
bool is_k0s(const NodeSnapshot& snapshot);
bool is_typhoon(const NodeSnapshot& snapshot);
bool is_eks_al2023(const NodeSnapshot& snapshot);
bool is_eks_al2(const NodeSnapshot& snapshot);
bool is_eks_ubuntu(const NodeSnapshot& snapshot);
bool is_charmed(const NodeSnapshot& snapshot);
bool is_kubelet_snap(const NodeSnapshot& snapshot);
bool is_ack(const NodeSnapshot& snapshot);
bool is_gardener(const NodeSnapshot& snapshot);
bool is_cluster_api(const NodeSnapshot& snapshot);
bool is_gke(const NodeSnapshot& snapshot);
bool is_aks(const NodeSnapshot& snapshot);
bool is_kops(const NodeSnapshot& snapshot);
bool is_kind(const NodeSnapshot& snapshot);
bool is_minikube(const NodeSnapshot& snapshot);
bool is_kubespray(const NodeSnapshot& snapshot);
bool is_kubeadm(const NodeSnapshot& snapshot);
bool is_anything(const NodeSnapshot& snapshot);

}  // namespace kubelet_sysctl::nodes
