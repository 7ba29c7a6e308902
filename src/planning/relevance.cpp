// SPDX-License-Identifier: Apache-2.0
// The order in which an operator reads the findings about a change.
#include "kubelet_sysctl/planning/relevance.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>

namespace kubelet_sysctl::planning {
namespace {

/// What a finding is about, the closest to the request first.
enum class Concern { kEntries, kChange, kNode };

constexpr std::array<std::string_view, 17> kOfEntries = {
    "already-allowed", "expired-entry",     "forced-entry",         "kernel-not-asked",
    "name-not-known",  "not-desired",       "launcher-needs-entry", "not-listed",
    "pod-refused",     "pods-not-seen",     "safe-already",         "still-allowed",
    "still-desired",   "undone-by-entries", "stops-next-kubelet",   "useless-in-kernel",
    "wide-grant"};
constexpr std::array<std::string_view, 20> kOfChange = {
    "carried-over",       "empty-flag-kept",    "lasts-in-part",     "list-unchanged",
    "lost-at-boot",       "masks-command",      "node-not-read",     "no-persistent-place",
    "not-logged",         "persist-file",       "persist-hidden",    "persist-unknown",
    "persists-here",      "program-missing",    "record-not-closed", "restarts-more",
    "signal-after-write", "trial-not-disarmed", "waits-for-config",  "will-be-rewritten"};

template <typename Ids>
bool has(const Ids& ids, std::string_view id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

Concern concern_of(const Finding& finding) {
  if (has(kOfEntries, finding.id)) return Concern::kEntries;
  return has(kOfChange, finding.id) ? Concern::kChange : Concern::kNode;
}

}  // namespace

void sort_by_relevance(std::vector<Finding>& findings) {
  const auto rank = [](const Finding& finding) {
    return std::tuple(finding.severity != Severity::kError, concern_of(finding),
                      -static_cast<int>(finding.severity));
  };
  std::stable_sort(findings.begin(), findings.end(),
                   [&](const Finding& a, const Finding& b) { return rank(a) < rank(b); });
}

}  // namespace kubelet_sysctl::planning
