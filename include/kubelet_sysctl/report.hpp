// SPDX-License-Identifier: Apache-2.0
// Text for people and versioned JSON for scripts, from models, plans, outcomes and errors.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kubelet_sysctl/error.hpp"
#include "kubelet_sysctl/model.hpp"
#include "kubelet_sysctl/outcome.hpp"

namespace kubelet_sysctl {

/// How text is laid out.
struct TextStyle {
  bool colour = false;
  std::size_t columns = 100;
  bool verbose = false;
};

/// "kubelet-sysctl: error: PATH:LINE:COLUMN: message", the line with a caret under it (a window around
/// the place, so that a long line of arguments is not echoed whole), and the hint.
std::string error_text(const Error& error, const TextStyle& style);
/// "kubelet-sysctl: warning: …" in the same form.
std::string finding_text(const Finding& finding, const TextStyle& style);

std::string show_text(const NodeSnapshot& snapshot, const NodeModel& model, const TextStyle& style);
std::string explain_text(const NodeSnapshot& snapshot, const CommandLine& command,
                         const TextStyle& style);
/// The report of a verb that changes: what changed, the evidence, what was rolled back and why.
std::string outcome_text(const Outcome& outcome, const TextStyle& style);
/// One finished step, "  restart kubelet.service  41 ms".
std::string step_text(const Step& step, const TextStyle& style);

/// The change of one file. Configuration files: a unified diff. Argument files and units: the changed
/// words alone, old and new, since a line of arguments may hold secrets.
std::string diff_text(const FileEdit& edit, const TextStyle& style);

/// Documents of docs/json-schema.json; one line, no final newline. `version` is the kubelet's, or empty.
std::string status_json(const NodeSnapshot& snapshot, const NodeModel& model);
std::string command_line_json(const NodeSnapshot& snapshot, const CommandLine& command);
std::string outcome_json(const Outcome& outcome);
std::string error_json(const Error& error);

/// RFC 3339 in UTC, to the second: "2026-11-20T22:57:26Z".
std::string rfc3339(std::int64_t ms_since_epoch);

}  // namespace kubelet_sysctl
