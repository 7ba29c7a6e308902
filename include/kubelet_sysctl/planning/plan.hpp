// SPDX-License-Identifier: Apache-2.0
// From a request to the bytes that must change, each change proved before it is offered.
#pragma once

#include <string>
#include <vector>

#include "kubelet_sysctl/base/advice.hpp"
#include "kubelet_sysctl/base/entry_list.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/desired/desired_list.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/route.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl::planning {

enum class Verb { kAdd, kRemove, kSet, kUndo, kRecover, kKeep, kFix, kSync };
enum class Via { kAuto, kConfig, kArgs };

const char* name_of(Verb verb);

/// What a user entries.
struct Change {
  Verb verb = Verb::kAdd;
  std::vector<std::string> entries;
  bool exact = false;       ///< add an entry even where a pattern already covers it
  bool force = false;       ///< write entries that some kubelet would die of
  bool allow_wide = false;  ///< write a pattern of everything below net
  Via via = Via::kAuto;
  std::string file;      ///< --file: the file to edit; empty for the tool's choice
  bool persist = false;  ///< also write where the setting comes from, if that is on the node
  std::vector<std::string> dropped = {};  ///< sync: entries that go
  bool whole = false;                     ///< sync: the list becomes `entries`
};

/// How the desired list is to be met; the rest as in Change.
struct SyncRequest {
  bool drop_expired = false;  ///< --drop-expired: also where the list's own setting says keep
  bool force = false;
  bool allow_wide = false;
  bool persist = false;
  Via via = Via::kAuto;
  std::string file = {};
};

/// One file to be changed. `before` is compared with the disk at commit.
struct FileEdit {
  SourceFile before;
  std::vector<Splice> splices;  ///< into before.bytes; a new file has one insertion
  SharedText after;
  nodes::Route route = nodes::Route::kNone;
  bool removes = false;        ///< the file goes away (undo of a created file)
  bool daemon_reload = false;  ///< systemd must read its units again
};

struct Plan {
  Verb verb = Verb::kAdd;
  std::vector<FileEdit> edits;             ///< empty when the files already say it
  EntryList before;                        ///< configured list before
  EntryList after;                         ///< configured list after
  std::vector<std::string> expected_argv;  ///< argv of the next start
  bool restart = false;                    ///< the running list would change, or is unknown
  bool pending = false;                    ///< nothing runs: it takes effect at the next start
  std::vector<Finding> findings;
  AdviceMaker advice;  ///< the persistent way, where something rewrites what is edited
};

/// Errors: kBadEntry, kRefused (the kubelet's rule, a flag that would shadow the file, another manager),
/// kUnsupported with the place (no provable edit), and those of resolve().
Result<Plan> make_plan(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                       const Change& change);

/// The plan that makes the list what `desired` says, by the clock of NodeSnapshot::read_at_ms. Expired entries
/// are reported, and dropped only when asked for. Where the kubelet's configuration file is named and is not
/// there yet, and no other place is meant for a list, nothing is written: `pending` without edits.
/// Errors: those of make_plan(), with the place in the desired list where it was one of its entries; kRefused
/// where a list that is to be met exactly names nothing.
Result<Plan> plan_sync(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                       const desired::DesiredList& desired_list, const SyncRequest& request);

/// Why `plan` changed the list, from the facts of the desired list: for the record.
std::string reason_of(const desired::DesiredList& desired_list, const Plan& plan);

/// The plan that fixes what needs no decision: a misspelt key gets its name, a list torn by a blank is joined,
/// blanks, quotes, empty items, duplicates and entries that a pattern covers go from the list in force. Every
/// step is proved on the node as the step before leaves it. Manual actions are in `findings`.
/// No edits when there is nothing to fix; nothing is restarted then.
/// Errors: kRefused where a file holds a second list, where another manager owns the node, and for entries
/// that come into force and that add would refuse; kUnsupported with the place where no edit is provable.
Result<Plan> plan_fix(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model);

/// The entries of a change that the list does not hold yet: what the kernel is asked about.
std::vector<std::string> new_entries(const model::NodeModel& model, const EntryList& entries);

/// The plan that takes back what made `before` into `after`, on a node that was changed again since: what
/// was added goes, what was removed comes back behind the entry it stood behind. Errors: kConflict when
/// that has not one meaning (an added entry is gone, a removed one is back, the order itself was changed);
/// those of make_plan().
Result<Plan> plan_undo_of_entries(const nodes::NodeSnapshot& snapshot,
                                  const model::NodeModel& model, const EntryList& before,
                                  const EntryList& after);

/// The node as it will be read once `edits` are on disk. Errors: those of resolve().
Result<model::NodeModel> model_after(const nodes::NodeSnapshot& snapshot,
                                     const std::vector<FileEdit>& edits);

/// Sets `restart`, its reason and `pending` of a plan whose `after` and `edits` are set: a restart only when
/// the running list would change or is unknown.
void decide_restart(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model, Plan& plan);

}  // namespace kubelet_sysctl::planning
