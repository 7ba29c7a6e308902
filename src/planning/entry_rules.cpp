// SPDX-License-Identifier: Apache-2.0
// Whether one desired entry may be written: by the rules of the kubelet that is installed, and with
// a word about the next one. Where the installed one is not known, the strictest of all rules
// count.
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/known_sysctls.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "parts.hpp"

namespace kubelet_sysctl::planning {
namespace {

Finding finding_of(std::string id, Severity severity, std::string message, std::string hint) {
  return {.id = std::move(id),
          .severity = severity,
          .message = std::move(message),
          .hint = std::move(hint)};
}

/// The refusal of an entry by `version`, and nothing where it starts: what an older or a newer one
/// would do is another matter. The fix is the same for all.
std::optional<Error> refusal_by(const sysctl::SysctlPattern& entry,
                                const sysctl::KubeletVersion& version) {
  const auto words = sysctl::rejection_by(sysctl::rule_set_of(version), entry.text());
  if (!words) return std::nullopt;
  auto refusal = sysctl::refusal_of(entry);
  if (!refusal) bug("one kubelet refuses what none does");
  // Every kubelet refuses it: naming another release would not help.
  const bool all = sysctl::rejection_by(sysctl::RuleSet::kUpTo122, entry.text()) &&
                   sysctl::rejection_by(sysctl::RuleSet::kUpTo128, entry.text()) &&
                   sysctl::rejection_by(sysctl::RuleSet::kFrom129, entry.text());
  refusal->message =
      fmt::format("'{}' would stop {}: {}", entry.text(),
                  all ? "every kubelet"
                      : fmt::format("the kubelet of this node ({})", sysctl::text_of(version)),
                  *words);
  return refusal;
}

std::optional<Finding> next_kubelet(const sysctl::SysctlPattern& entry,
                                    const sysctl::KubeletVersion& version) {
  const sysctl::RuleSet next = sysctl::rule_set_of(sysctl::newest_known_kubelet());
  const auto words = sysctl::rejection_by(next, entry.text());
  if (!words) return std::nullopt;
  const auto refusal = sysctl::refusal_of(entry);
  return finding_of(
      "stops-next-kubelet", Severity::kWarning,
      fmt::format("'{}' starts the kubelet of this node ({}) and stops {}: {}", entry.text(),
                  sysctl::text_of(version), sysctl::releases_of(next), *words),
      refusal ? refusal->hint : std::string());
}

/// The refusal of a name that no kernel has, as far as is known: neither the kernel of the node, where that
/// was asked, nor the table; and where it was not asked, one that looks like a slip.
std::optional<Error> nowhere(const nodes::NodeSnapshot& snapshot,
                             const sysctl::SysctlPattern& entry) {
  const sysctl::KernelAnswer* answer = sysctl::answer_for(snapshot.kernel, entry.text());
  const bool seen = answer != nullptr && answer->state != sysctl::KernelState::kUnknown;
  if ((seen && !answer->nowhere) || sysctl::is_known_sysctl(entry)) return std::nullopt;
  const std::string meant = sysctl::meant_sysctl(entry);
  if (!seen && meant.empty()) return std::nullopt;
  const std::string kernel = snapshot.kernel.release.empty()
                                 ? "this kernel"
                                 : fmt::format("this kernel ({})", snapshot.kernel.release);
  const std::string_view what = entry.is_prefix() ? "begins the name of no sysctl" : "is no sysctl";
  return Error{
      .kind = ErrorKind::kRefused,
      .message = seen
                     ? fmt::format("'{}' {} of {}: no pod could set it", entry.text(), what, kernel)
                     : fmt::format("'{}' is {}", entry.text(),
                                   entry.is_prefix() ? "not the start of a known sysctl name"
                                                     : "not a known sysctl"),
      .hint = fmt::format("{}for one that comes with a module or a later kernel, add '--force'",
                          meant.empty() ? "" : fmt::format("did you mean '{}'? ", meant)),
      .entry = std::string(entry.text())};
}

/// A name that is not in the table and that no kernel was asked about.
bool is_doubtful(const nodes::NodeSnapshot& snapshot, const sysctl::SysctlPattern& entry) {
  const sysctl::KernelAnswer* answer = sysctl::answer_for(snapshot.kernel, entry.text());
  const bool seen = answer != nullptr && answer->state != sysctl::KernelState::kUnknown;
  return !seen && !sysctl::is_known_sysctl(entry);
}

}  // namespace

bool is_safe_already(const nodes::NodeSnapshot& snapshot, const std::string& entry) {
  const auto pattern = sysctl::SysctlPattern::parse(entry);
  const auto kernel = sysctl::parse_kernel_version(snapshot.kernel.release);
  return pattern && !pattern->is_prefix() && snapshot.kubelet_version &&
         sysctl::safe_sysctl(pattern->dotted(), *snapshot.kubelet_version, kernel) != nullptr;
}

Status check_name(const nodes::NodeSnapshot& snapshot, const std::string& text, bool force,
                  std::vector<Finding>& findings) {
  auto pattern = sysctl::SysctlPattern::parse(text);
  if (!pattern) return std::move(pattern).error();
  // One that kubelets die of was spoken of as such.
  if (sysctl::refusal_of(*pattern)) return {};
  auto refusal = nowhere(snapshot, *pattern);
  if (refusal && !force) return std::move(*refusal);
  if (refusal) {
    findings.push_back(
        finding_of("forced-entry", Severity::kWarning, refusal->message, std::string()));
  } else if (is_doubtful(snapshot, *pattern)) {
    findings.push_back(finding_of(
        "name-not-known", Severity::kWarning,
        fmt::format("'{}' is not in the table of known sysctls, and no kernel was asked", text),
        "search for it below /proc/sys of a node"));
  }
  return {};
}

Status check_entry(const nodes::NodeSnapshot& snapshot, const std::string& text, bool force,
                   std::vector<Finding>& findings) {
  auto pattern = sysctl::SysctlPattern::parse(text);
  if (!pattern) return std::move(pattern).error();
  const auto& version = snapshot.kubelet_version;
  auto refusal = version ? refusal_by(*pattern, *version) : sysctl::refusal_of(*pattern);
  if (refusal && !force) return std::move(*refusal);
  if (refusal) {
    findings.push_back(
        finding_of("forced-entry", Severity::kWarning, refusal->message, refusal->hint));
    return {};
  }
  if (!version) return {};
  if (auto next = next_kubelet(*pattern, *version)) findings.push_back(std::move(*next));
  return {};
}

std::optional<std::string> stops_the_kubelet(const nodes::NodeSnapshot& snapshot,
                                             std::string_view entry) {
  if (snapshot.kubelet_version) {
    return sysctl::rejection_by(sysctl::rule_set_of(*snapshot.kubelet_version), entry);
  }
  return sysctl::rejection_by(sysctl::RuleSet::kUpTo128, entry)
             ? sysctl::rejection_by(sysctl::RuleSet::kFrom129, entry)
             : std::nullopt;
}

}  // namespace kubelet_sysctl::planning
