// SPDX-License-Identifier: Apache-2.0
// What doctor prints: the node, its findings with their fixes, and what was not inspected.
#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/printable.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::report {
namespace {

std::string counts_text(const std::vector<Finding>& findings) {
  const auto count = [&findings](Severity severity) {
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(),
                      [severity](const Finding& one) { return one.severity == severity; }));
  };
  std::string out;
  const auto add = [&out](std::size_t number, std::string_view one, std::string_view many) {
    if (number == 0) return;
    out += fmt::format("{}{}", out.empty() ? "" : ", ", count_text(number, one, many));
  };
  add(count(Severity::kError), "error", "errors");
  add(count(Severity::kWarning), "warning", "warnings");
  add(count(Severity::kNote), "note", "notes");
  return out;
}

}  // namespace

std::string doctor_text(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                        const std::vector<Finding>& findings,
                        const std::vector<std::string>& not_inspected, const TextStyle& style) {
  std::string out = painted(style, Paint::kBold, printable(snapshot.unit.name));
  out += fmt::format("  {}", model.kind == nullptr ? "-" : model.kind->title);
  if (snapshot.kubelet_version)
    out += fmt::format("  kubelet {}", sysctl::text_of(*snapshot.kubelet_version));
  if (!snapshot.kernel.release.empty()) {
    out += fmt::format("  kernel {}", printable(snapshot.kernel.release));
  }
  if (!snapshot.live) out += fmt::format("  files under '{}' alone", printable(snapshot.root));
  out += "\n\n";
  for (const Finding& finding : findings) out += finding_lines(finding, style, "");
  if (findings.empty()) {
    out += painted(style, Paint::kGreen, "nothing found") + '\n';
  } else {
    out += fmt::format("\n{}\n", counts_text(findings));
  }
  for (const std::string& what : not_inspected) {
    out += fmt::format("not inspected: {}\n", printable(what));
  }
  return out;
}

}  // namespace kubelet_sysctl::report
