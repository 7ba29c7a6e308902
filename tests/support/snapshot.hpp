// SPDX-License-Identifier: Apache-2.0
// Builds the facts of a node from texts, for tests of what is pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"

namespace kubelet_sysctl::built {

inline constexpr const char* kUnitPath = "/etc/systemd/system/kubelet.service";
inline constexpr const char* kDropInPath = "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf";
inline constexpr const char* kEnvPath = "/etc/default/kubelet";
inline constexpr const char* kConfigPath = "/var/lib/kubelet/config.yaml";

inline std::int32_t add_file(nodes::NodeSnapshot& snapshot, const std::string& path,
                             std::string bytes) {
  SourceFile file;
  file.path = path;
  file.real_path = path;
  file.kind = FileKind::kRegular;
  file.bytes = std::move(bytes);
  snapshot.files.push_back(std::move(file));
  return static_cast<std::int32_t>(snapshot.files.size() - 1);
}

/// A node with the unit kubelet.service and nothing else.
inline nodes::NodeSnapshot node_with_unit(std::string bytes) {
  nodes::NodeSnapshot snapshot;
  snapshot.unit.load = systemd::UnitLoad::kLoaded;
  snapshot.unit.name = "kubelet.service";
  snapshot.unit.id = "kubelet.service";
  snapshot.unit.names = {"kubelet.service"};
  snapshot.unit.fragment_path = kUnitPath;
  snapshot.unit.fragment = add_file(snapshot, kUnitPath, std::move(bytes));
  snapshot.specifiers = {{'n', "kubelet.service"}, {'E', "/etc"}};
  return snapshot;
}

inline void add_drop_in(nodes::NodeSnapshot& snapshot, std::string bytes) {
  snapshot.unit.drop_ins.push_back(add_file(snapshot, kDropInPath, std::move(bytes)));
}

}  // namespace kubelet_sysctl::built
