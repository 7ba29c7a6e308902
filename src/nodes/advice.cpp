// SPDX-License-Identifier: Apache-2.0
// For each kind of node: the object or the command that makes a list last, filled in.
#include "kubelet_sysctl/nodes/advice.hpp"

#include <cstddef>
#include <cstring>

#include <fmt/format.h>

#include "kubelet_sysctl/base/advice.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::nodes {
namespace {

constexpr std::string_view kKey = "allowedUnsafeSysctls";
constexpr std::string_view kEnd = "EOF";

/// "--allowed-unsafe-sysctls=a,b", in single quotes where a shell would take it apart.
std::string flag_word(std::string_view before, const EntryList& list) {
  return shell_word(fmt::format("{}{}", before, joined(list)));
}

std::string node_config(const EntryList& list) {
  return "apiVersion: node.eks.aws/v1alpha1\n"
         "kind: NodeConfig\n"
         "spec:\n"
         "  kubelet:\n"
         "    config:\n" +
         yaml_list(kKey, list, "      ");
}

}  // namespace

std::string json_list(const EntryList& list) {
  std::string out = "[";
  for (const std::string_view entry : list)
    out += (out.size() > 1 ? "," : "") + yaml::json_written(entry);
  return out + ']';
}

std::string yaml_list(std::string_view key, const EntryList& list, std::string_view indent) {
  if (list.empty()) return fmt::format("{}{}: []\n", indent, key);
  std::string out = fmt::format("{}{}:\n", indent, key);
  std::size_t size = out.size();
  for (const std::string_view entry : list)
    size += indent.size() + entry.size() + std::strlen("- \"\"\n");
  out.reserve(size);
  for (const std::string_view entry : list)
    out += fmt::format("{}- {}\n", indent, yaml::json_written(entry));
  return out;
}

std::string advice_text(const Advice& advice) {
  if (advice.object.empty()) return advice.command;
  if (advice.command.empty()) return advice.object;
  const std::string document = fmt::format("{}{}\n", advice.object.str(), kEnd);
  if (!advice.file.empty()) {
    return fmt::format("cat >{} <<'{}'\n{}{}", shell_word(advice.file), kEnd, document,
                       advice.command);
  }
  std::string command = advice.command;
  if (command.ends_with('\n')) command.pop_back();
  return fmt::format("{} <<'{}'\n{}", command, kEnd, document);
}

Advice advise_talos(const EntryList& list) {
  return {.what =
              "patch the machine configuration from outside; a patch adds to a list that is "
              "there, so to take entries away use 'talosctl edit machineconfig'",
          .object = "machine:\n  kubelet:\n    extraConfig:\n" + yaml_list(kKey, list, "      "),
          .file = "allowed-unsafe-sysctls.yaml",
          .command =
              "talosctl patch machineconfig --nodes NODE --patch @allowed-unsafe-sysctls.yaml\n"};
}

Advice advise_bottlerocket(const EntryList& list) {
  const std::string settings = fmt::format(
      R"({{"settings":{{"kubernetes":{{"allowed-unsafe-sysctls":{}}}}}}})", json_list(list));
  return {.what =
              "change the setting in the control container or the admin container; for new "
              "machines set settings.kubernetes.allowed-unsafe-sysctls in the user data",
          .command = fmt::format("apiclient set --json {}\n", shell_word(settings))};
}

Advice advise_openshift(const EntryList& list) {
  return {.what =
              "apply this KubeletConfig, for the pool of this node if it is not the one named "
              "'worker'; its nodes then reboot one after another",
          .object =
              "apiVersion: machineconfiguration.openshift.io/v1\n"
              "kind: KubeletConfig\n"
              "metadata:\n"
              "  name: allowed-unsafe-sysctls\n"
              "spec:\n"
              "  machineConfigPoolSelector:\n"
              "    matchLabels:\n"
              "      pools.operator.machineconfiguration.openshift.io/worker: \"\"\n"
              "  kubeletConfig:\n" +
              yaml_list(kKey, list, "    "),
          .command = "oc apply -f -\n"};
}

Advice advise_eks_al2023(const EntryList& list) {
  return {.what =
              "put this NodeConfig into the user data: of the launch template, or under "
              "Karpenter spec.userData of the EC2NodeClass",
          .object = node_config(list)};
}

std::string node_config_fragment(const EntryList& list) {
  return "# Written by kubelet-sysctl, which keeps it in step with the list.\n" + node_config(list);
}

Advice advise_eks_bootstrap(const EntryList& list) {
  return {.what = "let the user data of the launch template call bootstrap.sh with this",
          .command = fmt::format("/etc/eks/bootstrap.sh CLUSTER --kubelet-extra-args {}\n",
                                 flag_word("--allowed-unsafe-sysctls=", list))};
}

Advice advise_gke(const EntryList& list) {
  return {.what =
              "give the node pool this system configuration, and every other setting that it has; "
              "its nodes are then recreated",
          .object = "kubeletConfig:\n" + yaml_list(kKey, list, "  "),
          .file = "node-system-config.yaml",
          .command =
              "gcloud container node-pools update POOL --cluster=CLUSTER "
              "--system-config-from-file=node-system-config.yaml\n"};
}

Advice advise_aks(const EntryList& list) {
  return {.what =
              "make a node pool with this kubelet configuration, and every other setting that the "
              "pool was made with",
          .object = fmt::format("{{\"{}\":{}}}\n", kKey, json_list(list)),
          .file = "kubelet-config.json",
          .command =
              "az aks nodepool add --resource-group GROUP --cluster-name CLUSTER "
              "--name POOL --kubelet-config kubelet-config.json\n"};
}

Advice advise_kops(const EntryList& list) {
  return {.what =
              "put this in with 'kops edit cluster' or 'kops edit ig', then run 'kops update "
              "cluster --yes' and 'kops rolling-update cluster --yes'",
          .object = "spec:\n  kubelet:\n" + yaml_list(kKey, list, "    ")};
}

Advice advise_kind(const EntryList& list) {
  return {.what =
              "create the next cluster from this file; this one keeps the change until its "
              "container is removed",
          .object =
              "kind: Cluster\n"
              "apiVersion: kind.x-k8s.io/v1alpha4\n"
              "kubeadmConfigPatches:\n"
              "- |\n"
              "  kind: KubeletConfiguration\n" +
              yaml_list(kKey, list, "  "),
          .file = "kind.yaml",
          .command = "kind create cluster --config kind.yaml\n"};
}

Advice advise_minikube(const EntryList& list) {
  return {
      .what =
          "start the profile with this and every other '--extra-config' that it was started with, "
          "now and at every start",
      .command = fmt::format("minikube start {}\n",
                             flag_word("--extra-config=kubelet.allowed-unsafe-sysctls=", list))};
}

Advice advise_kubespray(const EntryList& list) {
  return {.what = "put this into the inventory, for example group_vars/k8s_cluster/k8s-cluster.yml",
          .object = "kubelet_config_extra_args:\n" + yaml_list(kKey, list, "  ")};
}

Advice advise_cluster_api(const EntryList& list) {
  return {.what =
              "put this into the KubeadmConfigTemplate of the machines (with v1beta1 the "
              "arguments are a map and not a list); they are replaced then",
          .object =
              "spec:\n"
              "  template:\n"
              "    spec:\n"
              "      joinConfiguration:\n"
              "        nodeRegistration:\n"
              "          kubeletExtraArgs:\n"
              "          - name: allowed-unsafe-sysctls\n"
              "            value: " +
              yaml::json_written(joined(list)) + '\n'};
}

Advice advise_kubeadm(const EntryList& list) {
  return {.what =
              "put this into the KubeletConfiguration in 'kubectl -n kube-system edit configmap "
              "kubelet-config', then run 'kubeadm upgrade node phase kubelet-config' on each node "
              "and restart its kubelet",
          .object = yaml_list(kKey, list, "")};
}

Advice advise_charmed(const EntryList& list) {
  return {.what =
              "give the charm the list, beside every other key that 'juju config "
              "kubernetes-worker kubelet-extra-config' shows now; it writes the file again",
          .command = fmt::format(
              "juju config kubernetes-worker {}\n",
              shell_word(fmt::format("kubelet-extra-config={{{}: {}}}", kKey, json_list(list))))};
}

Advice advise_kubelet_snap(const EntryList& list) {
  return {.what = "the settings of the snap are the kubelet's arguments: set this one",
          .command = fmt::format("snap set kubelet {}\nsnap restart kubelet\n",
                                 flag_word("allowed-unsafe-sysctls=", list))};
}

Advice advise_ack(const EntryList& list) {
  return {.what =
              "give the node pool this kubelet configuration: in the console, or as the body of "
              "ModifyNodePoolNodeConfig",
          .object = fmt::format("{{\"kubelet_config\":{{\"{}\":{}}}}}\n", kKey, json_list(list))};
}

}  // namespace kubelet_sysctl::nodes
