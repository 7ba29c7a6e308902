// SPDX-License-Identifier: Apache-2.0
// Checks of where the arguments come from: assignments that others replace, and files nobody reads.
#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/env_file.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"

namespace kubelet_sysctl::checks {
namespace {

/// One assignment of a variable in the order in which systemd makes them.
struct Assigned {
  std::string name;
  std::string value;
  const SourceFile* file = nullptr;
  Span at;
  bool of_unit = false;  ///< Environment=, which a unit gives as a default for a file to replace
};

bool mentions_list(std::string_view text) {
  return text.find("unsafe-sysctl") != std::string_view::npos ||
         text.find("unsafe_sysctl") != std::string_view::npos;
}

/// The settings of [Service] of the unit and its drop-ins, in the order of their application.
std::vector<systemd::UnitSetting> service_settings(const model::NodeModel& model) {
  std::vector<systemd::UnitSetting> settings;
  for (const systemd::ParsedUnitFile& file : model.unit.files) {
    std::copy_if(file.accepted.begin(), file.accepted.end(), std::back_inserter(settings),
                 [](const systemd::UnitSetting& one) { return one.section == "Service"; });
  }
  return settings;
}

/// The unit's file that holds a setting. An empty value has no bytes to ask, so the setting before or
/// behind it cannot determine either: nothing then.
const SourceFile* file_of(const nodes::NodeSnapshot& snapshot,
                          const systemd::UnitSetting& setting) {
  if (setting.value.at.empty()) return nullptr;
  const std::int32_t source = setting.value.at.front().source;
  return source == kNoSource ? nullptr : &file_at(snapshot, source);
}

systemd::Environment environment_of(const nodes::NodeSnapshot& snapshot,
                                    const systemd::UnitSetting& setting) {
  systemd::Environment made;
  std::vector<systemd::FormUse> unused;
  systemd::apply_environment(setting.value, snapshot.specifiers, OriginKind::kUnit, made, unused,
                             snapshot.systemd_version);
  return made;
}

/// The environment files in force that exist, in the order of reading.
std::vector<std::int32_t> environment_sources(const nodes::NodeSnapshot& snapshot,
                                              const model::NodeModel& model) {
  std::vector<std::int32_t> sources;
  for (const systemd::EnvironmentFileLine& line : model.command.environment_files) {
    const auto glob = snapshot.globs.find(line.path);
    const std::vector<std::string> paths =
        glob == snapshot.globs.end() ? std::vector<std::string>{line.path} : glob->second;
    for (const std::string& path : paths) {
      const std::int32_t source = nodes::find_source(snapshot, path);
      if (source != kNoSource && file_at(snapshot, source).exists()) sources.push_back(source);
    }
  }
  return sources;
}

std::vector<Assigned> assignments_of(const nodes::NodeSnapshot& snapshot,
                                     const model::NodeModel& model) {
  std::vector<Assigned> all;
  for (const systemd::UnitSetting& setting : service_settings(model)) {
    if (setting.key != "Environment") continue;
    if (setting.value.text.empty()) std::erase_if(all, [](const Assigned&) { return true; });
    for (const auto& [name, variable] : environment_of(snapshot, setting)) {
      all.push_back({.name = name,
                     .value = variable.value.text,
                     .file = file_of(snapshot, setting),
                     .at = setting.line_at,
                     .of_unit = true});
    }
  }
  for (const std::int32_t source : environment_sources(snapshot, model)) {
    const SourceFile& file = file_at(snapshot, source);
    const auto parsed = model.unit.environment_files.find(source);
    if (parsed == model.unit.environment_files.end() || !parsed->second) continue;
    for (const systemd::EnvAssignment& one : parsed->second->assignments) {
      all.push_back({.name = one.name, .value = one.value.text, .file = &file, .at = one.name_at});
    }
  }
  return all;
}

/// True when the command in force names the variable.
bool is_used(const model::NodeModel& model, const std::string& name) {
  const std::string& text = model.command.exec_setting.value.text;
  for (std::size_t at = text.find('$'); at != std::string::npos; at = text.find('$', at + 1)) {
    const std::string_view rest = std::string_view(text).substr(at + 1);
    if (rest.starts_with(fmt::format("{{{}}}", name))) return true;
    if (!rest.starts_with(name)) continue;
    const std::string_view behind = rest.substr(name.size());
    if (behind.empty() || !systemd::is_variable_name(fmt::format("a{}", behind.substr(0, 1))))
      return true;
  }
  return false;
}

/// The flags of `lost` that `last` does not give, with their values.
std::string lost_flags(const Assigned& lost, const Assigned& last) {
  std::string out;
  for (std::string_view rest = lost.value; !rest.empty();) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::string_view name = word.substr(0, word.find('='));
    if (!word.starts_with("--") || last.value.find(name) != std::string::npos) continue;
    out += (out.empty() ? "" : " ") + std::string(word);
  }
  return out;
}

/// Calls `tell` with each assignment of the command's variables that has no effect, and with the one
/// that has. A default of the unit that a file replaces is no fault, unless a list was in it.
template <typename Tell>
void each_lost(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model, Tell tell) {
  if (model.stopped) return;
  const std::vector<Assigned> all = assignments_of(snapshot, model);
  for (auto one = all.begin(); one != all.end(); ++one) {
    if (one->value.empty() || one->file == nullptr || !is_used(model, one->name)) continue;
    const auto last = std::find_if(all.rbegin(), all.rend(),
                                   [&](const Assigned& other) { return other.name == one->name; });
    if (&*last == &*one || last->file == nullptr || last->value == one->value) continue;
    const bool is_default = one->of_unit && !last->of_unit;
    if (is_default && !mentions_list(one->value) && lost_flags(*one, *last).empty()) continue;
    tell(*one, *last);
  }
}

Finding lost_finding(const Check& check, const Assigned& lost, std::string message,
                     std::string hint) {
  Finding finding = finding_of(check, std::move(message), std::move(hint));
  if (!mentions_list(lost.value)) finding.severity = Severity::kNote;
  return at_span(std::move(finding), *lost.file, lost.at);
}

std::string lost_text(const Assigned& lost, const Assigned& last) {
  const std::string flags = lost_flags(lost, last);
  return flags.empty() ? std::string() : "; lost: " + flags;
}

std::string place_of(const Assigned& one) {
  return place_text(one.file->path, line_column(one.file->bytes, one.at.begin).line);
}

/// The files of `setting` that no line in force reads.
bool is_unread(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
               const std::string& path) {
  const std::string real = real_path_of(snapshot, path);
  const auto sources = environment_sources(snapshot, model);
  const auto& lines = model.command.environment_files;
  return std::none_of(sources.begin(), sources.end(),
                      [&](std::int32_t source) {
                        const SourceFile& file = file_at(snapshot, source);
                        return file.path == path || file.real_path == real;
                      }) &&
         std::none_of(lines.begin(), lines.end(),
                      [&](const systemd::EnvironmentFileLine& line) { return line.path == path; });
}

/// What an earlier line of the unit gave and no later one gives again; empty when nothing is lost.
std::string lost_by_wiping(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                           const systemd::UnitSetting& setting, bool& had_list) {
  if (setting.key == "EnvironmentFile") {
    std::vector<systemd::FormUse> unused;
    const auto line =
        systemd::parse_environment_file_line(setting.value, snapshot.specifiers, unused);
    if (!line || !*line || !is_unread(snapshot, model, (*line)->path)) return {};
    const SourceFile* file = nodes::find_file(snapshot, (*line)->path);
    if (file == nullptr || !file->exists()) return {};
    had_list = mentions_list(file->bytes);
    return fmt::format("the file '{}'", (*line)->path);
  }
  if (setting.key == "Environment") {
    for (const auto& [name, variable] : environment_of(snapshot, setting)) {
      if (model.command.environment.contains(name) || !is_used(model, name)) continue;
      had_list = mentions_list(variable.value.text);
      return fmt::format("the variable '{}'", name);
    }
    return {};
  }
  // A drop-in that says ExecStart= again is how it is done; a list that it leaves out is another matter.
  had_list = mentions_list(setting.value.text) && model.flags.lists.empty();
  return had_list ? "the flag of the list" : "";
}

/// What the command of a unit has that our own drop-in, which said it again, does not have: it was changed since.
std::optional<Finding> masked_command(const nodes::NodeSnapshot& snapshot,
                                      const model::NodeModel& model, const Check& check,
                                      const systemd::UnitSetting& lost) {
  if (model.command.exec_source == kNoSource) return std::nullopt;
  const SourceFile& ours = snapshot.files[static_cast<std::size_t>(model.command.exec_source)];
  const std::string name = fmt::format("/{}", model::kOwnDropIn);
  if (lost.key != "ExecStart" || !ours.path.ends_with(name)) return std::nullopt;
  const auto words_in = [](std::string_view text) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find_first_of(" \t", at), text.size());
      if (end > at) words.emplace_back(text.substr(at, end - at));
      at = end + 1;
    }
    return words;
  };
  const auto now = words_in(model.command.exec_setting.value.text);
  std::vector<std::string> missing;
  for (const std::string& word : words_in(lost.value.text)) {
    if (mentions_list(word) || std::find(now.begin(), now.end(), word) != now.end()) continue;
    missing.push_back(word);
  }
  if (missing.empty()) return std::nullopt;
  return finding_of(
      check,
      fmt::format("{} of this command {} not in force: '{}' sets the command again, as it was when "
                  "that file was written",
                  some_of(missing), missing.size() == 1 ? "is" : "are", ours.path),
      "make the same change there, or remove that file and run: systemctl daemon-reload");
}

}  // namespace

// Source: systemd.exec(5), EnvironmentFile=: of several assignments of one variable the last one counts.
void assigned_again(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                    const Check& check, std::vector<Finding>& found) {
  each_lost(snapshot, model, [&](const Assigned& lost, const Assigned& last) {
    if (last.value.empty()) return;
    found.push_back(
        lost_finding(check, lost,
                     fmt::format("this '{}' has no effect: it is assigned again at {}{}", lost.name,
                                 place_of(last), lost_text(lost, last)),
                     "make one assignment of them, where the last one is"));
  });
}

void wiped_assignment(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                      const Check& check, std::vector<Finding>& found) {
  each_lost(snapshot, model, [&](const Assigned& lost, const Assigned& last) {
    if (!last.value.empty()) return;
    found.push_back(lost_finding(check, lost,
                                 fmt::format("this '{}' has no effect: it is assigned empty at {}",
                                             lost.name, place_of(last)),
                                 "remove the empty assignment"));
  });
}

// Source: systemd.exec(5), systemd.service(5): an empty assignment resets the list of what came before.
void wiped_setting(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                   const Check& check, std::vector<Finding>& found) {
  if (model.stopped) return;
  const std::vector<systemd::UnitSetting> settings = service_settings(model);
  // The lines of each list since its last empty one.
  std::map<std::string_view, std::vector<const systemd::UnitSetting*>> in_force = {
      {"EnvironmentFile", {}}, {"Environment", {}}, {"ExecStart", {}}};
  for (const systemd::UnitSetting& setting : settings) {
    const auto list = in_force.find(setting.key);
    if (list == in_force.end()) continue;
    if (!setting.value.text.empty()) {
      list->second.push_back(&setting);
      continue;
    }
    for (const systemd::UnitSetting* lost : std::exchange(list->second, {})) {
      const SourceFile* file = file_of(snapshot, *lost);
      if (file == nullptr) continue;
      if (auto masked = masked_command(snapshot, model, check, *lost)) {
        found.push_back(at_span(std::move(*masked), *file, lost->line_at));
        continue;
      }
      bool had_list = false;
      const std::string what = lost_by_wiping(snapshot, model, *lost, had_list);
      if (what.empty()) continue;
      Finding finding = finding_of(
          check,
          fmt::format("{} is not used: a later empty '{}=' of the unit takes this line back", what,
                      lost->key),
          "repeat the line after the empty one, or remove the empty one");
      if (!had_list) finding.severity = Severity::kNote;
      found.push_back(at_span(std::move(finding), *file, lost->line_at));
    }
  }
}

// Source: kubernetes/release: the packages' drop-in reads /etc/default/kubelet on Debian's side and
// /etc/sysconfig/kubelet on Fedora's; for some months of 2023 the files and the drop-in did not agree.
void unread_arguments(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                      const Check& check, std::vector<Finding>& found) {
  if (model.stopped || model.wrapped) return;
  constexpr std::array<std::string_view, 2> kFiles = {"/etc/default/kubelet",
                                                      "/etc/sysconfig/kubelet"};
  for (const std::string_view path : kFiles) {
    const SourceFile* file = nodes::find_file(snapshot, path);
    if (file == nullptr || !file->exists()) continue;
    if (!is_unread(snapshot, model, std::string(path))) continue;
    const auto parsed = systemd::parse_env_file(file->bytes, kNoSource, snapshot.systemd_version);
    if (!parsed) continue;
    const auto& all = parsed->assignments;
    auto one = std::find_if(all.begin(), all.end(), [](const systemd::EnvAssignment& assignment) {
      return mentions_list(assignment.value.text);
    });
    const bool has_list = one != all.end();
    if (!has_list) {
      one = std::find_if(all.begin(), all.end(), [](const systemd::EnvAssignment& assignment) {
        return !assignment.value.text.empty();
      });
    }
    if (one == all.end()) continue;
    const std::string_view other = path == kFiles[0] ? kFiles[1] : kFiles[0];
    const bool other_read = !is_unread(snapshot, model, std::string(other));
    Finding finding = finding_of(
        check,
        fmt::format("the unit does not read this file{}",
                    other_read ? fmt::format(": it reads '{}'", other) : ""),
        other_read ? fmt::format("move what is needed to '{}' and remove this one", other)
                   : "'kubelet-sysctl explain' names the files that count");
    if (!has_list) finding.severity = Severity::kNote;
    found.push_back(at_span(std::move(finding), *file, one->name_at));
  }
}

}  // namespace kubelet_sysctl::checks
