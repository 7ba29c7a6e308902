// SPDX-License-Identifier: Apache-2.0
// Checks of the wished list against the list in force and the clock.
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

void wish_list_broken(const nodes::NodeSnapshot&, const model::NodeModel& model, const Check& check,
                      std::vector<Finding>& found) {
  if (!model.wish_fault) return;
  const Error& fault = *model.wish_fault;
  Finding finding = finding_of(
      check, fmt::format("the wished list cannot be read: {}", fault.message), fault.hint);
  finding.path = fault.path;
  finding.line = fault.line;
  found.push_back(std::move(finding));
}

std::string facts_of(const desired::WishedEntry& wish) {
  std::string facts = wish.owner.empty() ? std::string() : "by " + wish.owner;
  if (wish.reason.empty()) return facts;
  return facts + fmt::format("{}for '{}'", facts.empty() ? "" : ", ", wish.reason);
}

Finding expired_finding(const Check& check, const desired::WishedEntry& wish, std::string hint) {
  const std::string facts = facts_of(wish);
  Finding finding = finding_of(
      check,
      fmt::format("the wish for '{}' expired at {}{}{}", wish.entry, rfc3339(*wish.expires_at_ms),
                  facts.empty() ? "" : "; it was made ", facts),
      std::move(hint));
  finding.path = wish.path;
  finding.line = wish.line;
  return finding;
}

void expired_entry(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                   const Check& check, std::vector<Finding>& found) {
  if (!model.wish_list) return;
  const sysctl::EntrySet present(model::texts_of(model.configured));
  for (const desired::WishedEntry* wish :
       desired::expired_wishes(*model.wish_list, snapshot.read_at_ms)) {
    const bool listed = present.holds(wish->entry);
    // Out of the list, and no sync brings it back.
    if (!listed && model.wish_list->drop_expired && !model.stopped) continue;
    found.push_back(expired_finding(
        check, *wish,
        listed ? "give it a later date, or take its line out and run: kubelet-sysctl sync "
                 "--drop-expired"
               : "give it a later date, or take its line out"));
  }
}

void wish_not_met(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                  const Check& check, std::vector<Finding>& found) {
  if (!model.wish_list || model.stopped) return;
  const desired::WishList& list = *model.wish_list;
  const bool exact = list.mode == desired::WishMode::kExact;
  const sysctl::EntrySet present(model::texts_of(model.configured));
  sysctl::EntrySet wished;
  std::vector<std::string> lacking;
  const desired::WishedEntry* first = nullptr;
  for (const desired::WishedEntry* wish : desired::lasting_wishes(list)) {
    wished.insert(wish->entry);
    if (desired::is_expired(*wish, snapshot.read_at_ms)) continue;
    const bool met = exact ? present.holds(wish->entry) : present.covering(wish->entry) != nullptr;
    if (met) continue;
    lacking.push_back(wish->entry);
    if (first == nullptr) first = wish;
  }
  std::vector<std::string> unwished;
  for (const model::Entry& entry : model.configured) {
    if (exact && !wished.holds(entry.text)) unwished.push_back(entry.text);
  }
  if (lacking.empty() && unwished.empty()) return;
  std::string message;
  if (!lacking.empty())
    message = fmt::format("the list lacks {}, which is wished", some_of(lacking));
  if (!unwished.empty()) {
    message += fmt::format("{}the list holds {}, which is not wished, and 'mode' is 'exact'",
                           message.empty() ? "" : "; ", some_of(unwished));
  }
  Finding finding = finding_of(check, std::move(message), "run: kubelet-sysctl sync");
  finding.path = first != nullptr ? first->path : list.files.front();
  finding.line = first != nullptr ? first->line : 0;
  found.push_back(std::move(finding));
}

}  // namespace kubelet_sysctl::checks
