// SPDX-License-Identifier: Apache-2.0
// The file of the node from which whoever rewrites the list takes it: kubeadm's patch, nodeadm's fragment.
#include <algorithm>

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

constexpr const char* kRoute = "lasting";
constexpr const char* kByHand = "put the list there by hand, or move the file away";

/// True when the file holds a list that somebody relies on.
bool holds_list(const nodes::NodeKind& kind, const SourceFile& file) {
  if (kind.lasting_text != nullptr) return true;
  const auto parsed = kubelet::parse_kubelet_config(file.bytes, kubelet::ConfigRole::kDropIn);
  return parsed && parsed->form != kubelet::ListForm::kAbsent;
}

/// A file whose whole text is ours is recognised by its first line, which says so.
Result<FileEdit> whole_edit(const nodes::NodeKind& kind, const SourceFile& file,
                            const std::vector<std::string>& wanted) {
  const std::string text = kind.lasting_text(wanted);
  const std::string_view first = std::string_view(text).substr(0, text.find('\n') + 1);
  if (!file.bytes.starts_with(first)) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .message = "will not edit this file: somebody else wrote it",
                 .path = file.path,
                 .hint = kByHand};
  }
  return edit_of(file, {{.at = {0, file.bytes.size()}, .text = text}}, kRoute);
}

/// Nothing where there is no such file, or it is as wished.
Result<std::optional<FileEdit>> lasting_edit(const nodes::NodeSnapshot& snapshot,
                                             const model::NodeModel& model,
                                             const std::vector<std::string>& wanted, bool asked) {
  const nodes::NodeKind& kind = *model.kind;
  std::optional<FileEdit> none;
  const SourceFile* file = nodes::find_file(snapshot, kind.lasting_file);
  if (kind.lasting_file.empty() || file == nullptr) return none;
  if (!file->exists() && !asked) return none;
  if (!file->exists()) {
    std::string text = kind.lasting_text != nullptr
                           ? kind.lasting_text(wanted)
                           : kubelet::new_config_drop_in(wanted, yaml::ConfigFormat::kYaml);
    return std::optional<FileEdit>(creation_of(*file, std::move(text), kRoute));
  }
  if (!asked && !holds_list(kind, *file)) return none;
  auto edit = kind.lasting_text != nullptr
                  ? whole_edit(kind, *file, wanted)
                  : config_edit(*file, kubelet::ConfigRole::kDropIn, wanted);
  // Somebody's own file is no reason to refuse a change that did not ask for it.
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

/// The first file with a part of the list that stays and that somebody rewrites; nullptr where there is none.
const SourceFile* rewritten_part(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                                 const Plan& plan) {
  const bool moves = std::any_of(plan.edits.begin(), plan.edits.end(), [](const FileEdit& edit) {
    return edit.route == "config" || edit.route == "config-dir";
  });
  const model::Layer* winner = model::winner_of(model);
  if (winner == nullptr ||
      (moves && winner->kind != model::LayerKind::kFlag && !plan.edits.empty())) {
    return nullptr;
  }
  for (const model::Entry& entry : winner->entries) {
    const bool stays =
        std::find(plan.after.begin(), plan.after.end(), entry.text) != plan.after.end();
    const SourceFile* file = stays ? nodes::find_file(snapshot, entry.origin.path) : nullptr;
    if (file != nullptr && model::is_rewritten(model, *file)) return file;
  }
  return nullptr;
}

/// True when somebody rewrites what the plan edits, or where it edits nothing the place of the list.
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
  return std::any_of(plan.edits.begin(), plan.edits.end(), [&model](const FileEdit& edit) {
    return model::rewriter_of(model, edit.before) != model.kind->rewritten_by;
  });
}

/// A flag that is in force hides the configuration, into which what is printed goes.
void note_hidden(const model::NodeModel& model, Plan& plan) {
  const model::Layer* winner = model::winner_of(model);
  const bool by_flag = winner != nullptr && winner->kind == model::LayerKind::kFlag;
  if (!plan.advice || !by_flag || !model.kind->new_list_route.starts_with("config")) return;
  // bootstrap.sh takes arguments.
  if (model.kind->id.starts_with("eks-") && model.kind->id != "eks-al2023") return;
  const bool leaves_flag = std::none_of(
      plan.edits.begin(), plan.edits.end(),
      [](const FileEdit& e) { return e.route == "config" || e.route == "config-dir"; });
  if (!leaves_flag) return;
  Finding finding;
  finding.id = "lasting-hidden";
  finding.severity = Severity::kWarning;
  finding.message =
      "the list in force is set by a flag, which hides the configuration: what makes it last there "
      "has no effect while the flag stands";
  finding.path = winner->at.path;
  finding.line = winner->at.line;
  finding.hint =
      "to move the list there, take the flag out by hand first, and then set the whole list with "
      "'--via config'";
  plan.findings.push_back(std::move(finding));
}

}  // namespace

Status make_last(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model, bool asked,
                 Plan& plan) {
  const bool rewritten = is_place_rewritten(snapshot, model, plan);
  auto edit = lasting_edit(snapshot, model, plan.after, asked && rewritten);
  if (!edit) return std::move(edit).error();
  const nodes::NodeKind& kind = *model.kind;
  const bool known = is_known_to_last(model, plan);
  if (kind.advise != nullptr && (rewritten || (asked && known))) {
    plan.advice = advice_for(model, plan.after);
    if (asked) note_hidden(model, plan);
  }
  Finding finding;
  if (*edit) {
    finding.id = "lasting-file";
    finding.message = fmt::format("this file brings the list back: {}", kind.lasting_needs);
    finding.path = (*edit)->before.path;
    plan.edits.push_back(std::move(**edit));
  } else if (asked && !rewritten && !known) {
    finding.id = "lasting-unknown";
    finding.message = "whether something rewrites the file of the list is not known here";
  } else if (const SourceFile* part = rewritten_part(snapshot, model, plan);
             asked && !rewritten && part != nullptr) {
    finding.id = "lasts-in-part";
    finding.message =
        fmt::format("a part of the list stands in this file, which is rewritten by {}",
                    model::rewriter_of(model, *part));
    finding.path = part->path;
  } else if (asked && !rewritten) {
    finding.id = "lasts-here";
    finding.message = "nothing is known that rewrites the file of the list on this kind of node";
  } else if (asked && !plan.advice && !is_of_rancher_plan(model, plan)) {
    finding.id = "no-lasting-place";
    finding.message = "no place is known that would make the list last on this kind of node";
  } else {
    return {};
  }
  finding.severity = Severity::kNote;
  plan.findings.push_back(std::move(finding));
  return {};
}

}  // namespace kubelet_sysctl::planning
