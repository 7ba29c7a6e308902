// SPDX-License-Identifier: Apache-2.0
// Variables that PassEnvironment= hands from process 1 to the unit.
#include "passed_environment.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"

namespace kubelet_sysctl::discover {
namespace {

/// The value of `name` in /proc/PID/environ. Source: proc(5): NAME=value strings, each ended by a NUL.
Result<std::optional<std::string>> value_in(ports::Ports& ports, std::int64_t pid,
                                            const std::string& name) {
  auto file = ports.files.read(fmt::format("/proc/{}/environ", pid));
  if (!file) return std::move(file).error();
  const std::string strings = '\0' + file->bytes.str();
  const std::size_t at = strings.find('\0' + name + '=');
  if (at == std::string::npos) return std::optional<std::string>();
  const std::size_t begin = at + name.size() + 2;
  return std::optional<std::string>(strings.substr(begin, strings.find('\0', begin) - begin));
}

Error unknown(const nodes::NodeSnapshot& snapshot, const systemd::UnitSetting& setting,
              const std::string& name, const std::string& why) {
  const auto source = static_cast<std::size_t>(setting.value.at.front().source);
  return error_at(
      ErrorKind::kUnsupported, snapshot.files[source], setting.line_at,
      fmt::format("cannot determine the value of '{}', which is passed on from process 1: {}", name,
                  why),
      "set it with 'Environment=' or in a file of 'EnvironmentFile='");
}

}  // namespace

Result<std::vector<std::string>> passed_variables(ports::Ports& ports,
                                                  const nodes::NodeSnapshot& snapshot,
                                                  const systemd::ServiceSettings& settings,
                                                  const std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (const systemd::UnitSetting& setting : settings.pass_environment) {
    for (const std::string& name : systemd::parse_name_list(setting.value, snapshot.specifiers)) {
      if (std::find(names.begin(), names.end(), name) == names.end()) continue;
      auto first = value_in(ports, 1, name);
      if (!first) return unknown(snapshot, setting, name, first.error().message);
      if (snapshot.process) {
        // Process 1 may have changed its environment since it began, and the kubelet got what it had then.
        auto own = value_in(ports, snapshot.process->pid, name);
        if (!own) return unknown(snapshot, setting, name, own.error().message);
        if (*own != *first) {
          return unknown(snapshot, setting, name,
                         "process 1 and the running kubelet have different values");
        }
      }
      if (*first) found.push_back(name + "=" + **first);
    }
  }
  return found;
}

}  // namespace kubelet_sysctl::discover
