// SPDX-License-Identifier: Apache-2.0
// --host: what the command line asks for is done on the node that this container runs on.
#include "enter_node.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "cli.hpp"
#include "commands.hpp"
#include "entries.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/log.hpp"
#include "kubelet_sysctl/machine/runtime_environment.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "options.hpp"

namespace kubelet_sysctl::cli {
namespace {

/// Where this very release is on the node, for a timer that outlives the container. Empty when
/// nowhere: another release might not read the record of the change.
std::string program_of_node(ports::Ports& ports) {
  constexpr std::array<const char*, 5> kPlaces = {
      "/usr/local/bin/kubelet-sysctl", "/usr/local/sbin/kubelet-sysctl", "/usr/bin/kubelet-sysctl",
      "/usr/sbin/kubelet-sysctl", "/opt/bin/kubelet-sysctl"};
  constexpr Milliseconds kDeadline{5000};
  const std::string expected = fmt::format("kubelet-sysctl {}\n", tool_version());
  for (const char* place : kPlaces) {
    const auto said = ports.programs.output_of(place, {"--version"}, kDeadline);
    if (said && *said == expected) return place;
  }
  return {};
}

}  // namespace

std::vector<std::string> host_after_command(std::vector<std::string> words) {
  const auto command = std::find_if(words.begin(), words.end(),
                                    [](const std::string& word) { return word != "--host"; });
  if (command == words.end()) return {};
  const bool leads = command != words.begin();
  const bool takes_it = find_command(*command) != nullptr;
  words.erase(words.begin(), command);
  if (leads && takes_it) words.insert(words.begin() + 1, "--host");
  return words;
}

Status go_to_host(Options& options, CliEnvironment& host) {
  if (!options.host) return {};
  // A file of the command line is one that its author sees: a mounted ConfigMap, say.
  if (!options.from_file.empty() && options.from_file != "-") {
    auto file = named_file(options, host);
    if (!file) return std::move(file).error();
    options.file_of_container = std::move(*file);
  }
  const auto entered = host.enter_host();
  if (!entered) {
    Error error = entered.error();
    // No manifest helps there, and fail() says so.
    if (host.runtime_environment == machine::RuntimeEnvironment::kFargate)
      error.kind = ErrorKind::kNoSystemd;
    return error;
  }
  machine::log(*entered ? "entered the namespaces of process 1"
                        : "--host: already in the namespaces of process 1");
  if (!*entered) return {};
  host.runtime_environment = machine::RuntimeEnvironment::kMachine;
  host.sudo_user.clear();
  host.program.clear();
  if (!options.trial) return {};
  ports::Ports ports = host.open(options.root);
  host.program = program_of_node(ports);
  if (!host.program.empty()) return {};
  return Error{
      .kind = ErrorKind::kRefused,
      .message = fmt::format("will not begin a trial from a container: the timer that ends it runs "
                             "on the node, and the node has no kubelet-sysctl {}",
                             tool_version()),
      .hint = "install it there as '/usr/local/bin/kubelet-sysctl', or leave out '--trial'"};
}

}  // namespace kubelet_sysctl::cli
