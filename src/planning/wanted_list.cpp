// SPDX-License-Identifier: Apache-2.0
// From the list in force and a change to the list that is wanted.
#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/corrected_list.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "kubelet_sysctl/sysctl/pattern_set.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "parts.hpp"

namespace kubelet_sysctl::planning {
namespace {

Finding note(std::string id, Severity severity, std::string message) {
  return {.id = std::move(id), .severity = severity, .message = std::move(message)};
}

/// Such an entry changes nothing for this kubelet, and a restart is not free.
Finding safe_already(const nodes::NodeSnapshot& snapshot, const std::string& entry, bool taken) {
  Finding finding = note(
      "safe-already", Severity::kNote,
      fmt::format("'{}' is safe for the kubelet of this node ({}): pods may set "
                  "it without an entry{}",
                  entry, sysctl::text_of(*snapshot.kubelet_version), taken ? "" : ", not added"));
  finding.hint = taken ? "harmless; an older kubelet may need it"
                       : "an older kubelet may need it; add it all the same with '--exact'";
  return finding;
}

Status add(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model, const Change& change,
           WantedList& list) {
  list.wanted = model::configured_texts(model);
  if (!change.dropped.empty()) {
    const sysctl::EntrySet dropped(change.dropped);
    EntryList left;
    for (const std::string_view one : list.wanted) {
      if (!dropped.holds(one)) left.push_back(one);
    }
    list.wanted = std::move(left);
  }
  sysctl::EntrySet present(list.wanted);
  for (const std::string& entry : change.entries) {
    // What is there already needs no leave: nothing is written for it.
    if (auto spelt = sysctl::SysctlPattern::parse(entry); !spelt) return std::move(spelt).error();
    if (present.holds(entry)) continue;
    auto checked = check_entry(snapshot, entry, change.force, list.findings);
    if (checked) checked = check_name(snapshot, entry, change.force, list.findings);
    if (!checked) return checked;
    if (is_safe_already(snapshot, entry)) {
      list.findings.push_back(safe_already(snapshot, entry, change.exact));
      if (!change.exact) continue;
    }
    const auto wider = change.exact ? std::nullopt : present.covering(entry);
    if (wider) {
      Finding finding =
          note("already-allowed", Severity::kNote,
               fmt::format("'{}' is already allowed by '{}', not added", entry, *wider));
      finding.hint = "add it all the same with '--exact'";
      list.findings.push_back(std::move(finding));
      continue;
    }
    list.wanted.push_back(entry);
    present.insert(entry);
  }
  return {};
}

/// Says which of `gone` what is left still allows.
void note_still_allowed(const std::vector<std::string>& gone, WantedList& list) {
  const sysctl::EntrySet left(list.wanted);
  for (const std::string& entry : gone) {
    const auto wider = left.covering(entry);
    if (!wider) continue;
    Finding finding = note("still-allowed", Severity::kWarning,
                           fmt::format("'{}' is still allowed by '{}'", entry, *wider));
    finding.hint = fmt::format("remove '{}' too if pods shall not set it", *wider);
    list.findings.push_back(std::move(finding));
  }
}

/// What is taken out need not be well formed, it only has to be in the list.
Status remove(const model::NodeModel& model, const Change& change, WantedList& list) {
  const EntryList before = model::configured_texts(model);
  const sysctl::EntrySet unwanted(change.entries);
  sysctl::EntrySet present;
  list.wanted.reserve(before.size(), before.bytes());
  for (const std::string_view entry : before) {
    if (unwanted.holds(entry)) {
      present.insert(entry);
    } else {
      list.wanted.push_back(entry);
    }
  }
  for (const std::string& entry : change.entries) {
    if (present.holds(entry)) continue;
    if (auto spelt = sysctl::SysctlPattern::parse(entry); !spelt) return std::move(spelt).error();
    list.findings.push_back(
        note("not-listed", Severity::kNote, fmt::format("'{}' is not in the list", entry)));
  }
  note_still_allowed(change.entries, list);
  return {};
}

Status set(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model, const Change& change,
           WantedList& list) {
  const sysctl::EntrySet before(model::configured_texts(model));
  sysctl::EntrySet present;
  for (const std::string& entry : change.entries) {
    std::vector<Finding> said;
    auto checked = check_entry(snapshot, entry, change.force, said);
    if (checked && !before.holds(entry)) checked = check_name(snapshot, entry, change.force, said);
    if (!checked) return checked;
    if (present.holds(entry)) continue;
    if (is_safe_already(snapshot, entry)) said.push_back(safe_already(snapshot, entry, true));
    // Of what is there already the checks of the list speak.
    if (change.force || !before.holds(entry)) {
      list.findings.insert(list.findings.end(), said.begin(), said.end());
    }
    list.wanted.push_back(entry);
    present.insert(entry);
  }
  return {};
}

/// An entry that is there already and that this kubelet does not take would end it at our restart.
/// Where its release is not known, that is one which no kubelet takes.
Status check_kept(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                  const Change& change, WantedList& list) {
  if (change.force) return {};
  for (const model::Entry& entry : model::configured_entries(model)) {
    const auto words = stops_the_kubelet(snapshot, entry.text);
    if (!words) continue;
    const bool given =
        change.verb == Verb::kSet && sysctl::EntrySet(change.entries).holds(entry.text);
    if (given || !sysctl::EntrySet(list.wanted).holds(entry.text)) continue;
    std::string hint = "give the whole list: 'kubelet-sysctl set";
    bool any = false;
    for (const std::string_view one : list.wanted) {
      if (stops_the_kubelet(snapshot, one)) continue;
      hint += " " + shell_word(one);
      any = true;
    }
    if (!any) hint += " --empty";
    const Origin at = model::origin_of(model, entry);
    Error error{
        .kind = ErrorKind::kRefused,
        .message = fmt::format("the list already holds '{}', which stops {}: {}", entry.text,
                               snapshot.kubelet_version
                                   ? fmt::format("the kubelet of this node ({})",
                                                 sysctl::text_of(*snapshot.kubelet_version))
                                   : "every kubelet",
                               *words),
        .path = at.path,
        .line = at.line,
        .hint = hint + "'"};
    if (auto command = checks::command_for_malformed(model::configured_texts(model));
        !command.empty()) {
      error.hint = "run: " + command;
    }
    return error;
  }
  return {};
}

/// Of the dropped entries those that the list held count.
Status sync(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
            const Change& change, WantedList& list) {
  auto status =
      change.whole ? set(snapshot, model, change, list) : add(snapshot, model, change, list);
  if (!status) return status;
  const sysctl::EntrySet before(model::configured_texts(model));
  std::vector<std::string> gone = change.dropped;
  std::erase_if(gone, [&](const std::string& one) { return !before.holds(one); });
  note_still_allowed(gone, list);
  return {};
}

}  // namespace

Result<WantedList> wanted_list_of(const nodes::NodeSnapshot& snapshot,
                                  const model::NodeModel& model, const Change& change) {
  WantedList list;
  Status status;
  if (change.verb == Verb::kSync) status = sync(snapshot, model, change, list);
  if (change.verb == Verb::kAdd) status = add(snapshot, model, change, list);
  if (change.verb == Verb::kRemove) status = remove(model, change, list);
  if (change.verb == Verb::kSet) status = set(snapshot, model, change, list);
  if (!status) return std::move(status).error();
  if (auto kept = check_kept(snapshot, model, change, list); !kept) return std::move(kept).error();
  return list;
}

}  // namespace kubelet_sysctl::planning
