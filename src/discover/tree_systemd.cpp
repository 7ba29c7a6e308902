// SPDX-License-Identifier: Apache-2.0
// Which systemd a node's directory tree holds.
#include "tree_systemd.hpp"

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/specifiers.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"

namespace kubelet_sysctl::discover {
namespace {

/// "libsystemd-shared-252.so" in `directory`; two of them, of an upgrade half done, tell nothing.
Result<std::optional<int>> by_library(ports::FileSystem& files, const std::string& directory) {
  auto entries = files.list(directory);
  if (!entries) return std::move(entries).error();
  std::optional<int> found;
  for (const ports::DirEntry& entry : *entries) {
    if (!entry.name.starts_with("libsystemd-shared-")) continue;
    const auto version = systemd_version_in_maps("/" + entry.name);
    if (!version || version == found) continue;
    if (found) return std::optional<int>();
    found = version;
  }
  return found;
}

/// The one release that each of these distributions ships for its lifetime.
struct Shipped {
  std::string_view id;
  std::string_view release;
  int systemd;
};
constexpr std::array<Shipped, 8> kShipped = {{{"debian", "11", 247},
                                              {"debian", "12", 252},
                                              {"debian", "13", 257},
                                              {"ubuntu", "16.04", 229},
                                              {"ubuntu", "18.04", 237},
                                              {"ubuntu", "20.04", 245},
                                              {"ubuntu", "22.04", 249},
                                              {"ubuntu", "24.04", 255}}};

}  // namespace

Result<std::optional<int>> systemd_of_tree(ports::FileSystem& files) {
  for (const char* directory : {"/usr/lib/systemd", "/lib/systemd"}) {
    auto found = by_library(files, directory);
    if (!found || *found) return found;
  }
  auto directories = files.list("/usr/lib");
  if (!directories) return std::move(directories).error();
  for (const ports::DirEntry& entry : *directories) {
    // The directories of an architecture have two dashes: x86_64-linux-gnu.
    if (entry.name.find("-linux-") == std::string::npos) continue;
    auto found = by_library(files, "/usr/lib/" + entry.name + "/systemd");
    if (!found || *found) return found;
  }
  auto fields = systemd::os_release(files, systemd::kReferenceSystemd);
  if (!fields) return std::move(fields).error();
  for (const Shipped& row : kShipped) {
    if ((*fields)["ID"] == row.id && (*fields)["VERSION_ID"] == row.release) {
      return std::optional<int>(row.systemd);
    }
  }
  return std::optional<int>();
}

Result<std::vector<std::string>> default_environment(ports::FileSystem& files, int version) {
  constexpr std::array<const char*, 4> kDirectories = {
      "/etc/systemd/", "/run/systemd/", "/usr/local/lib/systemd/", "/usr/lib/systemd/"};
  std::vector<std::string> paths;
  std::map<std::string, std::string>
      drop_ins;  // by name: one of an earlier directory stands for all
  for (const std::string directory : kDirectories) {
    const std::string path = directory + "system.conf";
    const auto entry = files.stat(path);
    if (paths.empty() && entry && entry->has_value()) paths.push_back(path);
    const std::string below = path + ".d";
    auto entries = files.list(below);
    if (!entries) return std::move(entries).error();
    for (const ports::DirEntry& one : *entries) {
      if (systemd::is_drop_in_name(one.name))
        drop_ins.try_emplace(one.name, below + "/" + one.name);
    }
  }
  for (const auto& [name, path] : drop_ins) paths.push_back(path);
  systemd::Environment environment;
  for (const std::string& path : paths) {
    auto file = files.read(path);
    if (!file) return std::move(file).error();
    // The same syntax as a unit's: the section alone has another name.
    constexpr std::string_view kManager = "[Manager]";
    const std::size_t at = file->bytes.find(kManager);
    if (at == std::string::npos) continue;
    file->bytes.edit().replace(at, kManager.size(), "[Service]");
    std::vector<systemd::FormUse> unused;
    for (const systemd::UnitSetting& setting :
         systemd::parse_unit_file(*file, kNoSource, version).settings) {
      if (setting.key != "DefaultEnvironment") continue;
      if (setting.value.text.empty()) environment.clear();
      systemd::apply_environment(setting.value, {}, OriginKind::kManager, environment, unused,
                                 version);
    }
  }
  std::vector<std::string> found;
  for (const auto& [name, variable] : environment)
    found.push_back(name + "=" + variable.value.text.str());
  return found;
}

}  // namespace kubelet_sysctl::discover
