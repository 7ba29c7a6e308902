// SPDX-License-Identifier: Apache-2.0
// From the list in force and a change to the list that is wanted.
#include <algorithm>

#include <fmt/format.h>

#include "entry_set.hpp"
#include "layout.hpp"
#include "plan_parts.hpp"

namespace kubelet_sysctl::planning {
namespace {

Finding note(std::string id, Severity severity, std::string message) {
  Finding finding;
  finding.id = std::move(id);
  finding.severity = severity;
  finding.message = std::move(message);
  return finding;
}

/// The rule for entries that somebody wants in the list.
Status check_entry(const std::string& text, bool force, std::vector<Finding>& findings) {
  auto pattern = SysctlPattern::parse(text);
  if (!pattern) return std::move(pattern).error();
  auto refusal = refusal_of(*pattern);
  if (!refusal) return {};
  if (!force) return *refusal;
  Finding finding = note("forced-entry", Severity::kWarning, refusal->message);
  finding.hint = refusal->hint;
  findings.push_back(std::move(finding));
  return {};
}

Status add(const NodeModel& model, const Change& change, Wish& wish) {
  wish.wanted = texts_of(model.configured);
  EntrySet present(wish.wanted);
  for (const std::string& entry : change.entries) {
    // What is there already needs no leave: nothing is written for it.
    if (auto spelt = SysctlPattern::parse(entry); !spelt) return std::move(spelt).error();
    if (present.holds(entry)) continue;
    if (auto status = check_entry(entry, change.force, wish.findings); !status) return status;
    const std::string* wider = change.exact ? nullptr : present.covering(entry);
    if (wider != nullptr) {
      Finding finding =
          note("already-allowed", Severity::kNote,
               fmt::format("'{}' is already allowed by '{}', not added", entry, *wider));
      finding.hint = "add it all the same with '--exact'";
      wish.findings.push_back(std::move(finding));
      continue;
    }
    wish.wanted.push_back(entry);
    present.insert(entry);
  }
  return {};
}

void remove(const NodeModel& model, const Change& change, Wish& wish) {
  const std::vector<std::string> before = texts_of(model.configured);
  const EntrySet present(before);
  const EntrySet unwanted(change.entries);
  for (const std::string& entry : before) {
    if (!unwanted.holds(entry)) wish.wanted.push_back(entry);
  }
  const EntrySet left(wish.wanted);
  for (const std::string& entry : change.entries) {
    if (!present.holds(entry)) {
      wish.findings.push_back(
          note("not-listed", Severity::kNote, fmt::format("'{}' is not in the list", entry)));
    }
    if (const std::string* wider = left.covering(entry)) {
      Finding finding = note("still-allowed", Severity::kWarning,
                             fmt::format("'{}' is still allowed by '{}'", entry, *wider));
      finding.hint = fmt::format("remove '{}' too if pods shall not set it", *wider);
      wish.findings.push_back(std::move(finding));
    }
  }
}

Status set(const Change& change, Wish& wish) {
  EntrySet present;
  for (const std::string& entry : change.entries) {
    if (auto status = check_entry(entry, change.force, wish.findings); !status) return status;
    if (present.holds(entry)) continue;
    wish.wanted.push_back(entry);
    present.insert(entry);
  }
  return {};
}

/// An entry that is there already and that no kubelet takes would end the kubelet at our restart.
Status check_kept(const NodeModel& model, const Change& change, Wish& wish) {
  if (change.force) return {};
  for (const Entry& entry : model.configured) {
    const auto reason = rejection_by(RuleSet::kUpTo128, entry.text);
    const auto newer = rejection_by(RuleSet::kFrom129, entry.text);
    if (!reason || !newer) continue;
    const bool given = change.verb == Verb::kSet && EntrySet(change.entries).holds(entry.text);
    if (given || !EntrySet(wish.wanted).holds(entry.text)) continue;
    std::vector<std::string> good;
    for (const std::string& one : wish.wanted) {
      if (!rejection_by(RuleSet::kFrom129, one)) good.push_back(one);
    }
    std::string hint = "give the whole list: 'kubelet-sysctl set";
    for (const std::string& one : good) hint += " " + shell_word(one);
    Error error{.kind = ErrorKind::kRefused,
                .message = fmt::format("the list already holds '{}', which stops every kubelet: {}",
                                       entry.text, *newer),
                .path = entry.origin.path,
                .line = entry.origin.line,
                .hint = hint + "'"};
    return error;
  }
  return {};
}

}  // namespace

Result<Wish> wish_of(const NodeModel& model, const Change& change) {
  Wish wish;
  Status status;
  if (change.verb == Verb::kAdd) status = add(model, change, wish);
  if (change.verb == Verb::kRemove) remove(model, change, wish);
  if (change.verb == Verb::kSet) status = set(change, wish);
  if (!status) return std::move(status).error();
  if (auto kept = check_kept(model, change, wish); !kept) return std::move(kept).error();
  return wish;
}

}  // namespace kubelet_sysctl::planning
