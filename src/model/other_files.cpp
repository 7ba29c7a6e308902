// SPDX-License-Identifier: Apache-2.0
// Settings of a unit after which the kubelet's paths are other files than the node's.
#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/model/config.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"

namespace kubelet_sysctl::model {
namespace {

bool is_at_or_below(std::string_view path, std::string_view directory) {
  while (directory.ends_with('/')) directory.remove_suffix(1);
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

/// True when one word of a setting, "SOURCE:DESTINATION:OPTIONS" or "PATH:OPTIONS", covers `path` with something
/// else.
bool covers(const systemd::UnitSetting& setting, std::string_view word, std::string_view path) {
  word.remove_prefix(std::min(word.find_first_not_of("-+"), word.size()));
  const std::size_t colon = std::min(word.find(':'), word.size());
  const std::string_view source = word.substr(0, colon);
  if (setting.key == "TemporaryFileSystem") return is_at_or_below(path, source);
  if (colon == word.size()) return false;  // the same path on both sides
  const std::string_view rest = word.substr(colon + 1);
  const std::string_view destination = rest.substr(0, rest.find(':'));
  return destination != source && is_at_or_below(path, destination);
}

bool hides(const systemd::UnitSetting& setting, const std::string& path) {
  if (path.empty()) return false;
  if (setting.key == "RootDirectory") return setting.value.text != "/";
  if (setting.key == "RootImage") return true;
  for (std::string_view rest = setting.value.text; !rest.empty();) {
    const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
    if (covers(setting, rest.substr(0, end), path)) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace

std::optional<Error> other_files(const nodes::NodeSnapshot& snapshot, const NodeModel& model) {
  if (!model.flags.lists.empty() || launcher_of(snapshot) != nullptr) return std::nullopt;
  for (const systemd::UnitSetting& setting : model.command.mounts) {
    for (const std::string* path : {&model.config_path, &model.config_dir}) {
      if (!hides(setting, *path)) continue;
      const std::int32_t source = setting.value.at.front().source;
      return error_at(
          ErrorKind::kUnsupported, snapshot.files[static_cast<std::size_t>(source)],
          setting.line_at,
          fmt::format("cannot determine what the kubelet reads at '{}': '{}=' puts other "
                      "files before it than this node has there",
                      *path, setting.key),
          "give the kubelet its list as the flag '--allowed-unsafe-sysctls', or remove this "
          "setting from the unit");
    }
  }
  return std::nullopt;
}

}  // namespace kubelet_sysctl::model
