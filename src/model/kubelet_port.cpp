// SPDX-License-Identifier: Apache-2.0
// Where the kubelet serves its API: its flag above its drop-ins above its file.
#include "kubelet_sysctl/model/kubelet_port.hpp"

#include <charconv>
#include <map>
#include <string>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/kubelet/config_merge.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/config.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl::model {
namespace {

/// The port of the files; nothing where they do not say.
int port_of_files(const nodes::NodeSnapshot& snapshot, const kubelet::KubeletFlags& flags,
                  int usual) {
  const std::string main = absolute(flags.config.value_or(""), snapshot.process_cwd);
  if (const SourceFile* file = nodes::find_file(snapshot, main);
      file != nullptr && file->exists()) {
    const auto read = kubelet::read_kubelet_config(file->bytes, kubelet::ConfigRole::kMain);
    if (read && read->ports.contains("port")) usual = read->ports.at("port");
  }
  const std::string directory = absolute(flags.config_dir.value_or(""), snapshot.process_cwd);
  const auto walk = snapshot.config_dirs.find(directory);
  if (directory.empty() || walk == snapshot.config_dirs.end()) return usual;
  std::map<std::string, int> spellings;
  for (const nodes::WalkEntry& entry : walk->second) {
    if (entry.source == kNoSource) continue;
    const SourceFile& file = snapshot.files[static_cast<std::size_t>(entry.source)];
    const auto read = kubelet::read_kubelet_config(file.bytes, kubelet::ConfigRole::kDropIn);
    if (!read) continue;
    for (const auto& [key, port] : read->ports) spellings[key] = port;
  }
  return kubelet::deciding_value(spellings, "port", merge_rule_of(snapshot), usual);
}

}  // namespace

int kubelet_port_of(const nodes::NodeSnapshot& snapshot, const std::vector<std::string>& words) {
  constexpr int kUsual = 10250;
  const auto start = kubelet::kubelet_arguments_start(words);
  if (!start) return kUsual;
  const kubelet::KubeletFlags flags = kubelet::parse_kubelet_flags(words, *start);
  for (auto use = flags.all.rbegin(); use != flags.all.rend(); ++use) {
    if (use->name != "port") continue;
    int port = 0;
    const char* end = use->value.data() + use->value.size();
    const auto [stop, error] = std::from_chars(use->value.data(), end, port);
    if (error == std::errc() && stop == end && port > 0) return port;
  }
  const int port = port_of_files(snapshot, flags, kUsual);
  return port > 0 ? port : kUsual;
}

}  // namespace kubelet_sysctl::model
