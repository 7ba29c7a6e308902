// SPDX-License-Identifier: Apache-2.0
// Where the kubelet in force takes static pods from and whether it shows its pods without a credential.
#include <charconv>
#include <string_view>

#include "kubelet_sysctl/kubelet/config_merge.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/pods/pods.hpp"

namespace kubelet_sysctl::pods {
namespace {

constexpr int kDefaultReadOnlyPort = 10255;  // pkg/cluster/ports KubeletReadOnlyPort

/// A port as a flag or a file writes it; nothing from any other text.
std::optional<int> port_in(std::string_view text) {
  constexpr int kMost = 65535;
  int port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, port);
  if (text.empty() || fault != std::errc{} || stop != end) return std::nullopt;
  return port < 0 || port > kMost ? std::nullopt : std::optional<int>(port);
}

void read_flags(const kubelet::KubeletFlags& flags, PodPlaces& places) {
  if (flags.pod_manifest_path) places.static_pods = *flags.pod_manifest_path;
  if (flags.read_only_port) {
    places.read_only_port = port_in(*flags.read_only_port).value_or(places.read_only_port);
  }
  if (flags.address) places.read_only_address = *flags.address;
  if (flags.hostname_override) places.node_name = *flags.hostname_override;
}

/// The flags of the kubelet that runs, which admitted the pods; else those of the next.
kubelet::KubeletFlags flags_of(const model::NodeModel& model) {
  if (model.running) {
    // What a program that runs the kubelet inside it was started with is not the kubelet's.
    const bool inside = model.kind != nullptr && model.kind->launcher != nullptr &&
                        model.kind->launcher->place == nodes::KubeletPlace::kInside;
    const std::vector<std::string> none;
    const std::vector<std::string>& argv = inside ? none : model.running->process.argv;
    if (const auto start = kubelet::kubelet_arguments_start(argv))
      return kubelet::parse_kubelet_flags(argv, *start);
  }
  return model.flags;
}

}  // namespace

PodPlaces pod_places_of(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model) {
  PodPlaces places;
  const auto hostname = snapshot.specifiers.find('H');
  // In a tree it may be unknown, and then stands for itself.
  if (hostname != snapshot.specifiers.end() && hostname->second != "%H")
    places.node_name = hostname->second;
  const kubelet::KubeletFlags flags = flags_of(model);
  if (!flags.config || flags.config->empty()) places.read_only_port = kDefaultReadOnlyPort;
  // What a file does not mention stays.
  for (const model::ConfigFile& file : model::config_files_of(snapshot, model)) {
    const kubelet::ConfigReading& said = file.reading;
    if (said.static_pod_path) places.static_pods = *said.static_pod_path;
    if (said.read_only_port) {
      places.read_only_port = port_in(*said.read_only_port).value_or(places.read_only_port);
    }
    if (said.address) places.read_only_address = *said.address;
  }
  read_flags(flags, places);
  // Source: pkg/util/node GetHostname(): the name of the node is in small letters.
  for (char& byte : places.node_name) {
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  }
  if (!places.static_pods.empty() && places.static_pods.front() != '/') {
    const std::string base = snapshot.process_cwd == "/" ? "" : snapshot.process_cwd;
    places.static_pods = base + "/" + places.static_pods;
  }
  // A wildcard is bound everywhere, loopback included.
  std::string& address = places.read_only_address;
  if (address.empty() || address == "0.0.0.0") address = "127.0.0.1";
  if (address == "::") address = "::1";
  return places;
}

}  // namespace kubelet_sysctl::pods
