// SPDX-License-Identifier: Apache-2.0
// The tables behind the command line: every command, and every option with the commands that take it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "session.hpp"

namespace kubelet_sysctl::cli {

struct Session;

/// One bit for each option, so that a command can say which it takes.
enum OptionBit : std::uint64_t {
  kTakesVia = 1ULL << 0U,
  kTakesFile = 1ULL << 1U,
  kTakesFromFile = 1ULL << 2U,
  kTakesExact = 1ULL << 3U,
  kTakesForce = 1ULL << 4U,
  kTakesDryRun = 1ULL << 5U,
  kTakesDiff = 1ULL << 6U,
  kTakesNoRestart = 1ULL << 7U,
  kTakesTimeout = 1ULL << 8U,
  kTakesWindow = 1ULL << 9U,
  kTakesNoRollback = 1ULL << 10U,
  kTakesReason = 1ULL << 11U,
  kTakesLockTimeout = 1ULL << 12U,
  kTakesUnchangedExit77 = 1ULL << 13U,
  kTakesUnit = 1ULL << 14U,
  kTakesRoot = 1ULL << 15U,
  kTakesSystemdVersion = 1ULL << 16U,
  kTakesOutput = 1ULL << 17U,
  kTakesColor = 1ULL << 18U,
  kTakesQuiet = 1ULL << 19U,
  kTakesVerbose = 1ULL << 20U,
  kTakesHelp = 1ULL << 21U,
  kTakesTrial = 1ULL << 22U,
  kTakesEndTrial = 1ULL << 23U,
  kTakesFix = 1ULL << 24U,
  kTakesExitCode = 1ULL << 25U,
  kTakesAllowWide = 1ULL << 26U,
  kTakesKubeletVersion = 1ULL << 27U,
  kTakesEvictPods = 1ULL << 28U,
  kTakesHost = 1ULL << 29U,
  kTakesConfigz = 1ULL << 30U,
  kTakesDropExpired = 1ULL << 31U,
  kTakesLasting = 1ULL << 32U,
  kTakesMetrics = 1ULL << 33U,  ///< --output with "prometheus" as well; stands in for kTakesOutput
  kTakesBeforeStart = 1ULL << 34U,
  kTakesKubeconfig = 1ULL << 35U,
  kTakesClientCertificate = 1ULL << 36U,
  kTakesClientKey = 1ULL << 37U,
  kTakesEmpty = 1ULL << 38U,
};

/// What every command takes.
inline constexpr std::uint64_t kEverywhere = kTakesHost | kTakesRoot | kTakesSystemdVersion |
                                             kTakesOutput | kTakesColor | kTakesVerbose |
                                             kTakesHelp;
/// What the commands take that look at the running kubelet or wait for it: --configz and its credentials.
inline constexpr std::uint64_t kForConfigz =
    kTakesConfigz | kTakesKubeconfig | kTakesClientCertificate | kTakesClientKey;
/// What the commands take that write.
inline constexpr std::uint64_t kForChanges =
    kTakesDryRun | kTakesDiff | kTakesNoRestart | kTakesTimeout | kTakesWindow | kTakesNoRollback |
    kTakesReason | kTakesLockTimeout | kTakesQuiet | kForConfigz;

/// One option as the help shows it.
struct OptionRow {
  OptionBit bit;
  std::string_view short_name;  ///< "-o"; may be empty
  std::string_view name;        ///< "--output"
  std::string_view value;       ///< "text|json"; empty for a switch
  std::string_view help;        ///< one line, or several separated by newlines
};

/// All options, in help order.
const std::vector<OptionRow>& all_options();

/// One command.
struct Command {
  std::string_view name;
  std::string_view title;      ///< one line, lower case
  std::string_view arguments;  ///< "ENTRY...", "[ID]"; empty when it takes none
  std::uint64_t options = 0;   ///< OptionBit of each option it takes
  std::string_view about;      ///< what a person should know before using it
  std::string_view examples;   ///< one command line each, without indent
  int (*run)(Session& session) = nullptr;
};

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
