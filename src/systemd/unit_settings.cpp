// SPDX-License-Identifier: Apache-2.0
// Which settings of a unit's file systemd takes, and where it stops reading one.
#include "kubelet_sysctl/systemd/unit_settings.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/extract_word.hpp"
#include "kubelet_sysctl/systemd/newer_forms.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"

namespace kubelet_sysctl::systemd {
namespace {

bool is_command(std::string_view key) {
  constexpr std::array<std::string_view, 7> kCommands = {
      "ExecStart", "ExecStartPre", "ExecStartPost", "ExecReload",
      "ExecStop",  "ExecStopPost", "ExecCondition"};
  return std::find(kCommands.begin(), kCommands.end(), key) != kCommands.end();
}

/// systemd logs any other and keeps the earlier one. Source: src/core/service.c service_type_table.
bool is_type(std::string_view type, int version) {
  constexpr std::array<std::string_view, 7> kTypes = {"simple", "exec",   "forking", "oneshot",
                                                      "dbus",   "notify", "idle"};
  constexpr int kNotifyReload = 253;
  if (type == "notify-reload") return version >= kNotifyReload;
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

/// Forms over which some release refuses the whole unit, whatever becomes of the line.
bool may_stop_load(const FormUse& use) {
  constexpr std::array<Form, 10> kFatal = {
      Form::kColonPrefix,  Form::kPrivilegePrefix,  Form::kBareProgram,   Form::kStraySemicolon,
      Form::kNewSpecifier, Form::kPercentInProgram, Form::kNumericEscape, newer::kShellPrefix,
      newer::kSharedData,  newer::kPatternInProgram};
  return std::find(kFatal.begin(), kFatal.end(), use.form) != kFatal.end();
}

/// `//` and `/./` removed; `..` stays. Source: src/basic/path-util.c path_simplify().
MappedText simplified(const MappedText& path) {
  MappedText simple;
  for (std::size_t at = 0; at < path.text.size();) {
    std::size_t end = std::min(path.text.find('/', at), path.text.size());
    const MappedText part = path.sub(at, end);
    if (!part.text.empty() && part.text != ".") {
      simple.push('/', path.at[at == 0 ? 0 : at - 1]);
      simple.append(part);
    }
    at = end + 1;
  }
  if (simple.text.empty()) simple.push('/', path.at.front());
  return simple;
}

/// Nothing when one of the paths is not absolute: then none of the line counts.
std::optional<MappedText> search_path(const MappedText& value, const Specifiers& specifiers,
                                      int version, std::vector<FormUse>& forms) {
  MappedText whole;
  for (std::size_t at = 0; at <= value.text.size();) {
    const std::size_t end = std::min(value.text.find(':', at), value.text.size());
    const auto path = expand_specifiers(value.sub(at, end), specifiers, version, forms);
    if (!path || !path->text.starts_with('/')) return std::nullopt;
    if (at > 0) whole.push(':', value.at[at - 1]);
    whole.append(simplified(*path));
    at = end + 1;
  }
  return whole;
}

/// Leaves of `parsed.accepted` what systemd takes, and notes why.
void keep_accepted(ParsedUnitFile& parsed, const Specifiers& specifiers, int version) {
  std::vector<UnitSetting> kept;
  for (UnitSetting& setting : parsed.accepted) {
    const bool of_service = setting.section == "Service";
    if (of_service && setting.key == "Type" && !is_type(setting.value.text, version)) continue;
    if (of_service && setting.key == "ExecSearchPath" && !setting.value.text.empty()) {
      auto path = search_path(setting.value, specifiers, version, parsed.forms);
      if (!path) continue;
      setting.value = std::move(*path);
    }
    if (of_service && setting.key == "WorkingDirectory") {
      auto directory = expand_specifiers(setting.value, specifiers, version, parsed.forms);
      if (directory) setting.value = std::move(*directory);
    }
    if (!of_service || !is_command(setting.key) || setting.value.text.empty()) {
      kept.push_back(std::move(setting));
      continue;
    }
    ReadCommands& read = parsed.commands[setting.line_at.begin];
    read = read_commands(setting.value, specifiers, version);
    const bool refused = read.fault && read.fault->kind == ErrorKind::kMalformed;
    // A release that reads a refused line in another way may take it.
    std::copy_if(read.forms.begin(), read.forms.end(), std::back_inserter(parsed.forms),
                 [refused](const FormUse& use) { return refused || may_stop_load(use); });
    if (!refused || !read.commands.empty()) kept.push_back(setting);
    if (!read.ends_file) continue;
    parsed.refusal = Refusal{.setting = std::move(setting), .why = *read.fault};
    break;
  }
  parsed.accepted = std::move(kept);
}

}  // namespace

ParsedUnitFile parse_file_of_unit(const SourceFile& file, std::int32_t source,
                                  const Specifiers& specifiers, int version) {
  ParsedUnitFile parsed;
  parsed.source = source;
  parsed.written = parse_unit_file(file, source, version);
  parsed.accepted = parsed.written.settings;
  keep_accepted(parsed, specifiers, version);
  return parsed;
}

const ReadCommands& commands_of(const ParsedUnit& unit, const UnitSetting& setting) {
  const std::int32_t source = setting.value.at.front().source;
  const auto file =
      std::find_if(unit.files.begin(), unit.files.end(),
                   [source](const ParsedUnitFile& one) { return one.source == source; });
  if (file == unit.files.end()) bug("a setting of no file of the unit");
  const auto commands = file->commands.find(setting.line_at.begin);
  if (commands == file->commands.end()) bug("a setting that is no command");
  return commands->second;
}

const Result<EnvFile>& environment_file_of(ParsedUnit& unit, const SourceFile& file,
                                           std::int32_t source, int version) {
  const auto known = unit.environment_files.find(source);
  if (known != unit.environment_files.end()) return known->second;
  return unit.environment_files.emplace(source, parse_env_file(file.bytes, source, version))
      .first->second;
}

}  // namespace kubelet_sysctl::systemd
