// SPDX-License-Identifier: Apache-2.0
// Whether systemd finds the program of a command.
#include "programs.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/paths.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"

namespace kubelet_sysctl::discover {
namespace {

/// ExecSearchPath= is known from this release on. Source: systemd NEWS for 250.
constexpr int kExecSearchPath = 250;
/// Builds for a merged /usr no longer search /sbin and /bin (measured on 255).
constexpr int kMergedUsr = 255;
constexpr std::uint32_t kAnyExecutable = 0111;

/// Where systemd searches for a program without a path; $PATH means nothing to it. Source:
/// systemd.exec(5) ExecSearchPath=, src/basic/path-util.h DEFAULT_PATH.
std::vector<std::string> program_directories(const nodes::NodeSnapshot& snapshot) {
  std::vector<std::string> directories;
  if (snapshot.systemd_version >= kExecSearchPath) {
    for (const systemd::UnitSetting& setting : snapshot.known.unit.settings.exec_search_path) {
      const std::string& text = setting.value.text;
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(':', at), text.size());
        if (end > at) directories.push_back(text.substr(at, end - at));
        at = end + 1;
      }
    }
  }
  if (!directories.empty()) return directories;
  directories = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"};
  if (snapshot.systemd_version < kMergedUsr) {
    directories.emplace_back("/sbin");
    directories.emplace_back("/bin");
  }
  return directories;
}

Result<bool> can_start(ports::FileSystem& files, const nodes::NodeSnapshot& snapshot,
                       const std::string& program) {
  std::vector<std::string> candidates = {program};
  if (!program.starts_with('/')) {
    candidates = program_directories(snapshot);
    for (std::string& directory : candidates) directory += "/" + program;
  }
  for (const std::string& path : candidates) {
    auto target = ports::target_of(files, path);
    if (!target) return std::move(target).error();
    const auto& entry = target->entry;
    if (entry && entry->kind == ports::EntryKind::kFile && (entry->mode & kAnyExecutable) != 0)
      return true;
  }
  return false;
}

}  // namespace

Status find_programs(ports::FileSystem& files, nodes::NodeSnapshot& snapshot) {
  const systemd::ParsedUnit& unit = snapshot.known.unit;
  for (const systemd::UnitSetting& setting : unit.settings.exec_start) {
    for (const systemd::StoredCommand& command : systemd::commands_of(unit, setting).commands) {
      auto startable = can_start(files, snapshot, command.program);
      if (!startable) return std::move(startable).error();
      snapshot.programs[command.program] = *startable;
    }
  }
  return {};
}

}  // namespace kubelet_sysctl::discover
