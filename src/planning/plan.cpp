// SPDX-License-Identifier: Apache-2.0
// Choosing where the list is written, proving it, and deciding whether a restart is needed.
#include "kubelet_sysctl/planning/plan.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/unknown_list.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/model/rewritten.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "parts.hpp"
#include "route.hpp"
#include "start.hpp"

namespace kubelet_sysctl::planning {
namespace {

using nodes::Route;

std::string place_text(const Origin& at) {
  if (at.path.empty()) return "the arguments of the running process";
  return at.line == 0 ? fmt::format("'{}'", at.path) : fmt::format("'{}:{}'", at.path, at.line);
}

class Planner {
 public:
  Planner(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model, const Change& change)
      : snapshot_(snapshot), model_(model), change_(change), route_(snapshot, model, change) {}

  Result<Plan> run() {
    if (auto fault = start_fault(snapshot_, model_, change_)) return std::move(*fault);
    // Not even "there is nothing to do" can be said of a list that nobody saw.
    if (checks::is_list_unknown(model_) && !model_.kind->refuse) return unknown_list();
    auto list = wanted_list_of(snapshot_, model_, change_);
    if (!list) return std::move(list).error();
    if (auto refusal = other_manager(model_, list->wanted)) return std::move(*refusal);
    if (auto refusal = model::host_refusal(snapshot_)) return std::move(*refusal);
    plan_.verb = change_.verb;
    plan_.before = model::configured_texts(model_);
    plan_.after = std::move(list->wanted);
    plan_.findings = std::move(list->findings);
    auto judged = judge_entries(snapshot_, model_, plan_.after, change_.allow_wide, plan_.findings);
    if (!judged) return std::move(judged).error();
    note_checks();
    note_desired(snapshot_, model_, plan_);
    plan_.expected_argv = model_.argv;
    if (auto status = edits(plan_.after); !status) return std::move(status).error();
    if (auto status = judge_places(snapshot_, plan_); !status) {
      return std::move(status).error();
    }
    auto persisted = persist(snapshot_, model_, change_.persist, plan_);
    if (!persisted) return std::move(persisted).error();
    decide_restart(snapshot_, model_, plan_);
    wait_for_program();
    note_restart(snapshot_, plan_);
    return std::move(plan_);
  }

 private:
  /// The unit may be here before its program is: no start could show anything then.
  void wait_for_program() {
    const auto program = snapshot_.programs.find(model_.command.program);
    const bool missing = program != snapshot_.programs.end() && !program->second;
    if (!plan_.restart || model_.running || !missing) return;
    plan_.restart = false;
    plan_.pending = !plan_.edits.empty();
    if (!plan_.pending) return;
    plan_.findings.push_back(
        {.id = "program-missing",
         .severity = Severity::kWarning,
         .message =
             fmt::format("there is no program '{}' yet: the list takes effect at its first start",
                         model_.command.program)});
  }

  /// Entries that are believed to be in force, and what ends the kubelet: anyone who edits the list must
  /// hear of them.
  void note_checks() {
    for (const Finding& finding : model_.findings) {
      const checks::Check* check = checks::find_check(finding.id);
      if (check != nullptr && check->audience == checks::Audience::kVerbs)
        plan_.findings.push_back(finding);
    }
  }

  Status edits(const EntryList& wanted) {
    if (auto status = check_process(); !status) return status;
    auto route = route_.choose();
    if (!route) return std::move(route).error();
    const bool same_place = route_.current() == std::optional<Route>(*route);
    if (wanted == plan_.before && (same_place || change_.via == Via::kAuto)) return {};
    if (wanted.empty() && model::winner_of(model_) == nullptr) return {};
    auto candidates = candidates_for(*route, wanted);
    if (!candidates) return std::move(candidates).error();
    Error reason = refused("no place was found where this list could be written",
                           "name the file with '--file PATH'");
    reason.kind = ErrorKind::kUnsupported;
    bool first = true;
    for (Candidate& candidate : *candidates) {
      auto proved = prove(snapshot_, model_, candidate.edits, wanted);
      if (proved) {
        accept(candidate, *proved);
        return {};
      }
      if (first) {
        reason = std::move(proved).error();
        if (reason.path.empty()) reason.path = candidate.edits.front().before.path;
      }
      first = false;
    }
    return reason;
  }

  void accept(Candidate& candidate, const model::NodeModel& proved) {
    plan_.edits = std::move(candidate.edits);
    plan_.findings.insert(plan_.findings.end(), candidate.findings.begin(),
                          candidate.findings.end());
    plan_.expected_argv = proved.argv;
    note_shadowed(proved);
    note_masked();
    note_rewritten(model_, plan_.after, plan_.edits, plan_.findings,
                   change_.verb != Verb::kUndo && !change_.persist);
  }

  /// A drop-in of ours that says the command again hides what the vendor changes in its own.
  void note_masked() {
    const bool launcher = model::launcher_of(snapshot_) != nullptr;
    for (const FileEdit& edit : plan_.edits) {
      const bool copies = edit.after.find("\nExecStart=\n") != std::string::npos;
      if (edit.before.exists() || edit.removes || !copies || launcher) continue;
      plan_.findings.push_back(
          {.id = "masks-command",
           .severity = Severity::kNote,
           .message = fmt::format(
               "this file copies the command of '{}': later changes of its ExecStart= have no "
               "effect",
               snapshot_.files[static_cast<std::size_t>(model_.command.exec_source)].path),
           .path = edit.before.path});
    }
  }

  /// Says what a list that now comes to be above another one hides.
  void note_shadowed(const model::NodeModel& proved) {
    const model::Layer* winner = model::winner_of(proved);
    const model::Layer* before = model::winner_of(model_);
    if (winner == nullptr || before == nullptr || winner->kind == before->kind) return;
    if (!change_between(plan_.before, plan_.after).removed.empty()) return;
    plan_.findings.push_back(
        {.id = "carried-over",
         .severity = Severity::kNote,
         .message = fmt::format("the list in {} is carried over, since the new place hides it",
                                place_text(before->at)),
         .path = before->at.path,
         .line = before->at.line});
  }

  Error unknown_list() const {
    std::string hint = "run it where the kubelet runs: only its process shows what it reads";
    if (snapshot_.live) {
      hint = "let the unit start the kubelet itself, or let the wrapper end in 'exec'";
    }
    if (model_.kind->advise != nullptr) hint = std::string(model_.kind->vendor_route);
    Error error =
        refused("will not change a list that is unknown: " + checks::unknown_list_text(model_),
                std::move(hint));
    error.path = snapshot_.unit.fragment_path;
    return error;
  }

  /// The process that a restart replaces must be known for a kubelet: else nobody could see the new one.
  Status check_process() const {
    if (!snapshot_.live || !snapshot_.process) return {};
    const bool has_arguments = model::kubelet_place(snapshot_) == nodes::KubeletPlace::kMain;
    if (!has_arguments || kubelet::kubelet_arguments_start(snapshot_.process->argv)) return {};
    return refused(
        fmt::format("will not change this list: the main process of '{}' ({}) is not recognised as "
                    "a kubelet by its name or its arguments, so a change could not be confirmed",
                    snapshot_.unit.name, snapshot_.process->pid),
        "start a program named 'kubelet', or one that is given the arguments of the unit as they "
        "are");
  }

  /// Which of the unit's words reach the kubelet, the wrapper decides.
  Error wrapped_arguments() const {
    const model::Layer* winner = model::winner_of(model_);
    const bool by_flag = winner != nullptr && winner->kind == model::LayerKind::kFlag;
    const bool has_config = !model_.config_path.empty() && !by_flag;
    return Error{.kind = ErrorKind::kUnsupported,
                 .message =
                     "will not edit the arguments: a shell or another program starts the "
                     "kubelet",
                 .path = snapshot_.unit.fragment_path,
                 .hint = has_config ? "use '--via config'"
                                    : "edit them by hand: 'kubelet-sysctl explain' shows the words "
                                      "of the unit and their places"};
  }

  Result<std::vector<Candidate>> candidates_for(Route route, const EntryList& wanted) const {
    if (route == Route::kArgs) return argument_candidates(wanted);
    auto edit = route == Route::kConfig
                    ? config_edit(*route_.config_file(), kubelet::ConfigRole::kMain, wanted)
                    : config_dir_edit(wanted);
    if (!edit) return std::move(edit).error();
    std::vector<Candidate> candidates(1);
    candidates.front().edits.push_back(std::move(*edit));
    return candidates;
  }

  Result<std::vector<Candidate>> argument_candidates(const EntryList& wanted) const {
    if (model_.wrapped) return wrapped_arguments();
    if (model_.flags.ambiguous_word) {
      return Error{
          .kind = ErrorKind::kUnsupported,
          .message = fmt::format("will not edit the arguments: whether '{}' takes the next "
                                 "word is not known",
                                 model_.argv[*model_.flags.ambiguous_word]),
          .hint = fmt::format("write it with '='")};
    }
    std::vector<Candidate> all;
    if (model_.flags.lists.empty() || (has_built_in_list() && !adds_to(wanted))) {
      return insert_flag(snapshot_, model_, wanted, change_.file);
    }
    const auto& before = plan_.before;
    const bool adds = adds_to(wanted);
    auto changed = change_flag(snapshot_, model_, wanted);
    if (adds && !is_in_editable_file()) {
      // A package's file holds the flag: a second one, read later, adds to it.
      const std::vector<std::string> extra(
          wanted.begin() + static_cast<std::ptrdiff_t>(before.size()), wanted.end());
      auto inserted = insert_flag(snapshot_, model_, extra, change_.file);
      if (inserted) all = std::move(*inserted);
    } else if (!changed) {
      return std::move(changed).error();
    }
    if (changed) {
      for (Candidate& candidate : *changed) {
        if (touches_chosen_file(candidate)) all.push_back(std::move(candidate));
      }
    }
    return all;
  }

  bool adds_to(const EntryList& wanted) const {
    const auto& before = plan_.before;
    return wanted.size() > before.size() &&
           std::equal(before.begin(), before.end(), wanted.begin());
  }

  /// True when all that sets the list is what the kubelet's launcher adds: a flag of ours takes its place.
  bool has_built_in_list() const {
    const auto& lists = model_.flags.lists;
    return !lists.empty() &&
           std::all_of(lists.begin(), lists.end(), [this](const kubelet::ListFlag& flag) {
             return model_.command.origins[flag.value_word].kind == OriginKind::kHost;
           });
  }

  bool is_in_editable_file() const {
    const auto& lists = model_.flags.lists;
    return std::any_of(lists.begin(), lists.end(), [this](const kubelet::ListFlag& flag) {
      const systemd::Word& word = model_.command.words[flag.value_word];
      std::int32_t source = variable_source(word);
      if (source == kNoSource) source = word.raw.source;
      return source != kNoSource && is_editable(snapshot_.files[static_cast<std::size_t>(source)]);
    });
  }

  bool touches_chosen_file(const Candidate& candidate) const {
    return change_.file.empty() ||
           std::any_of(candidate.edits.begin(), candidate.edits.end(),
                       [this](const FileEdit& edit) { return route_.names(&edit.before); });
  }

  /// The drop-in that decides, or one of ours behind it when something rewrites that one.
  Result<FileEdit> config_dir_edit(const EntryList& wanted) const {
    const model::Layer* winner = model::winner_of(model_);
    const SourceFile* deciding = nullptr;
    if (winner != nullptr && winner->kind == model::LayerKind::kConfigDir) {
      deciding = nodes::find_file(snapshot_, winner->at.path);
    }
    std::string path = change_.file;
    if (path.empty() && deciding != nullptr && !model::is_rewritten(model_, *deciding))
      path = deciding->path;
    if (path.empty()) path = model_.config_dir + "/" + model::kOwnDropIn;
    const SourceFile* neighbour = deciding != nullptr ? deciding : route_.config_file();
    return drop_in_edit(snapshot_, model_, path, neighbour, wanted);
  }

  const nodes::NodeSnapshot& snapshot_;
  const model::NodeModel& model_;
  const Change& change_;
  RouteChoice route_;
  Plan plan_;
};

}  // namespace

Error refused(std::string message, std::string hint) {
  return Error{.kind = ErrorKind::kRefused, .message = std::move(message), .hint = std::move(hint)};
}

void decide_restart(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                    Plan& plan) {
  const bool any = !plan.edits.empty();
  if (!snapshot.live || !snapshot.state || snapshot.state->active_state == "inactive") {
    plan.pending = any;
    return;
  }
  if (!model.running) {
    // Down, though it should run: a start is the only way to see whether the list is taken.
    plan.restart = true;
    return;
  }
  if (!model.running->entries) {
    plan.restart = true;
    return;
  }
  const auto& now = *model.running->entries;
  const std::set<std::string> running(now.begin(), now.end());
  const std::set<std::string> wanted(plan.after.begin(), plan.after.end());
  if (running != wanted) {
    plan.restart = true;
    return;
  }
  // Bytes that were torn, and are put back, may hold more than the list.
  std::vector<std::string> others;
  bool value = false;
  for (const std::string& word : plan.expected_argv) {
    const bool of_list = value || word.starts_with(kubelet::kListFlag);
    value = !value && word == kubelet::kListFlag;
    if (!of_list) others.push_back(word);
  }
  if (any && kubelet::missing_word(others, model.running->process.argv) && !model.wrapped &&
      model.kind->launcher == nullptr) {
    plan.restart = true;
  }
}

Result<model::NodeModel> model_after(const nodes::NodeSnapshot& snapshot,
                                     const std::vector<FileEdit>& edits) {
  auto after = with_edits(snapshot, edits);
  if (!after) return std::move(after).error();
  return model::resolve(*after);
}

Result<Plan> make_plan(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                       const Change& change) {
  return Planner(snapshot, model, change).run();
}

}  // namespace kubelet_sysctl::planning
