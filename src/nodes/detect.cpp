// SPDX-License-Identifier: Apache-2.0
// How each kind of node is told: by what its unit says, and where that says nothing by a path that exists.
// What a later file of the unit resets counts for nothing: the settings in force decide.
#include "detect.hpp"

#include <algorithm>

#include "kubelet_sysctl/base/source.hpp"
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

/// The settings of the unit that are in force: what a later file resets is not among them.
systemd::ServiceSettings settings_of(const NodeSnapshot& snapshot) {
  systemd::ServiceSettings settings;
  for (const SourceFile* file : unit_files(snapshot)) {
    systemd::apply_settings(systemd::parse_unit_file(*file, find_source(snapshot, file->path)),
                            settings);
  }
  return settings;
}

bool any_says(const std::vector<systemd::UnitSetting>& settings, std::string_view text) {
  return std::any_of(settings.begin(), settings.end(), [text](const systemd::UnitSetting& one) {
    return one.value.text.find(text) != std::string::npos;
  });
}

/// True when the ExecStart= in force holds `text`. The cheap look comes first: few units hold it at all.
bool command_says(const NodeSnapshot& snapshot, std::string_view text) {
  return unit_says(snapshot, text) && any_says(settings_of(snapshot).exec_start, text);
}

/// True when the ExecStart= or an Environment= in force holds `text`.
bool settings_say(const NodeSnapshot& snapshot, std::string_view text) {
  if (!unit_says(snapshot, text)) return false;
  const systemd::ServiceSettings settings = settings_of(snapshot);
  return any_says(settings.exec_start, text) || any_says(settings.environment, text);
}

/// True when the program of the ExecStart= in force has this name, with or without a directory.
bool runs_program(const NodeSnapshot& snapshot, std::string_view name) {
  if (!unit_says(snapshot, name)) return false;
  const auto commands = settings_of(snapshot).exec_start;
  return std::any_of(commands.begin(), commands.end(), [name](const systemd::UnitSetting& one) {
    std::string_view program = one.value.text;
    program = program.substr(0, program.find_first_of(" \t"));
    // Source: systemd.service(5), the prefixes of a command line.
    program.remove_prefix(std::min(program.find_first_not_of("@-:+!|"), program.size()));
    return program.substr(program.rfind('/') + 1) == name;
  });
}

/// True when the unit reads this environment file, needed or optional.
bool unit_reads(const NodeSnapshot& snapshot, std::string_view path) {
  if (!unit_says(snapshot, path)) return false;
  const auto files = settings_of(snapshot).environment_files;
  return std::any_of(files.begin(), files.end(), [path](const systemd::UnitSetting& one) {
    std::string_view text = one.value.text;
    if (text.starts_with('-')) text.remove_prefix(1);
    return text == path;
  });
}

bool has_drop_in(const NodeSnapshot& snapshot, std::string_view name) {
  const auto files = unit_files(snapshot);
  return std::any_of(files.begin(), files.end(), [&](const SourceFile* file) {
    const std::string_view path = file->path;
    return path.ends_with(name) && path.substr(0, path.size() - name.size()).ends_with('/');
  });
}

std::string_view unit_of(const NodeSnapshot& snapshot) {
  return snapshot.unit.id.empty() ? snapshot.unit.name : snapshot.unit.id;
}

/// A distribution that runs the kubelet inside its own program: its unit, or its files where there
/// is no unit of the kubelet at all.
bool is_embedded(const NodeSnapshot& snapshot, std::string_view name, const char* directory) {
  const std::string_view unit = unit_of(snapshot);
  const std::string_view stem = unit.substr(0, unit.find('.'));
  if (stem == name || (stem.starts_with(name) && stem.substr(name.size()).starts_with('-'))) {
    return true;
  }
  return snapshot.unit.load == systemd::UnitLoad::kNotFound && has_marker(snapshot, directory);
}

}  // namespace

bool is_talos(const NodeSnapshot& snapshot) { return snapshot.os_id == "talos"; }

bool is_bottlerocket(const NodeSnapshot& snapshot) { return snapshot.os_id == "bottlerocket"; }

bool is_openshift(const NodeSnapshot& snapshot) {
  // A directory that somebody left behind does not make one of a node that kubeadm made.
  return snapshot.os_id == "rhcos" || command_says(snapshot, "kubenswrapper") ||
         (has_marker(snapshot, kMachineConfigDaemon) && !is_kubeadm(snapshot));
}

bool is_k3s(const NodeSnapshot& snapshot) { return is_embedded(snapshot, "k3s", kK3sDirectory); }

bool is_rke2(const NodeSnapshot& snapshot) { return is_embedded(snapshot, "rke2", kRke2Directory); }

bool is_microk8s(const NodeSnapshot& snapshot) {
  return unit_of(snapshot) == "snap.microk8s.daemon-kubelite.service";
}

bool is_k8s_snap(const NodeSnapshot& snapshot) {
  return unit_of(snapshot) == "snap.k8s.kubelet.service";
}

bool is_k0s(const NodeSnapshot& snapshot) {
  return unit_of(snapshot) == "k0sworker.service" || unit_of(snapshot) == "k0scontroller.service";
}

bool is_typhoon(const NodeSnapshot& snapshot) {
  const bool contained = runs_program(snapshot, "podman") || runs_program(snapshot, "docker");
  return contained && unit_says(snapshot, "KUBELET_IMAGE") &&
         (unit_says(snapshot, "podman run ") || unit_says(snapshot, "docker run "));
}

bool is_eks_al2023(const NodeSnapshot& snapshot) {
  return unit_reads(snapshot, "/etc/eks/kubelet/environment") &&
         command_says(snapshot, "NODEADM_KUBELET_ARGS");
}

bool is_eks_al2(const NodeSnapshot& snapshot) {
  return has_drop_in(snapshot, "10-kubelet-args.conf") && command_says(snapshot, "$KUBELET_ARGS") &&
         (has_marker(snapshot, kEksBootstrap) ||
          command_says(snapshot, "/etc/kubernetes/kubelet/kubelet-config.json"));
}

bool is_eks_ubuntu(const NodeSnapshot& snapshot) {
  return unit_of(snapshot) == "snap.kubelet-eks.daemon.service";
}

bool is_kubelet_snap(const NodeSnapshot& snapshot) {
  return unit_of(snapshot) == "snap.kubelet.daemon.service";
}

// The snap alone is nobody's sign: anyone may install it. The charm keeps its files in a place of its own.
bool is_charmed(const NodeSnapshot& snapshot) {
  return is_kubelet_snap(snapshot) && has_marker(snapshot, kCharmDirectory);
}

bool is_ack(const NodeSnapshot& snapshot) {
  return settings_say(snapshot, "/var/lib/kubelet/ack-managed-config.yaml") ||
         (unit_reads(snapshot, "/etc/kubernetes/kubelet-customized-args.conf") &&
          command_says(snapshot, "KUBELET_CUSTOMIZED_ARGS"));
}

bool is_gardener(const NodeSnapshot& snapshot) {
  return unit_reads(snapshot, "/var/lib/kubelet/extra_args") && !is_kubeadm(snapshot);
}

bool is_cluster_api(const NodeSnapshot& snapshot) {
  return has_drop_in(snapshot, "11-resource-sizing.conf") && is_kubeadm(snapshot);
}

bool is_gke(const NodeSnapshot& snapshot) {
  return command_says(snapshot, "KUBELET_OPTS") && unit_reads(snapshot, "/etc/default/kubelet") &&
         (has_marker(snapshot, kGkeHome) || settings_say(snapshot, "/home/kubernetes/"));
}

bool is_aks(const NodeSnapshot& snapshot) {
  return command_says(snapshot, "KUBELET_FLAGS") &&
         (has_marker(snapshot, kAksDirectory) ||
          command_says(snapshot, "KUBELET_CONFIG_FILE_FLAGS"));
}

bool is_kops(const NodeSnapshot& snapshot) {
  return command_says(snapshot, "\"$DAEMON_ARGS\"") &&
         unit_reads(snapshot, "/etc/sysconfig/kubelet");
}

bool is_kind(const NodeSnapshot& snapshot) {
  return has_drop_in(snapshot, "11-kind.conf") || has_marker(snapshot, kKindVersion);
}

bool is_minikube(const NodeSnapshot& snapshot) {
  return has_drop_in(snapshot, "10-kubeadm.conf") && !unit_says(snapshot, "EnvironmentFile=") &&
         (has_marker(snapshot, kMinikubeHome) || settings_say(snapshot, "/var/lib/minikube/"));
}

// Others have an environment file of this name: the package of Arch Linux, Magnum, CoreOS. The words of the
// command are those of its template. Source: roles/kubernetes/node/templates/kubelet.service.j2.
bool is_kubespray(const NodeSnapshot& snapshot) {
  return unit_reads(snapshot, "/etc/kubernetes/kubelet.env") &&
         command_says(snapshot, "$KUBE_LOGTOSTDERR") &&
         command_says(snapshot, "$KUBELET_API_SERVER") &&
         command_says(snapshot, "$KUBELET_HOSTNAME") &&
         !unit_reads(snapshot, "/etc/sysconfig/heat-params");
}

// Others take over the names of kubeadm's files. A node that joined with kubeadm has the file that it makes
// for that in the command in force, by way of a variable.
bool is_kubeadm(const NodeSnapshot& snapshot) {
  const bool its_words = command_says(snapshot, "KUBELET_KUBEADM_ARGS") ||
                         (has_drop_in(snapshot, "10-kubeadm.conf") &&
                          command_says(snapshot, "KUBELET_KUBECONFIG_ARGS"));
  return its_words && settings_say(snapshot, "/etc/kubernetes/bootstrap-kubelet.conf");
}

bool is_anything(const NodeSnapshot&) { return true; }

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
