// SPDX-License-Identifier: Apache-2.0
// Fixing what needs no decision, step by step, each proved on the node as the one before leaves it.
#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/corrected_list.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/checks/swallowed.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/kubelet/config_merge.hpp"
#include "kubelet_sysctl/model/config.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/sysctl/pattern_set.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "parts.hpp"

namespace kubelet_sysctl::planning {
namespace {

using Entries = std::vector<std::string>;

constexpr std::string_view kBlanks = " \t\r\n";

class Fixer {
 public:
  Fixer(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model)
      : before_(snapshot), model_before_(model), snapshot_(snapshot), model_(model) {}

  Result<Plan> run() {
    if (auto refusal = other_manager(model_, model::configured_texts(model_)))
      return std::move(*refusal);
    if (auto fault = checks::argument_fault(before_, model_)) return std::move(*fault);
    plan_.verb = Verb::kFix;
    plan_.before = model::configured_texts(model_);
    for (auto step : {&Fixer::rename_keys, &Fixer::join_torn_list, &Fixer::clean_list,
                      &Fixer::check_new_entries}) {
      if (auto status = (this->*step)(); !status) return std::move(status).error();
    }
    plan_.after = model::configured_texts(model_);
    plan_.expected_argv = model_.argv;
    if (auto status = judge_places(before_, plan_); !status) {
      return std::move(status).error();
    }
    if (!plan_.edits.empty()) {
      note_rewritten(model_, plan_.after, plan_.edits, plan_.findings, false);
      decide_restart(before_, model_before_, plan_);
    }
    if (auto status = advise(); !status) return std::move(status).error();
    return std::move(plan_);
  }

 private:
  static Error at(Error error, const SourceFile& file) {
    if (error.path.empty()) error.path = file.path;
    return error;
  }

  /// Takes a proved step over: the node is now as it leaves it.
  Status take(const std::vector<FileEdit>& edits) {
    auto next = with_edits(snapshot_, edits);
    if (!next) return std::move(next).error();
    auto model = model::resolve(*next);
    if (!model) return std::move(model).error();
    snapshot_ = std::move(*next);
    model_ = std::move(*model);
    for (const FileEdit& edit : edits) add_edit(edit);
    return {};
  }

  /// Two steps in one file are one edit of it.
  void add_edit(const FileEdit& edit) {
    const auto earlier = std::find_if(
        plan_.edits.begin(), plan_.edits.end(),
        [&edit](const FileEdit& other) { return other.before.path == edit.before.path; });
    if (earlier == plan_.edits.end()) {
      plan_.edits.push_back(edit);
      return;
    }
    earlier->after = edit.after;
    const std::string& old = earlier->before.bytes;
    const auto [a, b] = std::mismatch(old.begin(), old.end(), edit.after.begin(), edit.after.end());
    const auto head = static_cast<std::size_t>(a - old.begin());
    std::size_t tail = 0;
    while (tail < std::min(old.size(), edit.after.size()) - head &&
           old[old.size() - 1 - tail] == edit.after[edit.after.size() - 1 - tail]) {
      ++tail;
    }
    earlier->splices = {{.at = {head, old.size() - tail},
                         .text = edit.after.substr(head, edit.after.size() - tail - head)}};
  }

  Status rename_keys() {
    if (!model_.config_path.empty()) {
      if (auto status = rename_key(model_.config_path, kubelet::ConfigRole::kMain); !status)
        return status;
    }
    const auto walk = snapshot_.config_dirs.find(model_.config_dir);
    if (model_.config_dir.empty() || walk == snapshot_.config_dirs.end()) return {};
    const std::vector<nodes::WalkEntry> entries = walk->second;
    for (const nodes::WalkEntry& entry : entries) {
      if (entry.source == kNoSource) continue;
      if (auto status = rename_key(entry.path, kubelet::ConfigRole::kDropIn); !status)
        return status;
    }
    return {};
  }

  Status rename_key(const std::string& path, kubelet::ConfigRole role) {
    const SourceFile* found = nodes::find_file(snapshot_, path);
    if (found == nullptr || !found->exists()) return {};
    const SourceFile file = *found;
    auto splices = kubelet::rename_list_key(file.bytes, role);
    if (!splices && splices.error().kind == ErrorKind::kRefused) return second_list(file, role);
    if (!splices) return at(std::move(splices).error(), file);
    if (splices->empty()) return {};
    if (!is_editable(file)) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .message = "will not rename the key in a package's file",
                   .path = file.path};
    }
    auto edit = edit_of(
        file, std::move(*splices),
        role == kubelet::ConfigRole::kMain ? nodes::Route::kConfig : nodes::Route::kConfigDir);
    if (!edit) return std::move(edit).error();
    const Entries argv = model_.argv;
    const Entries list = model::configured_texts(model_);
    if (role == kubelet::ConfigRole::kDropIn && would_decide_otherwise(file, *edit, list))
      return {};
    if (auto status = take({*edit}); !status) return status;
    if (model_.argv != argv) bug("the name of a key changed the command line");
    const model::Layer* winner = model::winner_of(model_);
    const bool in_force = winner != nullptr && winner->at.path == file.path;
    if (!in_force) say_shadowed(file, list);
    return {};
  }

  /// A drop-in's key in the wrong case is read, and is above or below the right one: where its right name
  /// makes another list, choosing one is a manual action. The finding about it stays.
  bool would_decide_otherwise(const SourceFile& file, const FileEdit& edit,
                              const Entries& list) const {
    auto reading = kubelet::read_kubelet_config(file.bytes, kubelet::ConfigRole::kDropIn);
    if (!reading || reading->settings.empty()) return false;
    if (model::merge_rule_of(snapshot_) == kubelet::MergeRule::kNonEmpty) return false;
    auto after = model_after(snapshot_, {edit});
    return !after || !model::is_configured(*after, list);
  }

  /// The refusal with the command that puts both lists together.
  Error second_list(const SourceFile& file, kubelet::ConfigRole role) const {
    Error error = at(kubelet::rename_list_key(file.bytes, role).error(), file);
    Entries meant;
    if (auto parsed = kubelet::parse_kubelet_config(file.bytes, role)) {
      for (const kubelet::MisspeltKey& key : parsed->misspelt) {
        meant.insert(meant.end(), key.entries.begin(), key.entries.end());
      }
    }
    const Entries missing = new_entries(model_, checks::without_doubles(checks::names_in(meant)));
    error.hint = missing.empty()
                     ? "its entries are in the list already: remove the misspelt key"
                     : fmt::format("to have its entries too, remove the misspelt key and run: {}",
                                   checks::command_with("kubelet-sysctl add", missing));
    return error;
  }

  /// A list that has its right name now and is hidden all the same.
  void say_shadowed(const SourceFile& file, const Entries& list) {
    const model::Layer* winner = model::winner_of(model_);
    if (!model::is_configured(model_, list) || winner == nullptr) return;
    plan_.findings.push_back(
        {.id = "list-unchanged",
         .severity = Severity::kWarning,
         .message = fmt::format(
             "the key has its right name, and nothing changes in force: {} replaces its list",
             place_text(winner->at.path, winner->at.line)),
         .path = file.path});
  }

  /// Takes the blanks out that tear the flag's value into several words.
  Status join_torn_list() {
    while (checks::is_torn_list(model_)) {
      const std::size_t stray = model_.flags.fatal_word;
      const systemd::Word& value = model_.command.words[stray - 1];
      const systemd::Word& piece = model_.command.words[stray];
      if (value.raw.source == kNoSource || value.raw.source != piece.raw.source) return {};
      const SourceFile file = snapshot_.files[static_cast<std::size_t>(value.raw.source)];
      const Span gap = {value.raw.end, piece.raw.begin};
      if (gap.end <= gap.begin || !is_editable(file)) return {};
      const std::string_view between = std::string_view(file.bytes).substr(gap.begin, gap.size());
      if (between.find_first_not_of(kBlanks) != std::string_view::npos) return {};
      Entries wanted = model_.argv;
      wanted[stray - 1] += wanted[stray];
      wanted.erase(wanted.begin() + static_cast<std::ptrdiff_t>(stray));
      const auto& drop_ins = snapshot_.unit.drop_ins;
      const bool is_unit =
          value.raw.source == snapshot_.unit.fragment ||
          std::find(drop_ins.begin(), drop_ins.end(), value.raw.source) != drop_ins.end();
      auto edit = edit_of(file, {{.at = gap, .text = {}}},
                          is_unit ? nodes::Route::kUnit : nodes::Route::kArgs);
      if (!edit) return std::move(edit).error();
      if (auto status = take({*edit}); !status) return status;
      if (model_.argv != wanted) {
        return Error{.kind = ErrorKind::kUnsupported,
                     .message = "will not join this list: the edit would change other words",
                     .path = file.path};
      }
    }
    return {};
  }

  Status clean_list() {
    const Entries now = model::configured_texts(model_);
    Change change;
    change.verb = Verb::kSet;
    change.entries = checks::without_doubles(checks::names_in(now));
    if (change.entries == now) return {};
    for (const model::Entry& entry : model::configured_entries(model_)) {
      if (checks::is_correctable(std::string(entry.text))) continue;
      const Origin at = model::origin_of(model_, entry);
      return Error{.kind = ErrorKind::kRefused,
                   .message = fmt::format("no correction makes '{}' an entry that a kubelet takes",
                                          entry.text),
                   .path = at.path,
                   .line = at.line,
                   .hint = "run: " + checks::command_for_malformed(now)};
    }
    // They were in the list before, whatever a rule says of them; new ones are asked for below.
    change.force = change.allow_wide = true;
    auto plan = make_plan(snapshot_, model_, change);
    if (!plan && plan.error().kind == ErrorKind::kBadEntry) {
      Error error = std::move(plan).error();
      error.kind = ErrorKind::kRefused;
      error.hint = "run: " + checks::command_for_malformed(now);
      if (const model::Layer* winner = model::winner_of(model_); winner != nullptr) {
        error.path = winner->at.path;
        error.line = winner->at.line;
      }
      return error;
    }
    if (!plan) return std::move(plan).error();
    if (auto status = take(plan->edits); !status) return status;
    for (Finding& finding : plan->findings) {
      const bool of_the_way = finding.id == "carried-over" || finding.id == "empty-flag-kept";
      if (of_the_way) plan_.findings.push_back(std::move(finding));
    }
    return {};
  }

  /// What comes into force is judged as if it was added.
  Status check_new_entries() {
    const sysctl::EntrySet known(checks::names_in(plan_.before));
    for (const model::Entry& entry : model::configured_entries(model_)) {
      if (known.holds(entry.text)) continue;
      auto checked = check_entry(before_, std::string(entry.text), false, plan_.findings);
      if (checked) continue;
      const Origin at = model::origin_of(model_, entry);
      Error refusal = std::move(checked).error();
      refusal.kind = ErrorKind::kRefused;
      refusal.path = at.path;
      refusal.line = at.line;
      refusal.hint +=
          fmt::format("{}remove it from '{}' first", refusal.hint.empty() ? "" : "; ", at.path);
      return refusal;
    }
    return judge_entries(before_, model_before_, model::configured_texts(model_), false,
                         plan_.findings);
  }

  /// What is left for a person, on the node as it will be. What runs now says nothing of that.
  Status advise() {
    nodes::NodeSnapshot after = snapshot_;
    after.live = false;
    after.process.reset();
    after.state.reset();
    after.health.reset();
    auto model = model::resolve(after);
    if (!model) return std::move(model).error();
    for (Finding& finding : checks::run_checks(after, *model, checks::Audience::kDoctor)) {
      const bool reported = std::any_of(
          plan_.findings.begin(), plan_.findings.end(), [&finding](const Finding& other) {
            return other.id == finding.id &&
                   (other.path == finding.path || other.message == finding.message);
          });
      if (!reported) plan_.findings.push_back(std::move(finding));
    }
    sort_by_severity(plan_.findings);
    return {};
  }

  const nodes::NodeSnapshot& before_;
  const model::NodeModel& model_before_;
  nodes::NodeSnapshot snapshot_;
  model::NodeModel model_;
  Plan plan_;
};

}  // namespace

Result<Plan> plan_fix(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model) {
  return Fixer(snapshot, model).run();
}

}  // namespace kubelet_sysctl::planning
