// SPDX-License-Identifier: Apache-2.0
// The table of checks, and how a finding is put together.
#include "kubelet_sysctl/checks/checks.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/checks/swallowed.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl::checks {

Finding finding_of(const Check& check, std::string message, std::string hint) {
  return {.id = std::string(check.id),
          .severity = check.severity,
          .message = std::move(message),
          .hint = std::move(hint)};
}

Finding at_origin(Finding finding, const Origin& origin) {
  finding.path = origin.path;
  finding.line = origin.line;
  return finding;
}

Finding at_span(Finding finding, const SourceFile& file, Span span) {
  finding.path = file.path;
  finding.line = span.end == 0 ? 0 : line_column(file.bytes, span.begin).line;
  return finding;
}

std::string command_with(std::string_view command, const EntryList& entries) {
  std::string out(command);
  // What begins with a hyphen would be an option.
  const bool dashed = std::any_of(entries.begin(), entries.end(),
                                  [](std::string_view entry) { return entry.starts_with('-'); });
  if (dashed) out += " --";
  for (const std::string_view entry : entries) out += ' ' + shell_word(entry);
  return out;
}

std::string real_path_of(const nodes::NodeSnapshot& snapshot, const std::string& path) {
  const SourceFile* file = nodes::find_file(snapshot, path);
  return file == nullptr ? path : file->real_path;
}

Origin origin_of_word(const model::NodeModel& model, std::size_t index) {
  const bool known = !model.wrapped && index < model.command.origins.size();
  return known ? model.command.origins[index] : Origin{};
}

void reports_itself(const nodes::NodeSnapshot&, const model::NodeModel&, const Check&,
                    std::vector<Finding>&) {}

const std::vector<Check>& all_checks() {
  using enum Severity;
  using enum Audience;
  using enum Needs;
  static const std::vector<Check> checks = {
      // A kubelet that is down comes before all else.
      {"kubelet-stopped", kError, "the kubelet does not run", kubelet_stopped, kShow, kPart},
      {"restart-loop", kError, "the kubelet does not stay up", restart_loop, kShow, kPart},
      {"not-healthy", kError, "the kubelet runs and is not healthy", not_healthy, kShow, kPart},
      // What ends the kubelet, or keeps it from being inspected.
      {"no-unit", kError, "no unit runs a kubelet", no_unit},
      {"unit-broken", kError, "systemd does not load or start the unit", unit_broken},
      {"config-broken", kError, "the kubelet does not start with a file", config_broken, kVerbs},
      {"config-doubtful", kWarning, "some release does not start with a file", config_doubtful,
       kVerbs, kPart},
      {"default-sysctl-fatal", kError, "a default for pods ends the kubelet", default_sysctl_fatal,
       kVerbs},
      {"drop-in-without-kind", kError, "a drop-in lacks kind or apiVersion", drop_in_without_kind},
      {"not-understood", kWarning, "a form that cannot be followed here", not_understood},
      {"flag-fatal", kError, "the kubelet exits because of its command line", flag_fatal, kVerbs},
      {"swallowed-flags", kError, "a value that holds flags", swallowed_by_value, kVerbs, kPart},
      {"renamed-flag", kError, "the list's flag has its old name", renamed_flag, kVerbs, kPart},
      {"misspelt-flag", kError, "the list's flag is misspelt", misspelt_flag, kVerbs, kPart},
      {"blank-after-comma", kError, "a blank splits the list", blank_after_comma, kVerbs},
      {"program-missing", kWarning, "the program of the unit cannot be started", program_missing,
       kShow},
      // The list and its entries.
      {"bad-value", kError, "blanks, quotes or empty items in the list", bad_value, kShow},
      {"entry-refused", kWarning, "an entry that some kubelets refuse to start with", entry_refused,
       kShow},
      {"misspelt-key", kWarning, "a key that the kubelet ignores", misspelt_key, kVerbs, kPart},
      {"empty-flag", kWarning, "an empty flag wipes the list below it", empty_flag, kShow},
      {"shadowed-list", kWarning, "a list that another one replaces", shadowed_list, kShow},
      {"repeated-key", kWarning, "the list occurs twice in one file", repeated_key, kVerbs, kPart},
      {"second-document", kWarning, "YAML documents that are not read", second_document, kVerbs,
       kPart},
      {"unread-drop-in", kWarning, "a list in a file without .conf", unread_drop_in, kDoctor,
       kPart},
      {"useless-in-kernel", kWarning, "an entry that pods cannot set in this kernel",
       useless_in_kernel, kShow},
      {"default-sysctl-unused", kWarning, "defaults for pods that no pod gets",
       default_sysctl_unused, kShow},
      {"wide-grant", kWarning, "a pattern that allows a whole group", wide_grant},
      {"launcher-needs-entry", kWarning, "an entry that the distribution itself needs",
       launcher_needs_entries, kShow},
      // What is desired.
      {"desired-list-broken", kWarning, "the desired list cannot be read", desired_list_broken,
       kShow, kPart},
      {"desired-list-not-met", kWarning, "the list is not the desired one", desired_list_not_met,
       kShow},
      {"expired-entry", kWarning, "a desired entry has expired", expired_entry, kShow},
      // Where the arguments come from.
      {"env-dropped", kWarning, "assignments that systemd drops", env_dropped, kShow},
      {"assigned-again", kWarning, "an assignment that a later one replaces", assigned_again},
      {"wiped-assignment", kWarning, "an empty assignment wipes an earlier one", wiped_assignment},
      {"wiped-setting", kWarning, "an empty line of the unit wipes earlier ones", wiped_setting},
      {"unread-arguments", kWarning, "a file of arguments that nothing reads", unread_arguments},
      // The process against the files.
      {"not-reloaded", kWarning, "systemd has older unit files", not_reloaded, kShow},
      {"drift", kWarning, "the process differs from the files", drift, kShow},
      {"configz-differs", kWarning, "the kubelet itself says another list", configz_differs, kVerbs,
       kPart},
      {"configz-silent", kWarning, "the kubelet could not be asked", configz_silent, kVerbs, kPart},
      {"newer-file", kWarning, "a file is newer than the process", newer_file, kShow},
      {"other-arguments", kWarning, "the next start brings other arguments", other_arguments},
      {"list-unknown", kWarning, "no process shows the kubelet's arguments", list_unknown, kShow},
      {"unfinished-change", kWarning, "a change was not finished", reports_itself},
      {"list-lost", kWarning, "entries of the last change are gone", reports_itself, kShow},
      {"broken-record", kWarning, "the records of changes cannot be read", reports_itself},
      // What makes a change harder to see or shorter to last.
      {"health-off", kWarning, "the health endpoint is off", health_off},
      {"dynamic-config-dir", kWarning, "the local file may not be what runs", dynamic_config},
      {"lock-file", kWarning, "the kubelet exits when a file is opened", lock_file},
      {"will-be-rewritten", kNote, "something rewrites the file of the list", will_be_rewritten,
       kShow},
      {"health-moved", kNote, "the health endpoint is not where it usually is", health_moved},
      {"safe-already", kNote, "an entry that needs none", safe_already, kShow},
      {"duplicate-entry", kNote, "an entry occurs twice", duplicate_entry, kShow},
      {"covered-entry", kNote, "a pattern covers an entry", covered_entry, kShow},
      {"newer-release", kNote, "a release that this program does not know", newer_release, kDoctor,
       kPart},
  };
  return checks;
}

const Check* find_check(std::string_view id) {
  const auto& checks = all_checks();
  const auto found = std::find_if(checks.begin(), checks.end(),
                                  [id](const Check& check) { return check.id == id; });
  return found == checks.end() ? nullptr : &*found;
}

const Check& check_named(std::string_view id) {
  const Check* check = find_check(id);
  if (check == nullptr) bug("a check that is not in the table");
  return *check;
}

namespace {

/// True for a check of the entries: where the value of the flag holds other flags, its items are none.
bool is_about_entries(std::string_view id) {
  constexpr std::array<std::string_view, 10> kIds = {
      "bad-value",     "entry-refused",       "shadowed-list",        "useless-in-kernel",
      "wide-grant",    "safe-already",        "desired-list-not-met", "duplicate-entry",
      "covered-entry", "launcher-needs-entry"};
  return std::find(kIds.begin(), kIds.end(), id) != kIds.end();
}

}  // namespace

std::vector<Finding> run_checks(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                                Audience audience) {
  std::vector<Finding> found;
  const bool swallowed = is_list_swallowed(snapshot, model);
  for (const Check& check : all_checks()) {
    if (swallowed && is_about_entries(check.id)) continue;
    if (check.audience < audience) continue;
    if (check.needs == Needs::kWhole && !snapshot.unreadable.empty()) continue;
    check.run(snapshot, model, check, found);
  }
  return found;
}

Result<model::NodeModel> resolve_and_check(const nodes::NodeSnapshot& snapshot) {
  auto model = model::resolve(snapshot);
  if (model) model->findings = run_checks(snapshot, *model);
  return model;
}

}  // namespace kubelet_sysctl::checks
