// SPDX-License-Identifier: Apache-2.0
// The table of commands.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "options.hpp"
#include "session.hpp"

namespace kubelet_sysctl::cli {

struct Session;

/// One command.
struct Command {
  CommandBit bit;
  std::string_view name;
  std::string_view title;      ///< one line, lower case
  std::string_view arguments;  ///< "ENTRY...", "[ID]"; empty when it takes none
  std::string_view about;      ///< what a person should know before using it
  std::string_view examples;   ///< one command line each, without indent
  int (*run)(Session& session) = nullptr;
};

/// Whether the option means something to the command.
inline bool takes(const Command& command, const OptionRow& row) {
  return (row.commands & command.bit) != 0;
}

extern const Command kShowCommand;
extern const Command kExplainCommand;
extern const Command kCheckCommand;
extern const Command kDoctorCommand;
extern const Command kAddCommand;
extern const Command kRemoveCommand;
extern const Command kSetCommand;
extern const Command kSyncCommand;
extern const Command kHistoryCommand;
extern const Command kUndoCommand;
extern const Command kRecoverCommand;
extern const Command kKeepCommand;

/// All commands, in help order.
const std::vector<const Command*>& all_commands();
/// The command of that name, or nullptr.
const Command* find_command(std::string_view name);

/// "0.1.0"
std::string_view tool_version();

}  // namespace kubelet_sysctl::cli
