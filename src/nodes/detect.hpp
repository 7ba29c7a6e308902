// SPDX-License-Identifier: Apache-2.0
// How each kind of node is reported: by what its unit says, and where that says nothing by a path that exists.
#pragma once

#include "kubelet_sysctl/nodes/kinds.hpp"

namespace kubelet_sysctl::nodes {

bool is_talos(const Signs& signs);
bool is_bottlerocket(const Signs& signs);
bool is_openshift(const Signs& signs);
bool is_k3s(const Signs& signs);
bool is_rke2(const Signs& signs);
bool is_microk8s(const Signs& signs);
bool is_k8s_snap(const Signs& signs);
bool is_k0s(const Signs& signs);
bool is_typhoon(const Signs& signs);
bool is_eks_al2023(const Signs& signs);
bool is_eks_al2(const Signs& signs);
bool is_eks_ubuntu(const Signs& signs);
bool is_charmed(const Signs& signs);
bool is_kubelet_snap(const Signs& signs);
bool is_ack(const Signs& signs);
bool is_gardener(const Signs& signs);
bool is_cluster_api(const Signs& signs);
bool is_gke(const Signs& signs);
bool is_aks(const Signs& signs);
bool is_kops(const Signs& signs);
bool is_kind(const Signs& signs);
bool is_minikube(const Signs& signs);
bool is_kubespray(const Signs& signs);
bool is_kubeadm(const Signs& signs);
bool is_anything(const Signs& signs);

}  // namespace kubelet_sysctl::nodes
