// SPDX-License-Identifier: Apache-2.0
// The table of node kinds: where the list of each belongs, and who rewrites what.
#include "kubelet_sysctl/nodes/kinds.hpp"

#include <algorithm>
#include <array>

#include "detect.hpp"
#include "embedded/container.hpp"
#include "embedded/k0s.hpp"
#include "embedded/rancher.hpp"
#include "embedded/snaps.hpp"
#include "kubelet_sysctl/base/counted.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/nodes/advice.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"

namespace kubelet_sysctl::nodes {
namespace {

constexpr std::string_view kKubeadmRewritten =
    "/var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env "
    "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf";
constexpr std::string_view kKubeadmRewrittenBy = "kubeadm init, join and upgrade";
constexpr std::string_view kKubeadmRoute =
    "kubectl -n kube-system edit configmap kubelet-config, then on each node kubeadm upgrade node "
    "phase kubelet-config and a restart of the kubelet; for one node, kubeadm --patches with a "
    "kubeletconfiguration patch";

// Sources of every row: the layouts and their upstream files are in docs/sources.md.
constexpr std::array<NodeKind, 25> kRows = {{
    {.id = "talos",
     .title = "Talos Linux",
     .matches = is_talos,
     .variable = {},
     .new_list_route = Route::kNone,
     .rewritten_by = "Talos, from the machine configuration",
     .rewritten = "/etc/kubernetes/kubelet.yaml",
     .vendor_route =
         "machine.kubelet.extraConfig.allowedUnsafeSysctls in the machine configuration, "
         "applied with talosctl patch or apply-config",
     .refuse = true,
     .advise = advise_talos},
    {.id = "bottlerocket",
     .title = "Bottlerocket",
     .matches = is_bottlerocket,
     .variable = {},
     .new_list_route = Route::kNone,
     .rewritten_by = "Bottlerocket, from its settings, at boot and on each change of them",
     .rewritten =
         "/etc/kubernetes/kubelet/config "
         "/etc/systemd/system/kubelet.service.d/exec-start.conf /etc/kubernetes/kubelet/env",
     .vendor_route = "apiclient set --json '{\"settings\":{\"kubernetes\":"
                     "{\"allowed-unsafe-sysctls\":[\"...\"]}}}' with the whole list, or the same "
                     "setting in the user data",
     .refuse = true,
     .advise = advise_bottlerocket},
    {.id = "openshift",
     .title = "OpenShift",
     .matches = is_openshift,
     .variable = {},
     .new_list_route = Route::kNone,
     .rewritten_by = "the machine-config daemon, which marks the pool Degraded when a file differs",
     .rewritten = "/etc/kubernetes/kubelet.conf /etc/systemd/system/kubelet.service "
                  "/etc/systemd/system/kubelet.service.d/20-logging.conf",
     .vendor_route = "oc apply a KubeletConfig (machineconfiguration.openshift.io/v1) whose "
                     "spec.machineConfigPoolSelector picks the pool and whose "
                     "spec.kubeletConfig.allowedUnsafeSysctls holds the whole list",
     .refuse = true,
     .advise = advise_openshift},
    {.id = "k3s",
     .title = "k3s",
     .matches = is_k3s,
     .variable = {},
     .new_list_route = Route::kConfigDir,
     .rewritten_by = "k3s at every start",
     .rewritten = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf "
                  "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/10-cli-config.conf "
                  "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/20-cli-config-dir/",
     .vendor_route = "a drop-in in /var/lib/rancher/k3s/agent/etc/kubelet.conf.d with the whole "
                     "list (v1.32 and "
                     "later), or kubelet-arg in /etc/rancher/k3s/config.yaml or in a file of "
                     "config.yaml.d; for "
                     "new machines the same files in whatever installs them (kube-hetzner: "
                     "k3s_global_kubelet_args)",
     .launcher = &kK3sHost,
     .units = "k3s.service k3s-agent.service"},
    {.id = "rke2",
     .title = "RKE2",
     .matches = is_rke2,
     .variable = {},
     .new_list_route = Route::kConfigDir,
     .rewritten_by = "rke2 at every start",
     .rewritten = "/var/lib/rancher/rke2/agent/etc/kubelet.conf.d/00-rke2-defaults.conf "
                  "/var/lib/rancher/rke2/agent/etc/kubelet.conf.d/10-cli-config.conf "
                  "/var/lib/rancher/rke2/agent/etc/kubelet.conf.d/20-cli-config-dir/",
     .vendor_route =
         "a drop-in in /var/lib/rancher/rke2/agent/etc/kubelet.conf.d with the whole list (v1.32 "
         "and later), or kubelet-arg in /etc/rancher/rke2/config.yaml or in a file of "
         "config.yaml.d; "
         "under Rancher, kubelet-arg in the machine selector config of the cluster",
     .launcher = &kRke2Host,
     .units = "rke2-server.service rke2-agent.service"},
    {.id = "microk8s",
     .title = "MicroK8s",
     .matches = is_microk8s,
     .variable = {},
     .new_list_route = Route::kArgs,
     .rewritten_by = {},
     .rewritten = {},
     .vendor_route =
         "/var/snap/microk8s/current/args/kubelet on every node, which a refresh of the snap "
         "keeps; for new machines extraKubeletArgs in the launch configuration",
     .launcher = &kMicroK8sHost,
     .units = "snap.microk8s.daemon-kubelite.service",
     .advise = advise_microk8s},
    {.id = "k8s-snap",
     .title = "Canonical Kubernetes",
     .matches = is_k8s_snap,
     .variable = {},
     .new_list_route = Route::kArgs,
     .rewritten_by = {},
     .rewritten = {},
     .vendor_route =
         "/var/snap/k8s/common/args/kubelet on every node, which a refresh of the snap keeps; for "
         "new machines extra-node-kubelet-args in the bootstrap or join configuration",
     .launcher = &kK8sSnapHost,
     .units = "snap.k8s.kubelet.service",
     .advise = advise_k8s_snap},
    {.id = "k0s",
     .title = "k0s",
     .matches = is_k0s,
     .variable = {},
     .new_list_route = Route::kArgs,
     .rewritten_by = "'k0s install --force' and k0sctl",
     .rewritten = "/etc/systemd/system/k0sworker.service /etc/systemd/system/k0scontroller.service",
     .vendor_route =
         "spec.workerProfiles[].values.allowedUnsafeSysctls in k0s.yaml and --profile on the "
         "worker; with k0sctl, --kubelet-extra-args in installFlags",
     .launcher = &kK0sHost,
     .units = "k0sworker.service k0scontroller.service",
     .advise = advise_k0s},
    {.id = "typhoon",
     .title = "Typhoon",
     .matches = is_typhoon,
     .variable = {},
     .new_list_route = Route::kConfig,
     .rewritten_by = "Ignition, at the first boot of a machine",
     .rewritten = "/etc/kubernetes/kubelet.yaml /etc/systemd/system/kubelet.service",
     .vendor_route =
         "a Butane snippet for the Terraform module that writes /etc/kubernetes/kubelet.yaml with "
         "allowedUnsafeSysctls",
     .launcher = &kContainerHost},
    {.id = "eks-al2023",
     .title = "EKS on Amazon Linux 2023",
     .matches = is_eks_al2023,
     .variable = "NODEADM_KUBELET_ARGS",
     .new_list_route = Route::kConfigDir,
     .rewritten_by = "nodeadm at every boot",
     .rewritten = "/etc/eks/kubelet/environment /etc/kubernetes/kubelet/config.json "
                  "/etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf",
     .vendor_route =
         "NodeConfig in the user data (launch template, or EC2NodeClass spec.userData under "
         "Karpenter): spec.kubelet.config.allowedUnsafeSysctls",
     .advise = advise_eks_al2023,
     .persistent_file = "/etc/eks/nodeadm.d/90-kubelet-sysctl.yaml",
     .persistent_text = node_config_fragment,
     .persistent_needs = "nodeadm of the AMI releases from v20251023 on reads it at every boot"},
    {.id = "eks-al2",
     .title = "EKS on Amazon Linux 2",
     .matches = is_eks_al2,
     .variable = "KUBELET_EXTRA_ARGS",
     .new_list_route = Route::kConfig,
     .rewritten_by = "/etc/eks/bootstrap.sh, which user data runs at the first boot of a machine",
     .rewritten = "/etc/kubernetes/kubelet/kubelet-config.json "
                  "/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf "
                  "/etc/systemd/system/kubelet.service.d/30-kubelet-extra-args.conf",
     .vendor_route = "--kubelet-extra-args of /etc/eks/bootstrap.sh in the user data of the launch "
                     "template: the whole list, beside every other argument that it gives",
     .advise = advise_eks_bootstrap},
    // The snap's own arguments come from its settings, which snapd keeps; what is edited here is the file
    // that they name.
    {.id = "eks-ubuntu",
     .title = "EKS on Ubuntu",
     .matches = is_eks_ubuntu,
     .variable = {},
     .new_list_route = Route::kConfig,
     .rewritten_by = "/etc/eks/bootstrap.sh, which user data runs at the first boot of a machine",
     .rewritten = "/etc/kubernetes/kubelet/kubelet-config.json",
     .vendor_route = "--kubelet-extra-args of /etc/eks/bootstrap.sh in the user data of the launch "
                     "template: the whole list, beside every other argument that it gives",
     .units = "snap.kubelet-eks.daemon.service",
     .advise = advise_eks_bootstrap},
    {.id = "charmed",
     .title = "Charmed Kubernetes",
     .matches = is_charmed,
     .variable = {},
     .new_list_route = Route::kConfig,
     .rewritten_by = "the charm, whenever its settings change or one of its hooks writes them",
     .rewritten = "/root/cdk/kubelet/config.yaml /var/snap/kubelet/current/args",
     .vendor_route = "juju config kubernetes-worker kubelet-extra-config='{allowedUnsafeSysctls: "
                     "[...]}'",
     .units = "snap.kubelet.daemon.service",
     .advise = advise_charmed},
    {.id = "kubelet-snap",
     .title = "kubelet snap",
     .matches = is_kubelet_snap,
     .variable = {},
     .new_list_route = Route::kConfig,
     .rewritten_by = "the snap, from its settings, whenever one of them changes",
     .rewritten = "/var/snap/kubelet/current/args",
     .vendor_route = "snap set kubelet allowed-unsafe-sysctls=... and snap restart kubelet",
     .units = "snap.kubelet.daemon.service",
     .advise = advise_kubelet_snap},
    {.id = "gke",
     .title = "GKE or GCE",
     .matches = is_gke,
     .variable = "KUBELET_OPTS",
     .new_list_route = Route::kConfig,
     .rewritten_by = "the node's configuration service at every boot",
     .rewritten = "/etc/default/kubelet /home/kubernetes/kubelet-config.yaml "
                  "/etc/systemd/system/kubelet.service",
     .vendor_route = "gcloud container node-pools update POOL --system-config-from-file=FILE with "
                     "kubeletConfig: allowedUnsafeSysctls: [...]",
     .advise = advise_gke},
    {.id = "aks",
     .title = "AKS",
     .matches = is_aks,
     .variable = "KUBELET_FLAGS",
     .new_list_route = Route::kConfig,
     .rewritten_by = "the provisioning of each new machine: node image upgrade, reimage, scale-out",
     .rewritten = "/etc/default/kubelet /etc/default/kubeletconfig.json",
     .vendor_route = "az aks nodepool add --kubelet-config FILE, a JSON file with "
                     "allowedUnsafeSysctls",
     .advise = advise_aks},
    {.id = "kops",
     .title = "kOps",
     .matches = is_kops,
     .variable = "DAEMON_ARGS",
     .new_list_route = Route::kArgs,
     .rewritten_by = "nodeup, which kops-configuration.service runs at every boot",
     .rewritten = "/etc/sysconfig/kubelet /var/lib/kubelet/kubelet.conf "
                  "/usr/lib/systemd/system/kubelet.service /lib/systemd/system/kubelet.service "
                  "/etc/systemd/system/kubelet.service",
     .vendor_route = "kops edit cluster (or edit ig): spec.kubelet.allowedUnsafeSysctls, then kops "
                     "update cluster --yes and kops rolling-update cluster --yes",
     .advise = advise_kops},
    {.id = "kind",
     .title = "kind",
     .matches = is_kind,
     .variable = "KUBELET_EXTRA_ARGS",
     .new_list_route = Route::kConfig,
     .rewritten_by = {},
     .rewritten = {},
     .vendor_route =
         "kubeadmConfigPatches in the cluster file of kind, with a KubeletConfiguration",
     .advise = advise_kind},
    {.id = "minikube",
     .title = "minikube",
     .matches = is_minikube,
     .variable = {},
     .new_list_route = Route::kConfig,
     .rewritten_by = "minikube start",
     .rewritten = "/var/lib/kubelet/config.yaml "
                  "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf "
                  "/usr/lib/systemd/system/kubelet.service /lib/systemd/system/kubelet.service",
     .vendor_route = "minikube start --extra-config=kubelet.allowed-unsafe-sysctls=...",
     .advise = advise_minikube},
    {.id = "ack",
     .title = "Alibaba Cloud ACK",
     .matches = is_ack,
     .variable = "KUBELET_EXTRA_ARGS",
     .new_list_route = Route::kConfig,
     .rewritten_by = "ACK, whenever the kubelet settings of the node pool change",
     .rewritten = "/var/lib/kubelet/ack-managed-config.yaml "
                  "/etc/kubernetes/kubelet-customized-args.conf "
                  "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
     .vendor_route = "allowedUnsafeSysctls in the kubelet settings of the node pool: in the "
                     "console, or kubelet_config of ModifyNodePoolNodeConfig",
     .advise = advise_ack},
    {.id = "kubespray",
     .title = "kubespray",
     .matches = is_kubespray,
     .variable = "KUBELET_ARGS",
     .new_list_route = Route::kConfig,
     .rewritten_by = "every run of kubespray that reaches the node (cluster, scale, upgrade)",
     .rewritten = "/etc/kubernetes/kubelet-config.yaml /etc/kubernetes/kubelet.env "
                  "/etc/systemd/system/kubelet.service",
     .vendor_route = "kubelet_config_extra_args: {allowedUnsafeSysctls: [...]} in the inventory",
     .advise = advise_kubespray},
    {.id = "gardener",
     .title = "Gardener",
     .matches = is_gardener,
     .variable = "KUBELET_EXTRA_ARGS",
     .new_list_route = Route::kConfig,
     .rewritten_by = "gardener-node-agent, when the shoot's configuration of the machine changes",
     .rewritten = "/var/lib/kubelet/config/kubelet /etc/systemd/system/kubelet.service",
     .vendor_route =
         "no field of the Shoot is known that sets allowedUnsafeSysctls: 'kubelet-sysctl "
         "sync' puts it back after each rewrite"},
    // Machines of Cluster API are kubeadm nodes; only those of image-builder with resource sizing can be
    // distinguished from others.
    {.id = "cluster-api",
     .title = "Cluster API",
     .matches = is_cluster_api,
     .variable = "KUBELET_EXTRA_ARGS",
     .new_list_route = Route::kConfigDir,
     .rewritten_by = "the creation of each new machine: machines are replaced and not upgraded",
     .rewritten = "/var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env "
                  "/var/lib/kubelet/kubelet.conf.d/kubelet-resource-sizing.conf",
     .vendor_route = "KubeadmConfigTemplate: spec.template.spec.joinConfiguration.nodeRegistration"
                     ".kubeletExtraArgs, allowed-unsafe-sysctls",
     .advise = advise_cluster_api},
    // Debian's packages read /etc/default/kubelet and the others /etc/sysconfig/kubelet: the unit says
    // which, never the existence of a file.
    {.id = "kubeadm",
     .title = "kubeadm",
     .matches = is_kubeadm,
     .variable = "KUBELET_EXTRA_ARGS",
     .new_list_route = Route::kConfig,
     .rewritten_by = kKubeadmRewrittenBy,
     .rewritten = kKubeadmRewritten,
     .vendor_route = kKubeadmRoute,
     .advise = advise_kubeadm,
     .persistent_file = "/etc/kubernetes/patches/kubeletconfiguration0+merge.yaml",
     .persistent_needs =
         "'kubeadm upgrade', from 1.25 on, applies it when it is called with '--patches "
         "/etc/kubernetes/patches' or has node.patches.directory in its UpgradeConfiguration"},
    {.id = "unknown",
     .title = "unknown kind",
     .matches = is_anything,
     .variable = {},
     .new_list_route = Route::kConfig,
     .rewritten_by = {},
     .rewritten = {},
     .vendor_route = {}},
}};

}  // namespace

const std::vector<NodeKind>& node_kinds() {
  static const std::vector<NodeKind> kinds(kRows.begin(), kRows.end());
  return kinds;
}

const NodeKind& kind_of(const NodeSnapshot& snapshot) {
  if (snapshot.known.kind != nullptr) return *snapshot.known.kind;
  counted(Counted::kKindOf);
  Signs signs{.node = snapshot, .settings = {}};
  for (const systemd::ParsedUnitFile& file : parsed_unit_of(snapshot).files) {
    systemd::apply_settings(file.written.settings, signs.settings);
  }
  const auto& kinds = node_kinds();
  const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                 [&](const NodeKind& row) { return row.matches(signs); });
  if (kind == kinds.end()) bug("no row of node_kinds() matches everything");
  return *kind;
}

}  // namespace kubelet_sysctl::nodes
