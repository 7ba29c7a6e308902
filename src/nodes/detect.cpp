// SPDX-License-Identifier: Apache-2.0
// How each kind of node is reported: by what its unit says, and where that says nothing by a path that exists.
// What a later file of the unit resets counts for nothing: the settings in force decide.
#include "detect.hpp"

#include <algorithm>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"

namespace kubelet_sysctl::nodes {
namespace {

constexpr const char* kMachineConfigDaemon = "/etc/machine-config-daemon";
constexpr const char* kK3sDirectory = "/etc/rancher/k3s";
constexpr const char* kRke2Directory = "/etc/rancher/rke2";
constexpr const char* kEksBootstrap = "/etc/eks/bootstrap.sh";
constexpr const char* kGkeHome = "/home/kubernetes";
constexpr const char* kAksDirectory = "/opt/azure";
constexpr const char* kMinikubeHome = "/var/lib/minikube";
constexpr const char* kKindVersion = "/kind/version";
constexpr const char* kCharmDirectory = "/root/cdk";

bool has_marker(const Signs& signs, const char* path) {
  const auto marker = signs.node.markers.find(path);
  return marker != signs.node.markers.end() && marker->second;
}

/// The files of the unit: its fragment and its drop-ins.
std::vector<const SourceFile*> unit_files(const Signs& signs) {
  std::vector<const SourceFile*> files;
  const auto add = [&](std::int32_t source) {
    if (source >= 0 && static_cast<std::size_t>(source) < signs.node.files.size()) {
      files.push_back(&signs.node.files[static_cast<std::size_t>(source)]);
    }
  };
  add(signs.node.unit.fragment);
  for (const std::int32_t source : signs.node.unit.drop_ins) add(source);
  return files;
}

/// True when some line of the unit that is no comment holds `text`.
bool unit_says(const Signs& signs, std::string_view text) {
  for (const SourceFile* file : unit_files(signs)) {
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

bool any_says(const std::vector<systemd::UnitSetting>& settings, std::string_view text) {
  return std::any_of(settings.begin(), settings.end(), [text](const systemd::UnitSetting& one) {
    return one.value.text.find(text) != std::string::npos;
  });
}

/// True when the ExecStart= in force holds `text`.
bool command_says(const Signs& signs, std::string_view text) {
  return any_says(signs.settings.exec_start, text);
}

/// True when the ExecStart= or an Environment= in force holds `text`.
bool settings_say(const Signs& signs, std::string_view text) {
  return any_says(signs.settings.exec_start, text) || any_says(signs.settings.environment, text);
}

/// True when the program of the ExecStart= in force has this name, with or without a directory.
bool runs_program(const Signs& signs, std::string_view name) {
  const auto& commands = signs.settings.exec_start;
  return std::any_of(commands.begin(), commands.end(), [name](const systemd::UnitSetting& one) {
    std::string_view program = one.value.text;
    program = program.substr(0, program.find_first_of(" \t"));
    // Source: systemd.service(5), the prefixes of a command line.
    program.remove_prefix(std::min(program.find_first_not_of("@-:+!|"), program.size()));
    return base_name(program) == name;
  });
}

/// True when the unit reads this environment file, needed or optional.
bool unit_reads(const Signs& signs, std::string_view path) {
  const auto& files = signs.settings.environment_files;
  return std::any_of(files.begin(), files.end(), [path](const systemd::UnitSetting& one) {
    std::string_view text = one.value.text;
    if (text.starts_with('-')) text.remove_prefix(1);
    return text == path;
  });
}

bool has_drop_in(const Signs& signs, std::string_view name) {
  const auto files = unit_files(signs);
  return std::any_of(files.begin(), files.end(), [&](const SourceFile* file) {
    const std::string_view path = file->path;
    return path.ends_with(name) && path.substr(0, path.size() - name.size()).ends_with('/');
  });
}

std::string_view unit_of(const Signs& signs) {
  return signs.node.unit.id.empty() ? signs.node.unit.name : signs.node.unit.id;
}

/// A distribution that runs the kubelet inside its own program: its unit, or its files where there
/// is no unit of the kubelet at all.
bool is_embedded(const Signs& signs, std::string_view name, const char* directory) {
  const std::string_view unit = unit_of(signs);
  const std::string_view stem = unit.substr(0, unit.find('.'));
  if (stem == name || (stem.starts_with(name) && stem.substr(name.size()).starts_with('-'))) {
    return true;
  }
  return signs.node.unit.load == systemd::UnitLoad::kNotFound && has_marker(signs, directory);
}

}  // namespace

bool is_talos(const Signs& signs) { return signs.node.os_id == "talos"; }

bool is_bottlerocket(const Signs& signs) { return signs.node.os_id == "bottlerocket"; }

bool is_openshift(const Signs& signs) {
  // A directory that a user left behind does not make one of a node that kubeadm made.
  return signs.node.os_id == "rhcos" || command_says(signs, "kubenswrapper") ||
         (has_marker(signs, kMachineConfigDaemon) && !is_kubeadm(signs));
}

bool is_k3s(const Signs& signs) { return is_embedded(signs, "k3s", kK3sDirectory); }

bool is_rke2(const Signs& signs) { return is_embedded(signs, "rke2", kRke2Directory); }

bool is_microk8s(const Signs& signs) {
  return unit_of(signs) == "snap.microk8s.daemon-kubelite.service";
}

bool is_k8s_snap(const Signs& signs) { return unit_of(signs) == "snap.k8s.kubelet.service"; }

bool is_k0s(const Signs& signs) {
  return unit_of(signs) == "k0sworker.service" || unit_of(signs) == "k0scontroller.service";
}

bool is_typhoon(const Signs& signs) {
  const bool contained = runs_program(signs, "podman") || runs_program(signs, "docker");
  return contained && unit_says(signs, "KUBELET_IMAGE") &&
         (unit_says(signs, "podman run ") || unit_says(signs, "docker run "));
}

bool is_eks_al2023(const Signs& signs) {
  return unit_reads(signs, "/etc/eks/kubelet/environment") &&
         command_says(signs, "NODEADM_KUBELET_ARGS");
}

bool is_eks_al2(const Signs& signs) {
  return has_drop_in(signs, "10-kubelet-args.conf") && command_says(signs, "$KUBELET_ARGS") &&
         (has_marker(signs, kEksBootstrap) ||
          command_says(signs, "/etc/kubernetes/kubelet/kubelet-config.json"));
}

bool is_eks_ubuntu(const Signs& signs) {
  return unit_of(signs) == "snap.kubelet-eks.daemon.service";
}

bool is_kubelet_snap(const Signs& signs) { return unit_of(signs) == "snap.kubelet.daemon.service"; }

// The snap alone proves nothing: anyone may install it. The charm keeps its files in a place of its own.
bool is_charmed(const Signs& signs) {
  return is_kubelet_snap(signs) && has_marker(signs, kCharmDirectory);
}

bool is_ack(const Signs& signs) {
  return settings_say(signs, "/var/lib/kubelet/ack-managed-config.yaml") ||
         (unit_reads(signs, "/etc/kubernetes/kubelet-customized-args.conf") &&
          command_says(signs, "KUBELET_CUSTOMIZED_ARGS"));
}

bool is_gardener(const Signs& signs) {
  return unit_reads(signs, "/var/lib/kubelet/extra_args") && !is_kubeadm(signs);
}

bool is_cluster_api(const Signs& signs) {
  return has_drop_in(signs, "11-resource-sizing.conf") && is_kubeadm(signs);
}

bool is_gke(const Signs& signs) {
  return command_says(signs, "KUBELET_OPTS") && unit_reads(signs, "/etc/default/kubelet") &&
         (has_marker(signs, kGkeHome) || settings_say(signs, "/home/kubernetes/"));
}

bool is_aks(const Signs& signs) {
  return command_says(signs, "KUBELET_FLAGS") &&
         (has_marker(signs, kAksDirectory) || command_says(signs, "KUBELET_CONFIG_FILE_FLAGS"));
}

bool is_kops(const Signs& signs) {
  return command_says(signs, "\"$DAEMON_ARGS\"") && unit_reads(signs, "/etc/sysconfig/kubelet");
}

bool is_kind(const Signs& signs) {
  return has_drop_in(signs, "11-kind.conf") || has_marker(signs, kKindVersion);
}

bool is_minikube(const Signs& signs) {
  return has_drop_in(signs, "10-kubeadm.conf") && !unit_says(signs, "EnvironmentFile=") &&
         (has_marker(signs, kMinikubeHome) || settings_say(signs, "/var/lib/minikube/"));
}

// Others have an environment file of this name: the package of Arch Linux, Magnum, CoreOS. The words of the
// command are those of its template. Source: roles/kubernetes/node/templates/kubelet.service.j2.
bool is_kubespray(const Signs& signs) {
  return unit_reads(signs, "/etc/kubernetes/kubelet.env") &&
         command_says(signs, "$KUBE_LOGTOSTDERR") && command_says(signs, "$KUBELET_API_SERVER") &&
         command_says(signs, "$KUBELET_HOSTNAME") &&
         !unit_reads(signs, "/etc/sysconfig/heat-params");
}

// Others take over the names of kubeadm's files. A node that joined with kubeadm has the file that it makes
// for that in the command in force, by way of a variable.
bool is_kubeadm(const Signs& signs) {
  const bool its_words =
      command_says(signs, "KUBELET_KUBEADM_ARGS") ||
      (has_drop_in(signs, "10-kubeadm.conf") && command_says(signs, "KUBELET_KUBECONFIG_ARGS"));
  return its_words && settings_say(signs, "/etc/kubernetes/bootstrap-kubelet.conf");
}

bool is_anything(const Signs&) { return true; }

const std::vector<std::string>& kind_markers() {
  static const std::vector<std::string> markers = {
      kMachineConfigDaemon,
      kK3sDirectory,
      kRke2Directory,
      kEksBootstrap,
      kGkeHome,
      kAksDirectory,
      kMinikubeHome,
      kKindVersion,
      kCharmDirectory,
      // What runs a kubelet without systemd: resolve_command() says so.
      "/etc/init.d/kubelet",
      "/etc/init.d/k3s",
      "/etc/init.d/k3s-agent",
      "/etc/init.d/rke2-server",
      "/etc/init.d/rke2-agent",
      "/etc/init.d/k0sworker",
      "/etc/init.d/k0scontroller",
      "/etc/kubernetes/ssl/kubecfg-kube-node.yaml",
  };
  return markers;
}

}  // namespace kubelet_sysctl::nodes
