// SPDX-License-Identifier: Apache-2.0
// How a run ended, and the one table of exit codes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/advice.hpp"
#include "kubelet_sysctl/base/entry_list.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/planning/plan.hpp"

namespace kubelet_sysctl::transaction {

enum class OutcomeKind { kUnchanged, kPlanned, kApplied, kPending, kRolledBack, kStranded };

/// The word JSON uses: "unchanged", "planned", "applied", "pending", "rolled-back", "stranded".
const char* name_of(OutcomeKind kind);

/// One thing that was done, with the time it took.
struct Step {
  std::string what;  ///< "restart kubelet.service"
  std::int64_t milliseconds = 0;
  std::optional<Error> error;
  std::string done = {};  ///< "restarted kubelet (pid 27340)"; empty: `what` says it
};

/// What was seen of the process that runs now. An absent fact was not inspected or does not exist.
struct Evidence {
  std::int64_t pid = 0;
  std::int64_t started_at_ms = 0;          ///< since the epoch, UTC
  std::optional<bool> argv;                ///< the list is in the process's own arguments
  std::optional<std::string> config_file;  ///< the file it was started with, older than it
  std::string health;                      ///< "ok", "off", or what was seen instead
  model::Configz configz = model::Configz::kNotAsked;
  std::int64_t restarts = 0;  ///< automatic restarts since ours
  std::int64_t window_ms = 0;
};

/// Whose bytes a file of a change holds now.
enum class FileHolds : std::uint8_t {
  kOld,
  kNew,
  kTorn,     ///< parts of both
  kOther,    ///< what another process wrote since
  kUnknown,  ///< it cannot be read
};
/// The word of JSON: "old", "new", "torn", "other", "unknown".
std::string_view name_of(FileHolds holds);

/// One file of a change that is stranded, as it is on the disk now.
struct FileNow {
  std::string path;
  FileHolds holds = FileHolds::kUnknown;
};

struct Outcome {
  OutcomeKind kind = OutcomeKind::kUnchanged;
  planning::Verb verb = planning::Verb::kAdd;
  bool changed = false;  ///< files or process differ from before the run
  EntryList before;
  EntryList after;
  std::vector<planning::FileEdit> edits;
  bool restart = false;     ///< the kubelet was, or would be, restarted
  std::string transaction;  ///< id; empty when none was made
  std::optional<Evidence> evidence;
  std::vector<Step> steps;
  std::vector<Finding> findings;
  std::optional<Error> cause;           ///< why it was rolled back or stranded
  std::vector<std::string> last_words;  ///< the kubelet's own, oldest first
  std::string recognised;               ///< what those words mean, when known
  std::vector<std::string> commands;    ///< stranded: what a person types next
  std::vector<FileNow> on_disk;         ///< stranded: what each file of the change holds
  std::optional<bool> healthy;          ///< the kubelet of a node that was not restarted
  std::string in_progress;              ///< what another run does meanwhile
  bool was_down = false;                ///< the kubelet was not healthy before this run either
  std::int64_t trial_until_ms = 0;      ///< wall clock when the trial ends; 0: no trial
  std::vector<std::string>
      recovered;       ///< ids of older changes that this run brought to their end first
  AdviceMaker advice;  ///< the persistent way, where something rewrites what was edited
};

/// One row of the exit codes.
struct ExitCode {
  int code;
  std::string_view name;
  std::string_view meaning;
};

const std::vector<ExitCode>& exit_codes();
int exit_code_of(const Outcome& outcome, bool unchanged_is_77);
int exit_code_of(const Error& error);

}  // namespace kubelet_sysctl::transaction
