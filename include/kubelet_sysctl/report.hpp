// SPDX-License-Identifier: Apache-2.0
// Text for people and versioned JSON for scripts, from models, plans, outcomes and errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kubelet_sysctl/error.hpp"
#include "kubelet_sysctl/model.hpp"
#include "kubelet_sysctl/outcome.hpp"
#include "kubelet_sysctl/transaction.hpp"

namespace kubelet_sysctl {

/// How text is laid out.
struct TextStyle {
  bool colour = false;
  std::size_t columns = 100;
  bool verbose = false;
};

/// When a history is told, and under which boot of the kernel: so a trial still runs, or is over.
struct Moment {
  std::int64_t now_ms = 0;  ///< wall clock, since the epoch, UTC
  std::string boot_id;
  /// What the run that holds the lock does: "add kernel.msgmax, pid 272, since 4 s"; empty when none is at
  /// work. The open records are in its hands then.
  std::string in_progress = {};
};

/// Changes that are not at their end.
struct OpenChanges {
  std::string in_progress;              ///< what another run does now, "" when none is at work
  std::vector<Transaction> unfinished;  ///< those that `recover` closes; newest last
  std::vector<Transaction> trials;      ///< those that run; newest last
};
OpenChanges open_changes(const std::vector<Transaction>& transactions, const Moment& moment);

/// "kubelet-sysctl: error: PATH:LINE:COLUMN: message", the line with a caret under it (a window around
/// the place, so that a long line of arguments is not echoed whole), the hint and the detail.
std::string error_text(const Error& error, const TextStyle& style);
/// "kubelet-sysctl: warning: …" in the same form.
std::string finding_text(const Finding& finding, const TextStyle& style);

std::string show_text(const NodeSnapshot& snapshot, const NodeModel& model, const TextStyle& style,
                      const OpenChanges& open = {});
/// What doctor found, worst first, and what it could not look at.
std::string doctor_text(const NodeSnapshot& snapshot, const NodeModel& model,
                        const std::vector<Finding>& findings,
                        const std::vector<std::string>& not_looked, const TextStyle& style);
/// "note: in progress: add kernel.msgmax, …" and a line end; nothing where no run is at work.
std::string in_progress_text(const Moment& moment, const TextStyle& style);
std::string explain_text(const NodeSnapshot& snapshot, const CommandLine& command,
                         const TextStyle& style);
/// The report of a verb that changes: what changed, the evidence, what was rolled back and why.
std::string outcome_text(const Outcome& outcome, const TextStyle& style);
/// The advice of an outcome that did not go wrong, as a person reads it; empty where there is none.
std::string lasting_text(const Outcome& outcome);
/// Document and commands of an advice, safe for a terminal.
std::string advice_lines(const Advice& advice);
/// One finished step, "  restart kubelet.service  41 ms".
std::string step_text(const Step& step, const TextStyle& style);

/// The change of one file. Configuration files: a unified diff. Argument files and units: the changed
/// words alone, old and new, since a line of arguments may hold secrets.
std::string diff_text(const FileEdit& edit, const TextStyle& style);

/// All records as a table, newest last.
std::string history_text(const std::vector<Transaction>& all, const Moment& moment,
                         const TextStyle& style);
/// All of one record, which holds its bytes; `all` tells what undid it.
std::string transaction_text(const Transaction& one, const std::vector<Transaction>& all,
                             const Moment& moment, const TextStyle& style);
/// The line of unfinished_line() as a warning that says what to type for the node under `root`;
/// nothing for an empty line.
std::string unfinished_text(const std::string& line, const std::string& root,
                            const TextStyle& style);

/// A file of a record as the change that it was, for diff_text(). Errors: those of written_bytes().
Result<FileEdit> edit_of(const JournalFile& file);

/// Documents of docs/json-schema.json; one line, no final newline. `version` is the kubelet's, or empty.
std::string status_json(const NodeSnapshot& snapshot, const NodeModel& model,
                        const OpenChanges& open = {});
std::string doctor_json(const NodeSnapshot& snapshot, const NodeModel& model,
                        const std::vector<Finding>& findings,
                        const std::vector<std::string>& not_looked,
                        const std::string& in_progress = {});
std::string command_line_json(const NodeSnapshot& snapshot, const CommandLine& command);
std::string outcome_json(const Outcome& outcome);
std::string error_json(const Error& error);
/// The records of `shown`; `all` tells what undid them. `with_diffs` where they hold their bytes.
std::string history_json(const std::vector<Transaction>& shown, const std::vector<Transaction>& all,
                         const Moment& moment, bool with_diffs);

/// RFC 3339 in UTC, to the second: "2026-11-20T22:57:26Z".
std::string rfc3339(std::int64_t ms_since_epoch);

}  // namespace kubelet_sysctl
