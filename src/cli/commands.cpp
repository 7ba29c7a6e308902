// SPDX-License-Identifier: Apache-2.0
// The table of commands in help order.
#include "commands.hpp"

#include <algorithm>

namespace kubelet_sysctl::cli {

const std::vector<const Command*>& all_commands() {
  static const std::vector<const Command*> commands = {
      &kShowCommand,    &kExplainCommand, &kCheckCommand,   &kDoctorCommand,
      &kAddCommand,     &kRemoveCommand,  &kSetCommand,     &kSyncCommand,
      &kHistoryCommand, &kUndoCommand,    &kRecoverCommand, &kKeepCommand};
  return commands;
}

const Command* find_command(std::string_view name) {
  const auto& commands = all_commands();
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [name](const Command* one) { return one->name == name; });
  return found == commands.end() ? nullptr : *found;
}

}  // namespace kubelet_sysctl::cli
