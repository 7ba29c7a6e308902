// SPDX-License-Identifier: Apache-2.0
// The table of node kinds: how each is told, where its list belongs, and who rewrites what.
#include <algorithm>
#include <array>

#include "kubelet_sysctl/node.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kMachineConfigDaemon = "/etc/machine-config-daemon";
constexpr const char* kK3sDirectory = "/etc/rancher/k3s";
constexpr const char* kRke2Directory = "/etc/rancher/rke2";
constexpr const char* kEksBootstrap = "/etc/eks/bootstrap.sh";
constexpr const char* kGkeHome = "/home/kubernetes";
constexpr const char* kAksDirectory = "/opt/azure";
constexpr const char* kMinikubeHome = "/var/lib/minikube";
constexpr const char* kKindDirectory = "/kind";

bool has_marker(const NodeSnapshot& snapshot, const char* path) {
  const auto marker = snapshot.markers.find(path);
  return marker != snapshot.markers.end() && marker->second;
}

/// The files of the unit: its fragment and its drop-ins.
std::vector<const SourceFile*> unit_files(const NodeSnapshot& snapshot) {
  std::vector<const SourceFile*> files;
  const auto add = [&](std::int32_t source) {
    if (source >= 0 && static_cast<std::size_t>(source) < snapshot.files.size()) {
      files.push_back(&snapshot.files[static_cast<std::size_t>(source)]);
    }
  };
  add(snapshot.unit.fragment);
  for (const std::int32_t source : snapshot.unit.drop_ins) add(source);
  return files;
}

/// True when some line of the unit that is no comment holds `text`.
bool unit_says(const NodeSnapshot& snapshot, std::string_view text) {
  for (const SourceFile* file : unit_files(snapshot)) {
    const std::string_view bytes = file->bytes;
    for (std::size_t at = bytes.find(text); at != std::string_view::npos;
         at = bytes.find(text, at + 1)) {
      std::string_view line = line_at(bytes, at);
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
      if (!line.starts_with('#') && !line.starts_with(';')) return true;
    }
  }
  return false;
}

/// True when the unit reads this environment file, needed or optional.
bool unit_reads(const NodeSnapshot& snapshot, std::string_view path) {
  const std::string needed = "EnvironmentFile=" + std::string(path);
  const std::string optional = "EnvironmentFile=-" + std::string(path);
  return unit_says(snapshot, needed) || unit_says(snapshot, optional);
}

bool has_drop_in(const NodeSnapshot& snapshot, std::string_view name) {
  const auto files = unit_files(snapshot);
  return std::any_of(files.begin(), files.end(), [&](const SourceFile* file) {
    const std::string_view path = file->path;
    return path.ends_with(name) && path.substr(0, path.size() - name.size()).ends_with('/');
  });
}

/// A distribution that runs the kubelet inside its own program: its unit, or its files where there
/// is no unit of the kubelet at all.
bool is_embedded(const NodeSnapshot& snapshot, std::string_view name, const char* directory) {
  const std::string_view unit = snapshot.unit.id.empty() ? snapshot.unit.name : snapshot.unit.id;
  const std::string_view stem = unit.substr(0, unit.find('.'));
  if (stem == name || (stem.starts_with(name) && stem.substr(name.size()).starts_with('-'))) {
    return true;
  }
  return snapshot.unit.load == UnitLoad::kNotFound && has_marker(snapshot, directory);
}

bool is_talos(const NodeSnapshot& snapshot) { return snapshot.os_id == "talos"; }

bool is_bottlerocket(const NodeSnapshot& snapshot) { return snapshot.os_id == "bottlerocket"; }

bool is_openshift(const NodeSnapshot& snapshot) {
  return snapshot.os_id == "rhcos" || has_marker(snapshot, kMachineConfigDaemon) ||
         unit_says(snapshot, "kubenswrapper");
}

bool is_k3s(const NodeSnapshot& snapshot) { return is_embedded(snapshot, "k3s", kK3sDirectory); }

bool is_rke2(const NodeSnapshot& snapshot) { return is_embedded(snapshot, "rke2", kRke2Directory); }

bool is_eks_al2023(const NodeSnapshot& snapshot) {
  return unit_reads(snapshot, "/etc/eks/kubelet/environment");
}

bool is_eks_al2(const NodeSnapshot& snapshot) {
  return has_drop_in(snapshot, "10-kubelet-args.conf") &&
         (has_marker(snapshot, kEksBootstrap) ||
          unit_says(snapshot, "/etc/kubernetes/kubelet/kubelet-config.json"));
}

bool is_gke(const NodeSnapshot& snapshot) {
  return unit_says(snapshot, "KUBELET_OPTS") && unit_reads(snapshot, "/etc/default/kubelet") &&
         (has_marker(snapshot, kGkeHome) || unit_says(snapshot, "/home/kubernetes/"));
}

bool is_aks(const NodeSnapshot& snapshot) {
  return unit_says(snapshot, "KUBELET_FLAGS") &&
         (has_marker(snapshot, kAksDirectory) || unit_says(snapshot, "KUBELET_CONFIG_FILE_FLAGS"));
}

bool is_kops(const NodeSnapshot& snapshot) {
  return unit_says(snapshot, "DAEMON_ARGS") && unit_reads(snapshot, "/etc/sysconfig/kubelet");
}

bool is_kind(const NodeSnapshot& snapshot) {
  return has_drop_in(snapshot, "11-kind.conf") || has_marker(snapshot, kKindDirectory);
}

bool is_minikube(const NodeSnapshot& snapshot) {
  return has_drop_in(snapshot, "10-kubeadm.conf") && !unit_says(snapshot, "EnvironmentFile=") &&
         (has_marker(snapshot, kMinikubeHome) || unit_says(snapshot, "/var/lib/minikube/"));
}

bool is_kubespray(const NodeSnapshot& snapshot) {
  return unit_reads(snapshot, "/etc/kubernetes/kubelet.env");
}

bool is_kubeadm(const NodeSnapshot& snapshot) {
  return unit_says(snapshot, "KUBELET_KUBEADM_ARGS") || has_drop_in(snapshot, "10-kubeadm.conf");
}

bool is_anything(const NodeSnapshot&) { return true; }

constexpr std::string_view kKubeadmRewritten =
    "/var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env "
    "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf";
constexpr std::string_view kKubeadmRewrittenBy =
    "kubeadm init, join and upgrade (10-kubeadm.conf: by an upgrade of the kubeadm package)";
constexpr std::string_view kKubeadmRoute =
    "kubectl -n kube-system edit configmap kubelet-config, then on each node kubeadm upgrade node "
    "phase kubelet-config and a restart of the kubelet; for one node, kubeadm --patches with a "
    "kubeletconfiguration patch";

// Sources of every row: the layouts and their upstream files are in docs/node-kinds.md.
constexpr std::array<NodeKind, 15> kRows = {{
    {.id = "talos",
     .title = "Talos Linux",
     .matches = is_talos,
     .variable = {},
     .new_list_route = {},
     .rewritten_by = "Talos, from the machine configuration",
     .rewritten = "/etc/kubernetes/kubelet.yaml",
     .vendor_route =
         "machine.kubelet.extraConfig.allowedUnsafeSysctls in the machine configuration, "
         "applied with talosctl patch or apply-config",
     .refuse = true},
    {.id = "bottlerocket",
     .title = "Bottlerocket",
     .matches = is_bottlerocket,
     .variable = {},
     .new_list_route = {},
     .rewritten_by = "Bottlerocket, from its settings, at boot and on each change of them",
     .rewritten =
         "/etc/kubernetes/kubelet/config "
         "/etc/systemd/system/kubelet.service.d/exec-start.conf /etc/kubernetes/kubelet/env",
     .vendor_route = "apiclient set --json '{\"settings\":{\"kubernetes\":"
                     "{\"allowed-unsafe-sysctls\":[\"...\"]}}}' with the whole list, or the same "
                     "setting in the user data",
     .refuse = true},
    {.id = "openshift",
     .title = "OpenShift",
     .matches = is_openshift,
     .variable = {},
     .new_list_route = {},
     .rewritten_by =
         "the machine-config daemon, which marks the pool Degraded over a file that differs",
     .rewritten = "/etc/kubernetes/kubelet.conf /etc/systemd/system/kubelet.service "
                  "/etc/systemd/system/kubelet.service.d/20-logging.conf",
     .vendor_route = "oc apply a KubeletConfig (machineconfiguration.openshift.io/v1) whose "
                     "spec.machineConfigPoolSelector picks the pool and whose "
                     "spec.kubeletConfig.allowedUnsafeSysctls holds the whole list",
     .refuse = true},
    {.id = "k3s",
     .title = "k3s",
     .matches = is_k3s,
     .variable = {},
     .new_list_route = {},
     .rewritten_by = "k3s at every start",
     .rewritten = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf",
     .vendor_route =
         "the kubelet runs inside k3s, and no argument of the unit sets the list: from v1.32 on "
         "write a "
         "drop-in such as /var/lib/rancher/k3s/agent/etc/kubelet.conf.d/50-sysctls.conf with "
         "allowedUnsafeSysctls, the whole list, net.ipv4.ip_forward and "
         "net.ipv6.conf.all.forwarding "
         "among it (k3s needs them for its own load balancer); before, kubelet-arg: "
         "allowed-unsafe-sysctls+=... in /etc/rancher/k3s/config.yaml; then restart k3s or "
         "k3s-agent",
     .refuse = true},
    {.id = "rke2",
     .title = "RKE2",
     .matches = is_rke2,
     .variable = {},
     .new_list_route = {},
     .rewritten_by = "rke2 at every start",
     .rewritten = "/var/lib/rancher/rke2/agent/etc/kubelet.conf.d/00-rke2-defaults.conf",
     .vendor_route =
         "the kubelet is a child of rke2, and no argument of the unit sets the list: where "
         "kubelet-arg "
         "in /etc/rancher/rke2/config.yaml names allowed-unsafe-sysctls, change it there; else, "
         "from "
         "v1.32 on, write a drop-in such as "
         "/var/lib/rancher/rke2/agent/etc/kubelet.conf.d/50-sysctls.conf with "
         "allowedUnsafeSysctls; "
         "then restart rke2-server or rke2-agent; under Rancher, set kubelet-arg in the cluster's "
         "machine selector config",
     .refuse = true},
    {.id = "eks-al2023",
     .title = "EKS on Amazon Linux 2023",
     .matches = is_eks_al2023,
     .variable = "NODEADM_KUBELET_ARGS",
     .new_list_route = "config-dir",
     .rewritten_by = "nodeadm at every boot",
     .rewritten = "/etc/eks/kubelet/environment /etc/kubernetes/kubelet/config.json "
                  "/etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf",
     .vendor_route =
         "NodeConfig in the user data (launch template, or EC2NodeClass spec.userData under "
         "Karpenter): spec.kubelet.config.allowedUnsafeSysctls"},
    {.id = "eks-al2",
     .title = "EKS on Amazon Linux 2",
     .matches = is_eks_al2,
     .variable = "KUBELET_EXTRA_ARGS",
     .new_list_route = "config",
     .rewritten_by = "/etc/eks/bootstrap.sh, which user data runs at the first boot of a machine",
     .rewritten = "/etc/kubernetes/kubelet/kubelet-config.json "
                  "/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf "
                  "/etc/systemd/system/kubelet.service.d/30-kubelet-extra-args.conf",
     .vendor_route = "user data of the launch template: /etc/eks/bootstrap.sh CLUSTER "
                     "--kubelet-extra-args '--allowed-unsafe-sysctls=...'"},
    {.id = "gke",
     .title = "GKE or GCE",
     .matches = is_gke,
     .variable = "KUBELET_OPTS",
     .new_list_route = "config",
     .rewritten_by = "the node's configuration service at every boot",
     .rewritten = "/etc/default/kubelet /home/kubernetes/kubelet-config.yaml "
                  "/etc/systemd/system/kubelet.service",
     .vendor_route = "gcloud container node-pools update POOL --system-config-from-file=FILE with "
                     "kubeletConfig: allowedUnsafeSysctls: [...]"},
    {.id = "aks",
     .title = "AKS",
     .matches = is_aks,
     .variable = "KUBELET_FLAGS",
     .new_list_route = "config",
     .rewritten_by = "the provisioning of each new machine: node image upgrade, reimage, scale-out",
     .rewritten = "/etc/default/kubelet /etc/default/kubeletconfig.json",
     .vendor_route = "az aks nodepool add --kubelet-config FILE, a JSON file with "
                     "allowedUnsafeSysctls"},
    {.id = "kops",
     .title = "kOps",
     .matches = is_kops,
     .variable = "DAEMON_ARGS",
     .new_list_route = "args",
     .rewritten_by = "nodeup, which kops-configuration.service runs at every boot",
     .rewritten = "/etc/sysconfig/kubelet /var/lib/kubelet/kubelet.conf "
                  "/usr/lib/systemd/system/kubelet.service /lib/systemd/system/kubelet.service "
                  "/etc/systemd/system/kubelet.service",
     .vendor_route = "kops edit cluster (or edit ig): spec.kubelet.allowedUnsafeSysctls, then kops "
                     "update cluster --yes and kops rolling-update cluster --yes"},
    {.id = "kind",
     .title = "kind",
     .matches = is_kind,
     .variable = "KUBELET_EXTRA_ARGS",
     .new_list_route = "config",
     .rewritten_by = {},
     .rewritten = {},
     .vendor_route =
         "kubeadmConfigPatches in the cluster file of kind, with a KubeletConfiguration"},
    {.id = "minikube",
     .title = "minikube",
     .matches = is_minikube,
     .variable = {},
     .new_list_route = "config",
     .rewritten_by = "minikube start",
     .rewritten = "/var/lib/kubelet/config.yaml "
                  "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf "
                  "/usr/lib/systemd/system/kubelet.service /lib/systemd/system/kubelet.service",
     .vendor_route = "minikube start --extra-config=kubelet.allowed-unsafe-sysctls=..."},
    {.id = "kubespray",
     .title = "kubespray",
     .matches = is_kubespray,
     .variable = "KUBELET_ARGS",
     .new_list_route = "config",
     .rewritten_by = "every run of kubespray that reaches the node (cluster, scale, upgrade)",
     .rewritten = "/etc/kubernetes/kubelet-config.yaml /etc/kubernetes/kubelet.env "
                  "/etc/systemd/system/kubelet.service",
     .vendor_route = "kubelet_config_extra_args: {allowedUnsafeSysctls: [...]} in the inventory"},
    // Debian's packages read /etc/default/kubelet and the others /etc/sysconfig/kubelet: the unit says
    // which, never the existence of a file.
    {.id = "kubeadm",
     .title = "kubeadm",
     .matches = is_kubeadm,
     .variable = "KUBELET_EXTRA_ARGS",
     .new_list_route = "config",
     .rewritten_by = kKubeadmRewrittenBy,
     .rewritten = kKubeadmRewritten,
     .vendor_route = kKubeadmRoute},
    {.id = "unknown",
     .title = "unknown kind",
     .matches = is_anything,
     .variable = {},
     .new_list_route = "config",
     .rewritten_by = {},
     .rewritten = {},
     .vendor_route = {}},
}};

}  // namespace

std::int32_t find_source(const NodeSnapshot& snapshot, std::string_view path) {
  const auto find = [&](auto matches) {
    const auto file = std::find_if(snapshot.files.begin(), snapshot.files.end(), matches);
    return file == snapshot.files.end() ? kNoSource
                                        : static_cast<std::int32_t>(file - snapshot.files.begin());
  };
  std::int32_t source = find([&](const SourceFile& file) { return file.path == path; });
  if (source != kNoSource || path.empty()) return source;
  source = find([&](const SourceFile& file) { return file.real_path == path; });
  if (source != kNoSource || !path.starts_with("/lib/")) return source;
  // systemd may name a unit by /lib where that is a link to /usr/lib and the walk used the latter.
  const std::string merged = "/usr" + std::string(path);
  return find([&](const SourceFile& file) { return file.real_path == merged; });
}

const SourceFile* find_file(const NodeSnapshot& snapshot, std::string_view path) {
  const std::int32_t source = find_source(snapshot, path);
  return source == kNoSource ? nullptr : &snapshot.files[static_cast<std::size_t>(source)];
}

const std::vector<NodeKind>& node_kinds() {
  static const std::vector<NodeKind> kinds(kRows.begin(), kRows.end());
  return kinds;
}

const NodeKind& kind_of(const NodeSnapshot& snapshot) {
  const auto& kinds = node_kinds();
  const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                 [&](const NodeKind& row) { return row.matches(snapshot); });
  if (kind == kinds.end()) bug("no row of node_kinds() matches everything");
  return *kind;
}

const std::vector<std::string>& kind_markers() {
  static const std::vector<std::string> markers = {
      kMachineConfigDaemon, kK3sDirectory, kRke2Directory, kEksBootstrap, kGkeHome,
      kAksDirectory,        kMinikubeHome, kKindDirectory,
  };
  return markers;
}

}  // namespace kubelet_sysctl
