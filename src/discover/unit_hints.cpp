// SPDX-License-Identifier: Apache-2.0
// Where a kubelet may be found on a node that has none of the usual units.
#include "unit_hints.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/printable.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/discover/process.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"

namespace kubelet_sysctl::discover {
namespace {

/// The words of a command, quotes taken off their ends: enough for a hint.
std::vector<std::string_view> words_in(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \t", at), text.size());
    std::string_view word = text.substr(at, end - at);
    at = end + 1;
    while (word.starts_with('"') || word.starts_with('\'')) word.remove_prefix(1);
    while (word.ends_with('"') || word.ends_with('\'')) word.remove_suffix(1);
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

/// True for a word that is a program of the kubelet and not a directory of it: "/opt/bin/kubelet",
/// "/kubelet" of an image.
bool is_kubelet_program(std::string_view word) {
  if (base_name(word) != "kubelet" || !word.starts_with('/')) return false;
  const std::string_view directory = word.substr(0, word.rfind('/'));
  return directory.empty() || base_name(directory) == "bin";
}

/// True for a command that ends in a kubelet, whatever is before it.
bool runs_kubelet(std::string_view command) {
  const auto words =
      words_in(command.substr(std::min(command.find_first_not_of("@-:+!|"), command.size())));
  if (words.empty()) return false;
  const std::string_view name = base_name(words.front());
  if (name.starts_with("kubelet")) return true;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view next = i + 1 < words.size() ? words[i + 1] : std::string_view{};
    if (i > 0 && is_kubelet_program(words[i])) return true;
    if (base_name(words[i]) == "hyperkube" && next == "kubelet") return true;
    if (i > 0 && base_name(words[i]).starts_with("kubelet-wrapper")) return true;
  }
  return name == "openshift" && command.find(" start node") != std::string_view::npos;
}

/// True when a file of a unit says a command that runs a kubelet.
bool says_kubelet(ports::FileSystem& files, const std::string& path) {
  const auto file = files.read(path);
  // It is only for a hint: what cannot be read is passed over.
  if (!file || !file->exists()) return false;
  const auto settings = systemd::parse_unit_file(*file, kNoSource).settings;
  return std::any_of(settings.begin(), settings.end(), [](const systemd::UnitSetting& setting) {
    return setting.key == "ExecStart" && runs_kubelet(setting.value.text);
  });
}

/// The unit of a drop-in directory that says such a command: "/etc/systemd/system/node.service".
bool drop_ins_say_kubelet(ports::FileSystem& files, const std::string& directory) {
  const auto entries = files.list(directory);
  if (!entries) return false;
  return std::any_of(entries->begin(), entries->end(), [&](const ports::DirEntry& entry) {
    return systemd::is_drop_in_name(entry.name) &&
           says_kubelet(files, directory + "/" + entry.name);
  });
}

/// Scripts of OpenRC say so in their first line; another is of another process.
void find_openrc(ports::FileSystem& files, nodes::NodeSnapshot& snapshot) {
  std::vector<std::string> scripts;
  for (const auto& [path, exists] : snapshot.markers) {
    if (exists && path.starts_with("/etc/init.d/")) scripts.push_back(path);
  }
  for (const std::string& path : scripts) {
    const auto file = files.read(path);
    const std::string first = file ? file->bytes.substr(0, file->bytes.find('\n')) : std::string();
    const bool openrc = first.find("openrc-run") != std::string::npos ||
                        first.find("runscript") != std::string::npos;
    snapshot.markers["openrc:" + path] = openrc;
  }
}

}  // namespace

Status find_other_units(ports::FileSystem& files, int version, nodes::NodeSnapshot& snapshot) {
  for (const char* program : {"/usr/bin/kubelet", "/usr/local/bin/kubelet", "/opt/bin/kubelet"}) {
    const auto entry = files.stat(program);
    snapshot.markers[program] = !entry || entry->has_value();
  }
  find_openrc(files, snapshot);
  for (const std::string& directory : systemd::unit_search_path(version)) {
    auto entries = files.list(directory);
    if (!entries) return std::move(entries).error();
    for (const ports::DirEntry& entry : *entries) {
      const std::string path = directory + "/" + entry.name;
      const bool is_file =
          entry.kind == ports::EntryKind::kFile || entry.kind == ports::EntryKind::kSymlink;
      if (is_file && entry.name.ends_with(".service")) {
        if (says_kubelet(files, path)) snapshot.markers[path] = true;
      } else if (entry.name.ends_with(".service.d") && drop_ins_say_kubelet(files, path)) {
        snapshot.markers[path.substr(0, path.size() - 2)] = true;
      }
    }
  }
  return {};
}

std::string find_kubelet_process(ports::FileSystem& files) {
  const auto entries = files.list("/proc");
  // It is only for a hint: what cannot be read is passed over.
  if (!entries) return {};
  for (const ports::DirEntry& entry : *entries) {
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

}  // namespace kubelet_sysctl::discover
