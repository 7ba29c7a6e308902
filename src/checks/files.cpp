// SPDX-License-Identifier: Apache-2.0
// Checks of the files and words that give the list: what a kubelet dies of, and what it never reads.
#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/config.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/model/rewritten.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl::checks {
namespace {

/// What kept resolve_partly() from going on, as one of the rows that report it.
enum class Stop { kNone, kNoUnit, kUnit, kConfig, kDropInKind, kNotUnderstood };

bool is_drop_in(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                const std::string& path) {
  const auto walk = snapshot.config_dirs.find(model.config_dir);
  return !model.config_dir.empty() && walk != snapshot.config_dirs.end() &&
         std::any_of(walk->second.begin(), walk->second.end(),
                     [&path](const nodes::WalkEntry& entry) { return entry.path == path; });
}

Stop stop_of(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model) {
  if (!model.stopped) return Stop::kNone;
  const Error& error = *model.stopped;
  if (error.kind == ErrorKind::kNotFound) return Stop::kNoUnit;
  if (error.kind == ErrorKind::kUnsupported) return Stop::kNotUnderstood;
  if (is_drop_in(snapshot, model, error.path)) {
    return error.id == kubelet::kNoHeader ? Stop::kDropInKind : Stop::kConfig;
  }
  return !error.path.empty() && error.path == model.config_path ? Stop::kConfig : Stop::kUnit;
}

void report_stop(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                 const Check& check, Stop stop, std::string_view hint,
                 std::vector<Finding>& found) {
  if (stop_of(snapshot, model) != stop) return;
  const Error& error = *model.stopped;
  Finding finding =
      finding_of(check, error.message, error.hint.empty() ? std::string(hint) : error.hint);
  finding.path = error.path;
  finding.line = error.line;
  found.push_back(std::move(finding));
}

/// "allowedunsafesysctl" of every way to write the name of the list.
std::string plain_name(std::string_view name) {
  std::string plain;
  for (const char byte : name) {
    if (byte == '-' || byte == '_') continue;
    plain += byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  }
  if (plain.ends_with('s')) plain.pop_back();
  return plain;
}

/// The name that a word gives as a flag: what is before its '='.
std::string flag_name(std::string_view word) {
  return word.starts_with('-') ? std::string(word.substr(0, word.find('='))) : std::string();
}

/// A name that a user gave a file to switch it off: "10-list.conf.bak", "10-list.conf~".
bool is_put_aside(std::string_view path) {
  const std::string_view name = base_name(path);
  return name.find(".conf") != std::string_view::npos;
}

/// What a file would say of the list if the kubelet read it; nothing when it would say nothing.
std::optional<Span> list_in(const SourceFile& file) {
  auto parsed = kubelet::parse_kubelet_config(file.bytes, kubelet::ConfigRole::kMain);
  if (parsed) {
    if (parsed->form != kubelet::ListForm::kAbsent && parsed->form != kubelet::ListForm::kUnset) {
      return parsed->key_at;
    }
    if (!parsed->misspelt.empty()) return parsed->misspelt.front().at;
    return std::nullopt;
  }
  const std::size_t key = file.bytes.find("allowedUnsafeSysctls");
  if (key == std::string::npos) return std::nullopt;
  return Span{key, key + 1};
}

}  // namespace

void no_unit(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model, const Check& check,
             std::vector<Finding>& found) {
  report_stop(snapshot, model, check, Stop::kNoUnit, "install the kubelet", found);
}

void unit_broken(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                 const Check& check, std::vector<Finding>& found) {
  report_stop(snapshot, model, check, Stop::kUnit,
              "fix that line; 'systemd-analyze verify' says what systemd thinks of it", found);
}

// Source: cmd/kubelet/app/server.go; kubeletconfig/util/codec: anything but an unknown or a repeated key
// is fatal.
void config_broken(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                   const Check& check, std::vector<Finding>& found) {
  report_stop(snapshot, model, check, Stop::kConfig, "fix that file, or put its last copy back",
              found);
  if (auto missing = model::missing_config(snapshot, model)) {
    Finding finding = finding_of(check, std::move(missing->message), std::move(missing->hint));
    finding.path = std::move(missing->path);
    found.push_back(std::move(finding));
  }
}

// Source: kubelet_config_fields.cpp: a release ignores a field that it does not have, whatever its value.
void config_doubtful(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                     const Check& check, std::vector<Finding>& found) {
  if (!model.config_doubt) return;
  const Error& doubt = *model.config_doubt;
  Finding finding = finding_of(
      check, doubt.message,
      fmt::format(
          "give that value the type that is named{}",
          snapshot.kubelet_version ? "" : ", or name the release with '--kubelet-version'"));
  finding.path = doubt.path;
  finding.line = doubt.line;
  found.push_back(std::move(finding));
}

// Source: awslabs/amazon-eks-ami PR 1620: a drop-in without kind ends the kubelet.
void drop_in_without_kind(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                          const Check& check, std::vector<Finding>& found) {
  report_stop(snapshot, model, check, Stop::kDropInKind, "", found);
}

void not_understood(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                    const Check& check, std::vector<Finding>& found) {
  report_stop(snapshot, model, check, Stop::kNotUnderstood,
              "everything after that place was not inspected", found);
}

// Source: cmd/kubelet/app/server.go mergeKubeletConfigurations(): only names that end in ".conf" are read,
// and of the others nothing is said below verbosity 4.
void unread_drop_in(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                    const Check& check, std::vector<Finding>& found) {
  const auto walk = snapshot.config_dirs.find(model.config_dir);
  if (model.config_dir.empty() || walk == snapshot.config_dirs.end()) return;
  for (const nodes::WalkEntry& entry : walk->second) {
    if (entry.source != kNoSource) continue;
    const SourceFile* file = nodes::find_file(snapshot, entry.path);
    if (file == nullptr || !file->exists()) continue;
    const auto list = list_in(*file);
    if (!list) continue;
    const bool aside = is_put_aside(entry.path);
    const std::size_t dot = entry.path.find('.', entry.path.rfind('/') + 2);
    const std::string renamed = entry.path.substr(0, dot) + ".conf";
    Finding finding = finding_of(
        check, "the kubelet reads no file of this directory whose name does not end in '.conf'",
        aside ? "move it elsewhere if it is not needed"
              : fmt::format("to have its list in force, run: mv {} {} && systemctl restart {}",
                            shell_word(entry.path), shell_word(renamed),
                            shell_word(snapshot.unit.name)));
    if (aside) finding.severity = Severity::kNote;
    found.push_back(at_span(std::move(finding), *file, *list));
  }
}

bool is_misspelt_flag(const model::NodeModel& model, std::size_t index) {
  if (model.wrapped || index < model.flags.first || index >= model.argv.size()) return false;
  std::string name = flag_name(model.argv[index]);
  std::replace(name.begin(), name.end(), '_', '-');
  return name != kubelet::kListFlag && plain_name(name) == plain_name(kubelet::kListFlag);
}

// Source: spf13/pflag: names are case-sensitive and never abbreviated; WordSepNormalizeFunc takes '_' for
// '-' and no letter for another.
void misspelt_flag(const nodes::NodeSnapshot&, const model::NodeModel& model, const Check& check,
                   std::vector<Finding>& found) {
  for (std::size_t i = 0; i < model.argv.size(); ++i) {
    if (!is_misspelt_flag(model, i)) continue;
    found.push_back(at_origin(
        finding_of(check,
                   fmt::format("there is no flag '{}': the kubelet exits at once",
                               flag_name(model.argv[i])),
                   fmt::format("the flag is '{}'; 'allowedUnsafeSysctls' is the key of the "
                               "configuration file",
                               kubelet::kListFlag)),
        origin_of_word(model, i)));
  }
}

bool is_torn_list(const model::NodeModel& model) {
  if (!model.flags.fatal || model.wrapped || model.flags.lists.empty()) return false;
  const std::size_t stray = model.flags.fatal_word;
  const std::size_t value = model.flags.lists.back().value_word;
  if (value + 1 != stray || stray >= model.argv.size()) return false;
  return model.argv[value].ends_with(',') || model.argv[stray].starts_with(',');
}

// Source: cmd/kubelet/app/server.go: any argument that is no flag ends it, "unknown command".
void blank_after_comma(const nodes::NodeSnapshot&, const model::NodeModel& model,
                       const Check& check, std::vector<Finding>& found) {
  if (!is_torn_list(model)) return;
  found.push_back(at_origin(
      finding_of(check,
                 fmt::format("a blank splits the list at '{}': the kubelet exits with: {}",
                             model.argv[model.flags.fatal_word], *model.flags.fatal),
                 "run: kubelet-sysctl doctor --fix"),
      origin_of_word(model, model.flags.fatal_word)));
}

void will_be_rewritten(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                       const Check& check, std::vector<Finding>& found) {
  const model::Layer* winner = model::winner_of(model);
  if (winner == nullptr || model.kind == nullptr || winner->at.path.empty()) return;
  const SourceFile* known = nodes::find_file(snapshot, winner->at.path);
  SourceFile named;
  named.path = named.real_path = winner->at.path;
  const SourceFile* file = known != nullptr ? known : &named;
  if (!model::is_rewritten(model, *file)) return;
  found.push_back(at_origin(
      finding_of(check,
                 fmt::format("the list is in a file that is rewritten by {}",
                             model::rewriter_of(model, *file)),
                 fmt::format("to persist it: {}", model::route_past_rewriter(model, *file))),
      winner->at));
}

}  // namespace kubelet_sysctl::checks
