// SPDX-License-Identifier: Apache-2.0
// Files among those that were read.
#include "kubelet_sysctl/nodes/snapshot.hpp"

#include <algorithm>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"

namespace kubelet_sysctl::nodes {

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

systemd::ParsedUnit parsed_unit_of(const NodeSnapshot& snapshot) {
  std::vector<std::int32_t> sources = {snapshot.unit.fragment};
  sources.insert(sources.end(), snapshot.unit.drop_ins.begin(), snapshot.unit.drop_ins.end());
  const auto& known = snapshot.known.unit.files;
  systemd::ParsedUnit unit;
  unit.environment_files = snapshot.known.unit.environment_files;
  for (const std::int32_t source : sources) {
    if (source == kNoSource) continue;
    const auto file =
        std::find_if(known.begin(), known.end(),
                     [source](const systemd::ParsedUnitFile& one) { return one.source == source; });
    unit.files.push_back(
        file != known.end()
            ? *file
            : systemd::parse_file_of_unit(snapshot.files[static_cast<std::size_t>(source)], source,
                                          snapshot.specifiers, snapshot.systemd_version));
    systemd::apply_settings(unit.files.back().accepted, unit.settings);
  }
  return unit;
}

void forget_text(NodeSnapshot& snapshot, std::int32_t source) {
  ReadOn& known = snapshot.known;
  std::erase_if(known.unit.files,
                [source](const systemd::ParsedUnitFile& one) { return one.source == source; });
  known.unit.environment_files.erase(source);
  known.kind = nullptr;
  known.command.reset();
}

}  // namespace kubelet_sysctl::nodes
