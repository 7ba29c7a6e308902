// SPDX-License-Identifier: Apache-2.0
// Names of sysctls for a word that is being typed, from the files of the kernel.
#include <algorithm>
#include <array>
#include <utility>

#include "completion.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"

namespace kubelet_sysctl::cli {
namespace {

/// The groups of which a pod can have something of its own. Source: the kubelet's table,
/// component-helpers node/util/sysctl/namespace.go.
constexpr std::array<std::string_view, 3> kGroups = {"fs.mqueue.", "kernel.", "net."};

std::string path_of(std::string_view stem) {
  std::string path = "/proc/sys/";
  for (const char byte : stem) {
    // The other way round, a dot in the name of an interface was written as a slash.
    path += byte == '.' ? '/' : byte == '/' ? '.' : byte;
  }
  return path;
}

/// True for net.ipv4.conf., net.ipv6.neigh. and the like: one folder for each interface.
bool holds_interfaces(std::string_view stem) {
  return stem.ends_with(".conf.") || stem.ends_with(".neigh.");
}

bool can_begin(std::string_view stem, std::string_view prefix) {
  return stem.starts_with(prefix) || prefix.starts_with(stem);
}

class Walk {
 public:
  Walk(ports::FileSystem& files, std::string_view prefix) : files_(files), prefix_(prefix) {}

  /// Takes what lies below `stem`, which ends in a dot.
  void below(const std::string& stem) {
    if (!can_begin(stem, prefix_)) return;
    auto entries = files_.list(path_of(stem));
    if (!entries) return;
    for (const ports::DirEntry& entry : *entries) {
      std::string component = entry.name;
      std::replace(component.begin(), component.end(), '.', '/');
      std::string name = stem + component;
      if (entry.kind == ports::EntryKind::kDirectory) {
        directory(stem, name + '.');
      } else if (name.starts_with(prefix_) &&
                 !sysctl::rejection_by(sysctl::RuleSet::kFrom129, name)) {
        names_.push_back(std::move(name));
      }
    }
  }

  std::vector<std::string> names() {
    std::sort(names_.begin(), names_.end());
    return std::move(names_);
  }

 private:
  void directory(const std::string& parent, const std::string& stem) {
    if (!holds_interfaces(parent) || prefix_.starts_with(stem)) return below(stem);
    if (stem.starts_with(prefix_)) names_.push_back(stem);
  }

  ports::FileSystem& files_;
  std::string_view prefix_;
  std::vector<std::string> names_;
};

}  // namespace

std::vector<std::string> kernel_names(ports::FileSystem& files, std::string_view prefix) {
  Walk walk(files, prefix);
  for (const std::string_view group : kGroups) walk.below(std::string(group));
  return walk.names();
}

}  // namespace kubelet_sysctl::cli
