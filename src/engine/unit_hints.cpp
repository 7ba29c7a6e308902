// SPDX-License-Identifier: Apache-2.0
// Where a kubelet may be found on a node that has none of the usual units.
#include "unit_hints.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/printable.hpp"
#include "kubelet_sysctl/procfs.hpp"
#include "kubelet_sysctl/unit_file.hpp"
#include "process.hpp"

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

bool is_number(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](char byte) { return byte >= '0' && byte <= '9'; });
}

}  // namespace

Status find_other_units(FileSystem& files, int version, NodeSnapshot& snapshot) {
  for (const char* program : {"/usr/bin/kubelet", "/usr/local/bin/kubelet", "/opt/bin/kubelet"}) {
    const auto entry = files.look(program);
    snapshot.markers[program] = !entry || entry->has_value();
  }
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

std::string find_kubelet_process(FileSystem& files) {
  const auto entries = files.list("/proc");
  // It is only for a hint: what cannot be read is passed over.
  if (!entries) return {};
  for (const DirEntry& entry : *entries) {
    if (!is_number(entry.name)) continue;
    const auto words = files.read("/proc/" + entry.name + "/cmdline");
    if (!words || !words->exists() || !is_kubelet(parse_cmdline(words->bytes))) continue;
    const auto groups = files.read("/proc/" + entry.name + "/cgroup");
    const std::string group = groups ? control_group_of(groups->bytes) : std::string();
    return group.empty()
               ? fmt::format("pid {}", entry.name)
               : fmt::format("pid {}, in the control group '{}'", entry.name, printable(group));
  }
  return {};
}

}  // namespace kubelet_sysctl
