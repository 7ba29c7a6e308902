// SPDX-License-Identifier: Apache-2.0
// Checks of the desired list against the list in force and the clock.
#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/desired/desired_list.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/pattern_set.hpp"

namespace kubelet_sysctl::checks {

void desired_list_broken(const nodes::NodeSnapshot&, const model::NodeModel& model,
                         const Check& check, std::vector<Finding>& found) {
  if (!model.desired_fault) return;
  const Error& fault = *model.desired_fault;
  Finding finding = finding_of(
      check, fmt::format("the desired list cannot be read: {}", fault.message), fault.hint);
  finding.path = fault.path;
  finding.line = fault.line;
  found.push_back(std::move(finding));
}

std::string facts_of(const desired::DesiredEntry& wanted) {
  std::string facts = wanted.owner.empty() ? std::string() : "by " + wanted.owner;
  if (wanted.reason.empty()) return facts;
  return facts + fmt::format("{}for '{}'", facts.empty() ? "" : ", ", wanted.reason);
}

Finding expired_finding(const Check& check, const desired::DesiredEntry& wanted, std::string hint) {
  const std::string facts = facts_of(wanted);
  Finding finding = finding_of(
      check,
      fmt::format("the desired entry '{}' expired at {}{}{}", wanted.entry,
                  rfc3339(*wanted.expires_at_ms), facts.empty() ? "" : "; it was made ", facts),
      std::move(hint));
  finding.path = wanted.path;
  finding.line = wanted.line;
  return finding;
}

void expired_entry(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                   const Check& check, std::vector<Finding>& found) {
  if (!model.desired_list) return;
  const sysctl::EntrySet present(model::configured_texts(model));
  for (const desired::DesiredEntry* wanted :
       desired::expired_entries(*model.desired_list, snapshot.read_at_ms)) {
    const bool listed = present.holds(wanted->entry);
    // Out of the list, and no sync brings it back.
    if (!listed && model.desired_list->drop_expired && !model.stopped) continue;
    found.push_back(expired_finding(
        check, *wanted,
        listed ? "give it a later date, or remove its line and run: kubelet-sysctl sync "
                 "--drop-expired"
               : "give it a later date, or remove its line"));
  }
}

void desired_list_not_met(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                          const Check& check, std::vector<Finding>& found) {
  if (!model.desired_list || model.stopped) return;
  const desired::DesiredList& list = *model.desired_list;
  const bool exact = list.mode == desired::SyncMode::kExact;
  const sysctl::EntrySet present(model::configured_texts(model));
  sysctl::EntrySet desired_names;
  std::vector<std::string> lacking;
  const desired::DesiredEntry* first = nullptr;
  for (const desired::DesiredEntry* wanted : desired::effective_entries(list)) {
    desired_names.insert(wanted->entry);
    if (desired::is_expired(*wanted, snapshot.read_at_ms)) continue;
    const bool met =
        exact ? present.holds(wanted->entry) : present.covering(wanted->entry).has_value();
    if (met) continue;
    lacking.push_back(wanted->entry);
    if (first == nullptr) first = wanted;
  }
  std::vector<std::string> undesired;
  for (const model::Entry& entry : model::configured_entries(model)) {
    if (exact && !desired_names.holds(entry.text)) undesired.emplace_back(entry.text);
  }
  if (lacking.empty() && undesired.empty()) return;
  std::string message;
  if (!lacking.empty())
    message = fmt::format("the list lacks {}, which is desired", some_of(lacking));
  if (!undesired.empty()) {
    message += fmt::format("{}the list holds {}, which is not desired, and 'mode' is 'exact'",
                           message.empty() ? "" : "; ", some_of(undesired));
  }
  Finding finding = finding_of(check, std::move(message), "run: kubelet-sysctl sync");
  finding.path = first != nullptr ? first->path : list.files.front();
  finding.line = first != nullptr ? first->line : 0;
  found.push_back(std::move(finding));
}

}  // namespace kubelet_sysctl::checks
