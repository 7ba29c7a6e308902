// SPDX-License-Identifier: Apache-2.0
// The table of checks, and those of the unit and the process: what is wrong or risky, and its mend.
#include "kubelet_sysctl/checks.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "checks_parts.hpp"
#include "layout.hpp"

namespace kubelet_sysctl {
namespace {

void flag_fatal(const NodeSnapshot&, const NodeModel& model, const Check& check,
                std::vector<Finding>& found) {
  if (!model.flags.fatal) return;
  const bool known = !model.wrapped && model.flags.fatal_word < model.command.origins.size();
  found.push_back(at_origin(
      finding_of(
          check,
          fmt::format("the kubelet ends at once over its command line: {}", *model.flags.fatal),
          "'kubelet-sysctl explain' shows every word with its place"),
      known ? model.command.origins[model.flags.fatal_word] : Origin{}));
}

void program_missing(const NodeSnapshot& snapshot, const NodeModel& model, const Check& check,
                     std::vector<Finding>& found) {
  const auto program = snapshot.programs.find(model.command.program);
  if (program == snapshot.programs.end() || program->second) return;
  Finding finding = finding_of(
      check, fmt::format("there is no program '{}' that could be started", model.command.program),
      "install the kubelet, or correct ExecStart=");
  if (model.command.exec_source != kNoSource) {
    finding = at_span(std::move(finding),
                      snapshot.files[static_cast<std::size_t>(model.command.exec_source)],
                      model.command.exec_setting.line_at);
  }
  found.push_back(std::move(finding));
}

/// A path of the manager's as the snapshot resolves it, or the text itself.
std::string real_path_of(const NodeSnapshot& snapshot, const std::string& path) {
  const SourceFile* file = find_file(snapshot, path);
  return file == nullptr ? path : file->real_path;
}

void not_reloaded(const NodeSnapshot& snapshot, const NodeModel&, const Check& check,
                  std::vector<Finding>& found) {
  if (!snapshot.live || !snapshot.state || snapshot.unit.load != UnitLoad::kLoaded) return;
  const UnitState& state = *snapshot.state;
  const std::string mend = "systemctl daemon-reload";
  const std::string fragment =
      snapshot.unit.fragment == kNoSource
          ? snapshot.unit.fragment_path
          : snapshot.files[static_cast<std::size_t>(snapshot.unit.fragment)].real_path;
  std::vector<std::string> loaded;
  for (const std::string& path : state.drop_in_paths)
    loaded.push_back(real_path_of(snapshot, path));
  std::vector<std::string> on_disk;
  for (const std::int32_t source : snapshot.unit.drop_ins) {
    on_disk.push_back(snapshot.files[static_cast<std::size_t>(source)].real_path);
  }
  const ListChange drop_ins = change_between(loaded, on_disk);
  std::string message;
  if (state.needs_reload) {
    message = "systemd has not read the unit files since they changed";
  } else if (!state.fragment_path.empty() && state.fragment_path != snapshot.unit.fragment_path &&
             real_path_of(snapshot, state.fragment_path) != fragment) {
    message = fmt::format("systemd has the unit from '{}'", state.fragment_path);
  } else if (!drop_ins.added.empty()) {
    message = fmt::format("systemd has not read {}", some_of(drop_ins.added));
  } else if (!drop_ins.removed.empty()) {
    message = fmt::format("systemd still uses {}", some_of(drop_ins.removed));
  } else {
    return;
  }
  Finding finding = finding_of(check, message + ": the next start would not be what the files say",
                               fmt::format("run: {}", mend));
  finding.path = snapshot.unit.fragment_path;
  found.push_back(std::move(finding));
}

void drift(const NodeSnapshot& snapshot, const NodeModel& model, const Check& check,
           std::vector<Finding>& found) {
  if (!model.drift || !model.running || !model.running->entries) return;
  const ListChange change = change_between(*model.running->entries, texts_of(model.configured));
  std::string what;
  if (!change.added.empty()) what = " lacks " + some_of(change.added);
  if (!change.removed.empty()) {
    what += fmt::format("{} still allows {}", what.empty() ? "" : " and", some_of(change.removed));
  }
  if (what.empty()) what = " was started with another list";
  const Layer* winner = winner_of(model);
  found.push_back(at_origin(
      finding_of(check,
                 fmt::format("the running kubelet (pid {}){}", model.running->process.pid, what),
                 fmt::format("to make it use the files, run: systemctl restart {}",
                             shell_word(snapshot.unit.name))),
      winner == nullptr ? Origin{} : winner->at));
}

void will_be_rewritten(const NodeSnapshot& snapshot, const NodeModel& model, const Check& check,
                       std::vector<Finding>& found) {
  const Layer* winner = winner_of(model);
  if (winner == nullptr || model.kind == nullptr || winner->at.path.empty()) return;
  const std::string real = real_path_of(snapshot, winner->at.path);
  std::string_view rest = model.kind->rewritten;
  while (!rest.empty()) {
    const std::string_view path = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(path.size() + 1, rest.size()));
    if (path != winner->at.path && path != real) continue;
    found.push_back(
        at_origin(finding_of(check,
                             fmt::format("the list stands in a file that is rewritten by {}",
                                         model.kind->rewritten_by),
                             fmt::format("to make it last: {}", model.kind->vendor_route)),
                  winner->at));
    return;
  }
}

void env_dropped(const NodeSnapshot&, const NodeModel& model, const Check& check,
                 std::vector<Finding>& found) {
  if (model.command.dropped_assignments == 0) return;
  // Source: src/core/load-fragment.c config_parse_environ() logs each such word.
  found.push_back(
      finding_of(check,
                 fmt::format("systemd drops {} of Environment= as no assignment",
                             count_text(model.command.dropped_assignments, "word", "words")),
                 "the journal names each: 'Invalid environment assignment, ignoring'; a value with "
                 "blanks needs "
                 "quotes around the whole NAME=value"));
}

}  // namespace

Finding finding_of(const Check& check, std::string message, std::string hint) {
  Finding finding;
  finding.id = check.id;
  finding.severity = check.severity;
  finding.message = std::move(message);
  finding.hint = std::move(hint);
  return finding;
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

/// "'a', 'b' and 4 more"
std::string some_of(const std::vector<std::string>& entries) {
  constexpr std::size_t kShown = 6;
  std::string out;
  for (std::size_t i = 0; i < std::min(entries.size(), kShown); ++i) {
    out += fmt::format("{}'{}'", i == 0 ? "" : ", ", entries[i]);
  }
  if (entries.size() > kShown) out += fmt::format(" and {} more", entries.size() - kShown);
  return out;
}

const char* name_of(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  bug("a Severity without a name");
}

const std::vector<Check>& all_checks() {
  using enum Severity;
  // Only what no edit of the list can mend is an error: an error stops a plan before any write.
  static const std::vector<Check> checks = {
      {"flag-fatal", kError, "the command line ends the kubelet", flag_fatal},
      {"program-missing", kWarning, "the program of the unit cannot be started", program_missing},
      {"bad-value", kWarning, "blanks, quotes or empty items in the list", bad_value},
      {"entry-refused", kWarning, "an entry that ends some kubelet", entry_refused},
      {"misspelt-key", kWarning, "a key that the kubelet ignores", misspelt_key},
      {"empty-flag", kWarning, "an empty flag wipes the list below it", empty_flag},
      {"shadowed-list", kWarning, "a list that another one replaces", shadowed_list},
      {"repeated-key", kWarning, "the list stands twice in one file", repeated_key},
      {"second-document", kWarning, "YAML documents that nobody reads", second_document},
      {"env-dropped", kWarning, "assignments that systemd drops", env_dropped},
      {"not-reloaded", kWarning, "systemd has older unit files", not_reloaded},
      {"drift", kWarning, "the process differs from the files", drift},
      {"will-be-rewritten", kNote, "something rewrites the file of the list", will_be_rewritten},
      {"duplicate-entry", kNote, "an entry stands twice", duplicate_entry},
      {"covered-entry", kNote, "a pattern covers an entry", covered_entry},
  };
  return checks;
}

std::vector<Finding> run_checks(const NodeSnapshot& snapshot, const NodeModel& model) {
  std::vector<Finding> found;
  for (const Check& check : all_checks()) check.look(snapshot, model, check, found);
  return found;
}

}  // namespace kubelet_sysctl
