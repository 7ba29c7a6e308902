// SPDX-License-Identifier: Apache-2.0
// From the wished list of the node to a plan, and what a change says that speaks against it.
#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/desired/desired_list.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/sysctl/pattern_set.hpp"
#include "parts.hpp"

namespace kubelet_sysctl::planning {
namespace {

constexpr std::size_t kMostReason = 1000;  ///< bytes of a reason that is put together

const checks::Check& row(std::string_view id) {
  const checks::Check* check = checks::find_check(id);
  if (check == nullptr) bug("a plan tells of a check that is not in the table");
  return *check;
}

/// The refusal of one of the entries, put at its line. Messages about an entry begin with it.
Error at_wish(Error error, const nodes::NodeSnapshot& snapshot, const desired::WishList& wished) {
  if (!error.path.empty()) return error;
  const auto wish = std::find_if(
      wished.entries.begin(), wished.entries.end(), [&](const desired::WishedEntry& one) {
        return error.message.starts_with(fmt::format("'{}' ", one.entry));
      });
  if (wish == wished.entries.end()) return error;
  const SourceFile* file = nodes::find_file(snapshot, wish->path);
  if (file != nullptr) {
    Error placed = error_at(error.kind, *file, wish->at, std::move(error.message), error.hint);
    placed.detail = std::move(error.detail);
    return placed;
  }
  error.path = wish->path;
  error.line = wish->line;
  return error;
}

/// No kubelet starts without the file that its --config names: what is to be written waits for whoever writes
/// that file. A flag would stand above a list in it, and hide it. Where a flag is the usual place, or stands
/// already, there is nothing to wait for.
bool waits_for_config(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                      const SyncWish& wish) {
  if (wish.via != Via::kAuto || !wish.file.empty() || model::winner_of(model) != nullptr)
    return false;
  if (model.kind->new_list_route == "args" || model.config_path.empty()) return false;
  const SourceFile* file = nodes::find_file(snapshot, model.config_path);
  return (file == nullptr || !file->exists()) && !snapshot.config_dirs.contains(model.config_dir);
}

/// Nothing is written yet.
Plan waiting_plan(const model::NodeModel& model, std::vector<Finding> findings) {
  Plan plan;
  plan.verb = Verb::kSync;
  plan.before = plan.after = model::texts_of(model.configured);
  plan.expected_argv = model.argv;
  plan.pending = true;
  Finding finding;
  finding.id = "waits-for-config";
  finding.severity = Severity::kWarning;
  finding.message =
      "the kubelet's configuration is not there yet, and it does not start without it: "
      "nothing is written before";
  finding.path = model.config_path;
  finding.hint =
      "run it again when the file is there: the unit kubelet-sysctl-sync.service, enabled, "
      "does so before every start of the kubelet. '--via args' writes a flag now, which "
      "hides a list in that file";
  findings.push_back(std::move(finding));
  plan.findings = std::move(findings);
  return plan;
}

/// What is said of expired wishes; `always` is the list's own setting, `drop` what this run does.
std::vector<Finding> judge_expired(const std::vector<const desired::WishedEntry*>& expired,
                                   bool always, bool drop, const sysctl::EntrySet& present) {
  std::vector<Finding> findings;
  for (const desired::WishedEntry* wish : expired) {
    if (always && !present.holds(wish->entry)) continue;
    std::string hint =
        "give it a later date, or take its line out; '--drop-expired' takes it out of the list";
    if (drop) {
      hint = always ? "take its line out too"
                    : "take its line out too: without '--drop-expired' the next sync adds the "
                      "entry again; or set 'expired = drop'";
    }
    findings.push_back(checks::expired_finding(row("expired-entry"), *wish, std::move(hint)));
    if (drop) findings.back().severity = Severity::kNote;
  }
  return findings;
}

Error nothing_wished(const desired::WishList& wished, bool all_expired) {
  return {.kind = ErrorKind::kRefused,
          .message = all_expired
                         ? "will not empty the list: 'mode' is 'exact', and all that is wished is "
                           "expired and dropped"
                         : "will not empty the list: 'mode' is 'exact', and nothing is wished",
          .path = wished.files.empty() ? std::string() : wished.files.front(),
          .hint = "to empty the list, run: kubelet-sysctl set --empty"};
}

}  // namespace

Result<Plan> plan_sync(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                       const desired::WishList& wished, const SyncWish& wish) {
  const bool drop = wish.drop_expired || wished.drop_expired;
  const auto expired = desired::expired_wishes(wished, snapshot.read_at_ms);
  auto findings = judge_expired(expired, wished.drop_expired, drop,
                                sysctl::EntrySet(model::texts_of(model.configured)));
  Change change;
  change.verb = Verb::kSync;
  change.whole = wished.mode == desired::WishMode::kExact;
  change.force = wish.force;
  change.allow_wide = wish.allow_wide;
  change.via = wish.via;
  change.lasting = wish.lasting;
  change.file = wish.file;
  for (const desired::WishedEntry* one : desired::lasting_wishes(wished)) {
    const bool goes = drop && desired::is_expired(*one, snapshot.read_at_ms);
    (goes ? change.dropped : change.entries).push_back(one->entry);
  }
  if (change.whole && change.entries.empty()) return nothing_wished(wished, !expired.empty());
  const bool anything = !change.entries.empty();
  if (anything && !model.kind->refuse && waits_for_config(snapshot, model, wish)) {
    return waiting_plan(model, std::move(findings));
  }
  auto plan = make_plan(snapshot, model, change);
  if (!plan) return at_wish(std::move(plan).error(), snapshot, wished);
  plan->findings.insert(plan->findings.begin(), std::make_move_iterator(findings.begin()),
                        std::make_move_iterator(findings.end()));
  return plan;
}

std::string reason_of(const desired::WishList& wished, const Plan& plan) {
  const ListChange change = change_between(plan.before, plan.after);
  const sysctl::EntrySet added(change.added);
  const sysctl::EntrySet removed(change.removed);
  std::string reason;
  for (const desired::WishedEntry* wish : desired::lasting_wishes(wished)) {
    const bool goes = removed.holds(wish->entry);
    if (!goes && !added.holds(wish->entry)) continue;
    std::string one = wish->entry;
    if (!wish->owner.empty()) one += fmt::format(" ({})", wish->owner);
    if (goes) one += " expired " + wish->expires;
    if (!wish->reason.empty()) one += ": " + wish->reason;
    if (reason.size() + one.size() > kMostReason) return reason + "; …";
    reason += (reason.empty() ? "" : "; ") + one;
  }
  return reason;
}

void note_wishes(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model, Plan& plan) {
  if (!model.wish_list || plan.verb == Verb::kSync) return;
  const desired::WishList& list = *model.wish_list;
  const ListChange change = change_between(plan.before, plan.after);
  const sysctl::EntrySet removed(change.removed);
  const sysctl::EntrySet left(plan.after);
  sysctl::EntrySet wished;
  for (const desired::WishedEntry* wish : desired::lasting_wishes(list)) {
    const bool goes = list.drop_expired && desired::is_expired(*wish, snapshot.read_at_ms);
    if (!goes) wished.insert(wish->entry);
    if (goes || !removed.holds(wish->entry) || left.covering(wish->entry) != nullptr) continue;
    const std::string facts = checks::facts_of(*wish);
    Finding finding;
    finding.id = "still-wished";
    finding.severity = Severity::kWarning;
    finding.message = fmt::format("'{}' is still wished{}{}: the next sync adds it again",
                                  wish->entry, facts.empty() ? "" : " ", facts);
    finding.path = wish->path;
    finding.line = wish->line;
    finding.hint = "take this line out too";
    plan.findings.push_back(std::move(finding));
  }
  if (list.mode != desired::WishMode::kExact) return;
  for (const std::string& entry : change.added) {
    if (wished.holds(entry)) continue;
    Finding finding;
    finding.id = "not-wished";
    finding.severity = Severity::kWarning;
    finding.message =
        fmt::format("'{}' is not wished, and 'mode' is 'exact': the next sync takes it out", entry);
    finding.path = list.files.front();
    finding.hint = "add it to the wished list too";
    plan.findings.push_back(std::move(finding));
  }
}

}  // namespace kubelet_sysctl::planning
