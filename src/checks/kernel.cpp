// SPDX-License-Identifier: Apache-2.0
// Checks of entries against the running kernel and the kubelet's safe list, and of patterns that are wide.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::checks {
namespace {

/// Nobody needs more names than this, one by one.
constexpr std::size_t kManyNames = 10;

std::string_view stem_of(std::string_view dotted) { return dotted.substr(0, dotted.size() - 1); }

/// The whole groups: everything of the kubelet's table, and the families right below net.
bool is_group(std::string_view dotted) {
  const std::string_view stem = stem_of(dotted);
  if (stem == "kernel.shm" || stem == "kernel.msg" || stem == "fs.mqueue." || stem == "net.") {
    return true;
  }
  return stem.starts_with("net.") && stem.ends_with('.') &&
         std::count(stem.begin(), stem.end(), '.') == 2;
}

/// Names of the answer that a pod can set and that every kubelet takes as entries.
std::vector<std::string> settable(const sysctl::KernelAnswer& answer) {
  std::vector<std::string> names;
  for (const sysctl::KernelName& name : answer.names) {
    if (name.state != sysctl::KernelState::kWritable) continue;
    if (!sysctl::rejection_by(sysctl::RuleSet::kFrom129, name.name)) names.push_back(name.name);
  }
  return names;
}

}  // namespace

KernelAnswers::KernelAnswers(const sysctl::KernelReport& report) : report_(report) {
  for (const sysctl::KernelAnswer& answer : report.answers)
    by_entry_.emplace(answer.entry, &answer);
}

const sysctl::KernelAnswer* KernelAnswers::of(std::string_view entry) const {
  const auto found = by_entry_.find(entry);
  return found == by_entry_.end() ? nullptr : found->second;
}

std::string KernelAnswers::kernel() const {
  return report_.release.empty() ? "this kernel" : fmt::format("this kernel ({})", report_.release);
}

// Source: the kernel itself; net/core/sysctl_net_core.c shows what is of the first namespace alone. The
// kubelet does not ask. Source: pkg/kubelet/sysctl/namespace.go inspects names alone.
std::optional<Finding> useless_entry(const KernelAnswers& kernel, const Check& check,
                                     std::string_view entry) {
  const sysctl::KernelAnswer* answer = kernel.of(entry);
  if (answer == nullptr) return std::nullopt;
  const bool absent = answer->state == sysctl::KernelState::kAbsent;
  if (!absent && answer->state != sysctl::KernelState::kReadOnly) return std::nullopt;
  const auto pattern = sysctl::SysctlPattern::parse(entry);
  const std::string dotted = pattern ? pattern->dotted() : std::string(entry);
  std::string hint = fmt::format(
      "what pods cannot set is set for the whole node, by a file in '/etc/sysctl.d'; to remove the "
      "entry, run: {}",
      command_with("kubelet-sysctl remove", std::vector<std::string>{std::string(entry)}));
  const bool is_stem = dotted.ends_with('*');
  const std::string_view text = is_stem ? stem_of(dotted) : std::string_view(dotted);
  for (const sysctl::KernelModule& module : sysctl::kKernelModules) {
    if (!absent || !sysctl::may_be_of(module, text, is_stem)) continue;
    hint = fmt::format("it is there only while the module '{}' is loaded", module.module);
  }
  return finding_of(check,
                    fmt::format("'{}' is {} for pods in {}: the kubelet accepts it, and a pod that "
                                "sets it does not start",
                                entry, absent ? "absent" : "read-only", kernel.kernel()),
                    std::move(hint));
}

void useless_in_kernel(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                       const Check& check, std::vector<Finding>& found) {
  const KernelAnswers kernel(snapshot.kernel);
  for (const model::Entry& entry : model::configured_entries(model)) {
    auto finding = useless_entry(kernel, check, entry.text);
    if (finding) found.push_back(at_origin(std::move(*finding), model::origin_of(model, entry)));
  }
  for (const model::PodDefault& one : model.pod_defaults.sysctls) {
    auto finding = unusable_default(kernel, check, one);
    if (finding) found.push_back(at_origin(std::move(*finding), one.at));
  }
}

// Source: pkg/kubelet/sysctl/safe_sysctls.go; a kernel that is not known drops the names with a minimum.
void safe_already(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                  const Check& check, std::vector<Finding>& found) {
  if (!snapshot.kubelet_version) return;
  const auto kernel = sysctl::parse_kernel_version(snapshot.kernel.release);
  for (const model::Entry& entry : model::configured_entries(model)) {
    const auto pattern = sysctl::SysctlPattern::parse(entry.text);
    if (!pattern || pattern->is_prefix()) continue;
    if (sysctl::safe_sysctl(pattern->dotted(), *snapshot.kubelet_version, kernel) == nullptr)
      continue;
    found.push_back(at_origin(
        finding_of(
            check,
            fmt::format("'{}' is safe for this kubelet ({}): pods may set it without an entry",
                        entry.text, sysctl::text_of(*snapshot.kubelet_version)),
            "harmless; an older kubelet may need it"),
        model::origin_of(model, entry)));
  }
}

std::optional<Finding> wide_entry(const KernelAnswers& kernel, const Check& check,
                                  std::string_view entry) {
  const auto pattern = sysctl::SysctlPattern::parse(entry);
  if (!pattern || !pattern->is_prefix()) return std::nullopt;
  const sysctl::KernelAnswer* answer = kernel.of(entry);
  const bool known = answer != nullptr && answer->state != sysctl::KernelState::kUnknown;
  const std::size_t covered = known ? answer->names.size() : 0;
  if (!is_group(pattern->dotted()) && covered <= kManyNames) return std::nullopt;
  if (covered == 0) {
    return finding_of(check,
                      fmt::format("'{}' allows every name that begins with '{}', those of later "
                                  "kernels too",
                                  entry, stem_of(pattern->dotted())),
                      "allow what is needed by its whole name");
  }
  const std::vector<std::string> names = settable(*answer);
  return finding_of(
      check,
      fmt::format("'{}' covers {} in {}, pods can set {} of them", entry,
                  count_text(covered, "name", "names"), kernel.kernel(),
                  names.size() == covered ? "all" : fmt::format("{}", names.size())),
      names.empty() ? "allow what is needed by its whole name"
                    : fmt::format("allow what is needed by its whole name: {}", some_of(names)));
}

void wide_grant(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                const Check& check, std::vector<Finding>& found) {
  const KernelAnswers kernel(snapshot.kernel);
  for (const model::Entry& entry : model::configured_entries(model)) {
    auto finding = wide_entry(kernel, check, entry.text);
    if (finding) found.push_back(at_origin(std::move(*finding), model::origin_of(model, entry)));
  }
}

}  // namespace kubelet_sysctl::checks
