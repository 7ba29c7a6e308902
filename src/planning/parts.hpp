// SPDX-License-Identifier: Apache-2.0
// What the parts of the planner share: a list, candidates for the edit, and the proof.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/advice.hpp"
#include "kubelet_sysctl/base/entry_list.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::planning {

/// The list that shall be, and what is said about the way there.
struct WantedList {
  EntryList wanted;
  std::vector<Finding> findings;
};

/// One way to make the list what is desired: a few edits that are still to be proved.
struct Candidate {
  std::vector<FileEdit> edits;
  std::vector<Finding> findings;
};

/// An error of kind kRefused.
Error refused(std::string message, std::string hint);

/// The wanted list. Errors: kBadEntry, kRefused by the kubelet's rule.
Result<WantedList> wanted_list_of(const nodes::NodeSnapshot& snapshot,
                                  const model::NodeModel& model, const Change& change);

/// The rule for an entry that a user wants in the list, by the kubelet of the node where its release is known.
/// Errors: kBadEntry; kRefused unless `force`. Findings: forced-entry, stops-next-kubelet.
Status check_entry(const nodes::NodeSnapshot& snapshot, const std::string& text, bool force,
                   std::vector<Finding>& findings);
/// Whether a kernel has such a name: the one of the node where it was asked, else some kernel of the table.
/// Errors: kRefused for a name that none has, unless `force`. Findings: forced-entry, name-not-known.
Status check_name(const nodes::NodeSnapshot& snapshot, const std::string& text, bool force,
                  std::vector<Finding>& findings);
/// True for a name that pods may set without an entry. False where the release of the kubelet is not known.
bool is_safe_already(const nodes::NodeSnapshot& snapshot, const std::string& entry);
/// The words with which the kubelet of the node ends over an entry; where its release is not known, those of
/// one that every release ends over.
std::optional<std::string> stops_the_kubelet(const nodes::NodeSnapshot& snapshot,
                                             std::string_view entry);

/// What is said of the entries of `wanted` that the list does not hold: a pattern of a whole group, a name
/// that pods cannot set in this kernel; and of those it holds that a later kubelet refuses.
/// Errors: kRefused for everything below net, unless `allow_wide`.
Status judge_entries(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                     const EntryList& wanted, bool allow_wide, std::vector<Finding>& findings);

/// The refusal where another manager owns the node, with what makes `wanted` the list there; nothing elsewhere.
std::optional<Error> other_manager(const model::NodeModel& model, const EntryList& wanted);
/// Adds to the plan, whose `after` is, the file that the program that rewrites the list reads: where --persist asks
/// for it, or where it holds a list already; and fills in what is to be done elsewhere. Errors: kUnsupported
/// when the file is another process's; those of edit_kubelet_config().
Status persist(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model, bool asked,
               Plan& plan);
/// Says of every edited file that something rewrites it, where that is so; and that --persist prints more, for a
/// verb that takes it.
void note_rewritten(const model::NodeModel& model, const EntryList& wanted,
                    const std::vector<FileEdit>& edits, std::vector<Finding>& findings,
                    bool takes_persist);
/// The persistent way of the node's kind with `wanted` filled in, and with every other argument in force that the
/// same place gives. Only for a kind that has one.
AdviceMaker advice_for(const model::NodeModel& model, const EntryList& wanted);
/// Where a file may not be written although it is in force: the store of Nix, the files of an image. Adds what is
/// worth a word about the others. Errors: kRefused with the place that decides.
Status judge_places(const nodes::NodeSnapshot& snapshot, Plan& plan);

/// Says of a plan which part of it the desired list of the node speaks against, and the next sync undoes.
void note_desired(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model, Plan& plan);

/// "--allowed-unsafe-sysctls=a,b,c"
std::string flag_text(const EntryList& list);

/// An edit of `file`; `after` is computed. Errors: kUnsupported when splices overlap.
Result<FileEdit> edit_of(const SourceFile& file, std::vector<Splice> splices, nodes::Route route);
/// A file to be made. `looked_for` is its absent SourceFile.
FileEdit creation_of(const SourceFile& looked_for, std::string bytes, nodes::Route route);

/// The snapshot as it will be once `edits` are on disk.
Result<nodes::NodeSnapshot> with_edits(const nodes::NodeSnapshot& snapshot,
                                       const std::vector<FileEdit>& edits);

/// Proves a candidate by resolving the node again: the list is `wanted`, every other word of the
/// command and every other variable is the same, every untouched byte stayed. Gives the model after
/// the edit.
/// Errors: kUnsupported with what speaks against it.
Result<model::NodeModel> prove(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                               const std::vector<FileEdit>& edits, const EntryList& wanted);

/// Candidates for the flag where it is already, best first.
Result<std::vector<Candidate>> change_flag(const nodes::NodeSnapshot& snapshot,
                                           const model::NodeModel& model, const EntryList& wanted);
/// Candidates for a flag that is not there yet, best first. `file` limits them to one file.
Result<std::vector<Candidate>> insert_flag(const nodes::NodeSnapshot& snapshot,
                                           const model::NodeModel& model, const EntryList& wanted,
                                           const std::string& file);

/// The edit that makes the list of a configuration file `wanted`. Errors: those of
/// edit_kubelet_config(), with the file.
Result<FileEdit> config_edit(const SourceFile& file, kubelet::ConfigRole role,
                             const EntryList& wanted);
/// The same for a file of --config-dir, which is made in the format of `neighbour` (nullptr: YAML)
/// when it does not exist.
/// An empty list takes our own file away where it hides nothing.
Result<FileEdit> drop_in_edit(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                              const std::string& path, const SourceFile* neighbour,
                              const EntryList& wanted);

/// Our own drop-in of the unit; absent until it is made.
SourceFile own_drop_in(const nodes::NodeSnapshot& snapshot);
/// The text of our own drop-in: the command in force, with `splices` (bytes of the unit's file)
/// applied and `appended` at its end. Errors: kUnsupported when a splice lies outside the command.
Result<std::string> restated_command(const model::NodeModel& model, std::vector<Splice> splices,
                                     const std::string& appended);

/// The refusal to edit a configuration file that the kubelet's launcher writes again at every start.
Error regenerated(const model::NodeModel& model);
/// Says what else a restart of the unit restarts, where that weighs more than the kubelet alone.
void note_restart(const nodes::NodeSnapshot& snapshot, Plan& plan);

/// Where the variable is that a word is, "${NAME}" and nothing else, and that another file assigns: such a
/// word is edited there. kNoSource for every other word.
std::int32_t variable_source(const systemd::Word& word);

/// True for a file that may be edited: not a package's.
bool is_editable(const SourceFile& file);

}  // namespace kubelet_sysctl::planning
