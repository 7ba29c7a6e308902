// SPDX-License-Identifier: Apache-2.0
// Text for people and versioned JSON for scripts, from models, plans, outcomes and errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/advice.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::report {

/// Takes a report piece by piece, since a list may have thousands of entries; a piece of text ends with a line.
using Sink = std::function<void(std::string_view)>;

/// "kubelet-sysctl: error: PATH:LINE:COLUMN: message", the line with a caret under it (a window around
/// the place, so that a long line of arguments is not echoed whole), the hint and the detail.
std::string error_text(const Error& error, const TextStyle& style);
/// "kubelet-sysctl: warning: …" in the same form.
std::string finding_text(const Finding& finding, const TextStyle& style);

/// The state of a node in a word, the worst first: what `show -q` prints and the report begins with.
enum class NodeState {
  kDown,       ///< the kubelet does not run, or is not healthy
  kBroken,     ///< it runs, and an error was found
  kUnknown,    ///< it runs, with which list is unknown
  kDrift,      ///< it runs with another list than the configured one
  kOk,         ///< it runs with the configured list
  kFilesOnly,  ///< files of a tree, no process was asked
};
/// By the findings of `model`, which are there.
NodeState state_of(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model);
/// "down", "broken", "unknown", "drift", "ok", "files"
const char* name_of(NodeState state);

void write_show_text(const Sink& out, const nodes::NodeSnapshot& snapshot,
                     const model::NodeModel& model, const TextStyle& style,
                     const transaction::OpenChanges& open);
/// What doctor found, worst first, and what it could not inspect.
std::string doctor_text(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                        const std::vector<Finding>& findings,
                        const std::vector<std::string>& not_inspected, const TextStyle& style);
/// "note: in progress: add kernel.msgmax, …" and a line end; nothing where no run is at work.
std::string in_progress_text(const transaction::Moment& moment, const TextStyle& style);
std::string explain_text(const nodes::NodeSnapshot& snapshot, const systemd::CommandLine& command,
                         const TextStyle& style);
/// The report of a verb that changes: what changed, the evidence, what was rolled back and why.
std::string outcome_text(const transaction::Outcome& outcome, const TextStyle& style);
/// The advice of an outcome that succeeded, as text; empty where there is none.
std::string persistent_text(const transaction::Outcome& outcome);
/// Document and commands of an advice, safe for a terminal.
std::string advice_lines(const Advice& advice);
/// One finished step, "  restart kubelet.service  41 ms".
std::string step_text(const transaction::Step& step, const TextStyle& style);

/// All records as a table, newest last.
std::string history_text(const std::vector<transaction::Transaction>& all,
                         const transaction::Moment& moment, const TextStyle& style);
/// All of one record, which holds its bytes; `all` says what undid it.
std::string transaction_text(const transaction::Transaction& one,
                             const std::vector<transaction::Transaction>& all,
                             const transaction::Moment& moment, const TextStyle& style);
/// The line of unfinished_line() as a warning that says what to type for the node under `root`;
/// nothing for an empty line.
std::string unfinished_text(const std::string& line, const std::string& root,
                            const TextStyle& style);

/// Documents of docs/json-schema.json; one line, its end only where they are written piece by piece. `version` is the kubelet's, or empty.
void write_status_json(const Sink& out, const nodes::NodeSnapshot& snapshot,
                       const model::NodeModel& model, const transaction::OpenChanges& open);
std::string doctor_json(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                        const std::vector<Finding>& findings,
                        const std::vector<std::string>& not_inspected,
                        const std::string& in_progress = {});
std::string command_line_json(const systemd::CommandLine& command);
void write_outcome_json(const Sink& out, const transaction::Outcome& outcome, int exit);
std::string error_json(const Error& error);
/// The records of `shown`; `all` says what undid them. `with_diffs` where they hold their bytes.
std::string history_json(const std::vector<transaction::Transaction>& shown,
                         const std::vector<transaction::Transaction>& all,
                         const transaction::Moment& moment, bool with_diffs);

}  // namespace kubelet_sysctl::report
