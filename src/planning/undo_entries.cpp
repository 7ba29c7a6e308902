// SPDX-License-Identifier: Apache-2.0
// Undoing a change by its entries, on a node that another process changed since.
#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/sysctl/pattern_set.hpp"

namespace kubelet_sysctl::planning {
namespace {

using Entries = std::vector<std::string>;

Error conflict(std::string message) {
  return Error{.kind = ErrorKind::kConflict, .message = std::move(message)};
}

/// Those of `entries` that are in `others`, in their own order.
Entries common(const Entries& entries, const Entries& others) {
  const sysctl::EntrySet set(others);
  Entries found;
  std::copy_if(entries.begin(), entries.end(), std::back_inserter(found),
               [&set](const std::string& entry) { return set.holds(entry); });
  return found;
}

/// Where `entry` of `before` belongs in `list`: behind the nearest entry that it stood behind.
Entries::iterator place_of(const std::string& entry, const Entries& before, Entries& list) {
  for (auto at = std::find(before.begin(), before.end(), entry); at != before.begin();) {
    --at;
    const auto neighbour = std::find(list.begin(), list.end(), *at);
    if (neighbour != list.end()) return neighbour + 1;
  }
  return list.begin();
}

}  // namespace

Result<Plan> plan_undo_of_entries(const nodes::NodeSnapshot& snapshot,
                                  const model::NodeModel& model, const EntryList& before,
                                  const EntryList& after) {
  const ListChange change = change_between(before, after);
  if (change.added.empty() && change.removed.empty()) {
    return conflict("the change added and removed no entry, so there is none to undo");
  }
  if (common(before, after) != common(after, before)) {
    return conflict("the change also put entries into another order");
  }
  const Entries now = model::configured_texts(model);
  const sysctl::EntrySet present(now);
  for (const std::string_view entry : change.added) {
    if (!present.holds(entry)) {
      return conflict(fmt::format("'{}', which it added, is not in the list any more", entry));
    }
  }
  for (const std::string_view entry : change.removed) {
    if (present.holds(entry)) {
      return conflict(fmt::format("'{}', which it removed, is in the list again", entry));
    }
  }
  const sysctl::EntrySet added(change.added);
  Change undo;
  undo.verb = Verb::kSet;
  // The list was like this before, whatever a rule says of its entries.
  undo.force = undo.allow_wide = true;
  std::copy_if(now.begin(), now.end(), std::back_inserter(undo.entries),
               [&added](const std::string& entry) { return !added.holds(entry); });
  for (const std::string_view entry : change.removed) {
    undo.entries.insert(place_of(std::string(entry), before, undo.entries), std::string(entry));
  }
  return make_plan(snapshot, model, undo);
}

}  // namespace kubelet_sysctl::planning
