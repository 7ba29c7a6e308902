// SPDX-License-Identifier: Apache-2.0
// Where a kubelet may be found on a node that has none of the usual units.
#include "unit_hints.hpp"

#include "kubelet_sysctl/unit_file.hpp"

namespace kubelet_sysctl {
namespace {

bool runs_kubelet(std::string_view command) {
  const std::string_view program = command.substr(0, command.find_first_of(" \t"));
  const std::string_view name = program.substr(program.find_last_of("/@-:+!|") + 1);
  if (name == "kubelet" || program.ends_with("/kubelet")) return true;
  if (name == "hyperkube" || name == "openshift") {
    return command.find(" kubelet") != std::string_view::npos ||
           command.find(" start node") != std::string_view::npos;
  }
  return command.find("/kubelet ") != std::string_view::npos;
}

}  // namespace

Status find_other_units(FileSystem& files, int version, NodeSnapshot& snapshot) {
  for (const std::string& directory : unit_search_path(version)) {
    auto entries = files.list(directory);
    if (!entries) return std::move(entries).error();
    for (const DirEntry& entry : *entries) {
      if (entry.kind != EntryKind::kFile || !entry.name.ends_with(".service")) continue;
      auto file = files.read(directory + "/" + entry.name);
      // It is only for a hint: what cannot be read is passed over.
      if (!file || !file->exists()) continue;
      for (const UnitSetting& setting : parse_unit_file(*file, kNoSource).settings) {
        if (setting.key != "ExecStart" || !runs_kubelet(setting.value.text)) continue;
        snapshot.markers[file->path] = true;
      }
    }
  }
  return {};
}

}  // namespace kubelet_sysctl
