// SPDX-License-Identifier: Apache-2.0
// From the desired list of the node to a plan, and what a change reports that contradicts it.
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

/// The refusal of one of the entries, put at its line.
Error at_desired_entry(Error error, const nodes::NodeSnapshot& snapshot,
                       const desired::DesiredList& desired_list) {
  if (!error.path.empty()) return error;
  const auto wanted =
      std::find_if(desired_list.entries.begin(), desired_list.entries.end(),
                   [&](const desired::DesiredEntry& one) { return error.entry == one.entry; });
  if (wanted == desired_list.entries.end()) return error;
  const SourceFile* file = nodes::find_file(snapshot, wanted->path);
  if (file != nullptr) {
    Error placed = error_at(error.kind, *file, wanted->at, std::move(error.message), error.hint);
    placed.detail = std::move(error.detail);
    return placed;
  }
  error.path = wanted->path;
  error.line = wanted->line;
  return error;
}

/// No kubelet starts without the file that its --config names: what is to be written waits for anyone who writes
/// that file. A flag would be above a list in it, and hide it. Where a flag is the usual place, or is
/// already, there is nothing to wait for.
bool waits_for_config(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                      const SyncRequest& request) {
  if (request.via != Via::kAuto || !request.file.empty() || model::winner_of(model) != nullptr)
    return false;
  if (model.kind->new_list_route == nodes::Route::kArgs || model.config_path.empty()) return false;
  const SourceFile* file = nodes::find_file(snapshot, model.config_path);
  return (file == nullptr || !file->exists()) && !snapshot.config_dirs.contains(model.config_dir);
}

/// Nothing is written yet.
Plan waiting_plan(const model::NodeModel& model, std::vector<Finding> findings) {
  Plan plan;
  plan.verb = Verb::kSync;
  plan.before = plan.after = model::configured_texts(model);
  plan.expected_argv = model.argv;
  plan.pending = true;
  findings.push_back(
      {.id = "waits-for-config",
       .severity = Severity::kWarning,
       .message = "the kubelet's configuration is not there yet, and it does not start without it: "
                  "nothing is written before",
       .path = model.config_path,
       .hint =
           "run it again when the file is there: the unit kubelet-sysctl-sync.service, enabled, "
           "does so before every start of the kubelet. '--via args' writes a flag now, which "
           "hides a list in that file"});
  plan.findings = std::move(findings);
  return plan;
}

/// The finding about expired entries; `always` is the list's own setting, `drop` what this run does.
std::vector<Finding> judge_expired(const std::vector<const desired::DesiredEntry*>& expired,
                                   bool always, bool drop, const sysctl::EntrySet& present) {
  std::vector<Finding> findings;
  for (const desired::DesiredEntry* wanted : expired) {
    if (always && !present.holds(wanted->entry)) continue;
    std::string hint =
        "give it a later date, or remove its line; '--drop-expired' removes it from the list";
    if (drop) {
      hint = always ? "remove its line too"
                    : "remove its line too: without '--drop-expired' the next sync adds the "
                      "entry again; or set 'expired = drop'";
    }
    findings.push_back(
        checks::expired_finding(checks::check_named("expired-entry"), *wanted, std::move(hint)));
    if (drop) findings.back().severity = Severity::kNote;
  }
  return findings;
}

Error nothing_desired(const desired::DesiredList& desired_list, bool all_expired) {
  return {.kind = ErrorKind::kRefused,
          .message = all_expired
                         ? "will not empty the list: 'mode' is 'exact', and all that is desired is "
                           "expired and dropped"
                         : "will not empty the list: 'mode' is 'exact', and nothing is desired",
          .path = desired_list.files.empty() ? std::string() : desired_list.files.front(),
          .hint = "to empty the list, run: kubelet-sysctl set --empty"};
}

}  // namespace

Result<Plan> plan_sync(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                       const desired::DesiredList& desired_list, const SyncRequest& request) {
  const bool drop = request.drop_expired || desired_list.drop_expired;
  const auto expired = desired::expired_entries(desired_list, snapshot.read_at_ms);
  auto findings = judge_expired(expired, desired_list.drop_expired, drop,
                                sysctl::EntrySet(model::configured_texts(model)));
  Change change;
  change.verb = Verb::kSync;
  change.whole = desired_list.mode == desired::SyncMode::kExact;
  change.force = request.force;
  change.allow_wide = request.allow_wide;
  change.via = request.via;
  change.persist = request.persist;
  change.file = request.file;
  for (const desired::DesiredEntry* one : desired::effective_entries(desired_list)) {
    const bool goes = drop && desired::is_expired(*one, snapshot.read_at_ms);
    (goes ? change.dropped : change.entries).push_back(one->entry);
  }
  if (change.whole && change.entries.empty())
    return nothing_desired(desired_list, !expired.empty());
  const bool anything = !change.entries.empty();
  if (anything && !model.kind->refuse && waits_for_config(snapshot, model, request)) {
    return waiting_plan(model, std::move(findings));
  }
  auto plan = make_plan(snapshot, model, change);
  if (!plan) return at_desired_entry(std::move(plan).error(), snapshot, desired_list);
  plan->findings.insert(plan->findings.begin(), std::make_move_iterator(findings.begin()),
                        std::make_move_iterator(findings.end()));
  return plan;
}

std::string reason_of(const desired::DesiredList& desired_list, const Plan& plan) {
  const ListChange change = change_between(plan.before, plan.after);
  const sysctl::EntrySet added(change.added);
  const sysctl::EntrySet removed(change.removed);
  std::string reason;
  for (const desired::DesiredEntry* wanted : desired::effective_entries(desired_list)) {
    const bool goes = removed.holds(wanted->entry);
    if (!goes && !added.holds(wanted->entry)) continue;
    std::string one = wanted->entry;
    if (!wanted->owner.empty()) one += fmt::format(" ({})", wanted->owner);
    if (goes) one += " expired " + wanted->expires;
    if (!wanted->reason.empty()) one += ": " + wanted->reason;
    if (reason.size() + one.size() > kMostReason) return reason + "; ...";
    reason += (reason.empty() ? "" : "; ") + one;
  }
  return reason;
}

void note_desired(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model, Plan& plan) {
  if (!model.desired_list || plan.verb == Verb::kSync) return;
  const desired::DesiredList& list = *model.desired_list;
  const ListChange change = change_between(plan.before, plan.after);
  const sysctl::EntrySet removed(change.removed);
  const sysctl::EntrySet left(plan.after);
  sysctl::EntrySet desired_list;
  for (const desired::DesiredEntry* wanted : desired::effective_entries(list)) {
    const bool goes = list.drop_expired && desired::is_expired(*wanted, snapshot.read_at_ms);
    if (!goes) desired_list.insert(wanted->entry);
    if (goes || !removed.holds(wanted->entry) || left.covering(wanted->entry)) continue;
    const std::string facts = checks::facts_of(*wanted);
    plan.findings.push_back(
        {.id = "still-desired",
         .severity = Severity::kWarning,
         .message = fmt::format("'{}' is still desired{}{}: the next sync adds it again",
                                wanted->entry, facts.empty() ? "" : " ", facts),
         .path = wanted->path,
         .line = wanted->line,
         .hint = "remove this line too"});
  }
  if (list.mode != desired::SyncMode::kExact) return;
  for (const std::string_view entry : change.added) {
    if (desired_list.holds(entry)) continue;
    plan.findings.push_back(
        {.id = "not-desired",
         .severity = Severity::kWarning,
         .message = fmt::format(
             "'{}' is not desired, and 'mode' is 'exact': the next sync removes it", entry),
         .path = list.files.front(),
         .hint = "add it to the desired list too"});
  }
}

}  // namespace kubelet_sysctl::planning
