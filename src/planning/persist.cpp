// SPDX-License-Identifier: Apache-2.0
// The file of the node from which the program that rewrites the list takes it: kubeadm's patch, nodeadm's fragment.
#include <algorithm>
#include <string_view>
#include <unordered_set>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/model/rewritten.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/yaml/events.hpp"
#include "parts.hpp"

namespace kubelet_sysctl::planning {
namespace {

constexpr nodes::Route kRoute = nodes::Route::kPersist;
constexpr const char* kByHand = "put the list there by hand, or move the file away";

/// True when the file holds a list that a user relies on.
bool holds_list(const nodes::NodeKind& kind, const SourceFile& file) {
  if (kind.persistent_text != nullptr) return true;
  const auto parsed = kubelet::parse_kubelet_config(file.bytes, kubelet::ConfigRole::kDropIn);
  return parsed && parsed->form != kubelet::ListForm::kAbsent;
}

/// A file whose whole text is ours is recognised by its first line, which says so.
Result<FileEdit> whole_edit(const nodes::NodeKind& kind, const SourceFile& file,
                            const EntryList& wanted) {
  const std::string text = kind.persistent_text(wanted);
  const std::string_view first = std::string_view(text).substr(0, text.find('\n') + 1);
  if (!file.bytes.starts_with(first)) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .message = "will not edit this file: another process wrote it",
                 .path = file.path,
                 .hint = kByHand};
  }
  return edit_of(file, {{.at = {0, file.bytes.size()}, .text = text}}, kRoute);
}

/// Nothing where there is no such file, or it is as desired.
Result<std::optional<FileEdit>> persist_edit(const nodes::NodeSnapshot& snapshot,
                                             const model::NodeModel& model, const EntryList& wanted,
                                             bool asked) {
  const nodes::NodeKind& kind = *model.kind;
  std::optional<FileEdit> none;
  const SourceFile* file = nodes::find_file(snapshot, kind.persistent_file);
  if (kind.persistent_file.empty() || file == nullptr) return none;
  if (!file->exists() && !asked) return none;
  if (!file->exists()) {
    std::string text = kind.persistent_text != nullptr
                           ? kind.persistent_text(wanted)
                           : kubelet::new_config_drop_in(wanted, yaml::ConfigFormat::kYaml);
    return std::optional<FileEdit>(creation_of(*file, std::move(text), kRoute));
  }
  if (!asked && !holds_list(kind, *file)) return none;
  auto edit = kind.persistent_text != nullptr
                  ? whole_edit(kind, *file, wanted)
                  : config_edit(*file, kubelet::ConfigRole::kDropIn, wanted);
  // A user's own file is no reason to refuse a change that did not ask for it.
  if (!edit && !asked) return none;
  if (!edit) {
    Error error = std::move(edit).error();
    error.kind = ErrorKind::kUnsupported;
    error.hint = kByHand;
    return error;
  }
  if (edit->after == file->bytes) return none;
  edit->route = kRoute;
  return std::optional<FileEdit>(std::move(*edit));
}

/// The first file with a part of the list that stays and that something rewrites; nullptr where there is none.
const SourceFile* rewritten_part(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                                 const Plan& plan) {
  const bool moves = std::any_of(plan.edits.begin(), plan.edits.end(), [](const FileEdit& edit) {
    return edit.route == nodes::Route::kConfig || edit.route == nodes::Route::kConfigDir;
  });
  const model::Layer* winner = model::winner_of(model);
  if (winner == nullptr ||
      (moves && winner->kind != model::LayerKind::kFlag && !plan.edits.empty())) {
    return nullptr;
  }
  std::vector<const SourceFile*> rewritten;  // of each place
  for (const Origin& place : winner->places) {
    const SourceFile* file = nodes::find_file(snapshot, place.path);
    rewritten.push_back(file != nullptr && model::is_rewritten(model, *file) ? file : nullptr);
  }
  const std::unordered_set<std::string_view> after(plan.after.begin(), plan.after.end());
  const auto part =
      std::find_if(winner->entries.begin(), winner->entries.end(), [&](const model::Entry& entry) {
        return rewritten[entry.place] != nullptr && after.contains(entry.text);
      });
  return part == winner->entries.end() ? nullptr : rewritten[part->place];
}

/// True when something rewrites what the plan edits, or where it edits nothing the place of the list.
bool is_place_rewritten(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                        const Plan& plan) {
  if (plan.edits.empty()) {
    const model::Layer* winner = model::winner_of(model);
    const SourceFile* file =
        winner == nullptr ? nullptr : nodes::find_file(snapshot, winner->at.path);
    return file != nullptr && model::is_rewritten(model, *file);
  }
  return std::any_of(plan.edits.begin(), plan.edits.end(), [&model](const FileEdit& edit) {
    return model::is_rewritten(model, edit.before);
  });
}

/// True where the files of the list are among those whose writers are known. A configuration file that the kind
/// does not name was laid down by something else, and may be again.
bool is_known_to_last(const model::NodeModel& model, const Plan& plan) {
  if (model.kind->id == "unknown") return false;
  if (model.kind->rewritten.empty()) return true;
  const model::Layer* winner = model::winner_of(model);
  const bool in_config = plan.edits.empty()
                             ? winner != nullptr && winner->kind == model::LayerKind::kConfig
                             : plan.edits.front().before.path == model.config_path;
  return !in_config;
}

/// True where Rancher writes the file: will-be-rewritten names its own place.
bool is_of_rancher_plan(const model::NodeModel& model, const Plan& plan) {
  return std::any_of(plan.edits.begin(), plan.edits.end(),
                     [&model](const FileEdit& edit) { return model::is_of_rancher(edit.before); });
}

/// A flag that is in force hides the configuration, into which what is printed goes.
void note_hidden(const model::NodeModel& model, Plan& plan) {
  const model::Layer* winner = model::winner_of(model);
  const bool by_flag = winner != nullptr && winner->kind == model::LayerKind::kFlag;
  if (!plan.advice || !by_flag ||
      (model.kind->new_list_route != nodes::Route::kConfig &&
       model.kind->new_list_route != nodes::Route::kConfigDir))
    return;
  // bootstrap.sh takes arguments.
  if (model.kind->id.starts_with("eks-") && model.kind->id != "eks-al2023") return;
  const bool leaves_flag =
      std::none_of(plan.edits.begin(), plan.edits.end(), [](const FileEdit& e) {
        return e.route == nodes::Route::kConfig || e.route == nodes::Route::kConfigDir;
      });
  if (!leaves_flag) return;
  plan.findings.push_back(
      {.id = "persist-hidden",
       .severity = Severity::kWarning,
       .message = "the list in force is set by a flag, which hides the "
                  "configuration: a persistent list there has no effect while the flag is set",
       .path = winner->at.path,
       .line = winner->at.line,
       .hint = "to move the list there, remove the flag by hand first, and "
               "then set the whole list with "
               "'--via config'"});
}

}  // namespace

Status persist(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model, bool asked,
               Plan& plan) {
  const bool rewritten = is_place_rewritten(snapshot, model, plan);
  auto edit = persist_edit(snapshot, model, plan.after, asked && rewritten);
  if (!edit) return std::move(edit).error();
  const nodes::NodeKind& kind = *model.kind;
  const bool known = is_known_to_last(model, plan);
  if (kind.advise != nullptr && (rewritten || (asked && known))) {
    plan.advice = advice_for(model, plan.after);
    if (asked) note_hidden(model, plan);
  }
  Finding finding;
  if (*edit) {
    finding.id = "persist-file";
    finding.message = fmt::format("this file persists the list: {}", kind.persistent_needs);
    finding.path = (*edit)->before.path;
    plan.edits.push_back(std::move(**edit));
  } else if (asked && !rewritten && !known) {
    finding.id = "persist-unknown";
    finding.message = "whether something rewrites the file of the list is not known here";
  } else if (const SourceFile* part = rewritten_part(snapshot, model, plan);
             asked && !rewritten && part != nullptr) {
    finding.id = "lasts-in-part";
    finding.message = fmt::format("a part of the list is in this file, which is rewritten by {}",
                                  model::rewriter_of(model, *part));
    finding.path = part->path;
  } else if (asked && !rewritten) {
    finding.id = "persists-here";
    finding.message = "nothing is known that rewrites the file of the list on this kind of node";
  } else if (asked && !plan.advice && !is_of_rancher_plan(model, plan)) {
    finding.id = "no-persistent-place";
    finding.message = "no way to persist the list is known for this kind of node";
  } else {
    return {};
  }
  finding.severity = Severity::kNote;
  plan.findings.push_back(std::move(finding));
  return {};
}

}  // namespace kubelet_sysctl::planning
