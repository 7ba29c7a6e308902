// SPDX-License-Identifier: Apache-2.0
// Answers of `check` as text and JSON.
#pragma once

#include <string>

#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/pods/verdicts.hpp"

namespace kubelet_sysctl::report {

/// A table of the entries with the reasons below it, then each pod; with verbose the names of a
/// pattern too.
std::string verdicts_text(const pods::Verdicts& verdicts, const pods::VerdictContext& context,
                          const TextStyle& style);
/// A document of docs/json-schema.json; one line, no final newline.
std::string verdicts_json(const pods::Verdicts& verdicts, const pods::VerdictContext& context,
                          bool verbose);

}  // namespace kubelet_sysctl::report
