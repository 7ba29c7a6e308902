// SPDX-License-Identifier: Apache-2.0
// What systemd passes over in the files of the unit, with a line in the journal that few read.
#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/nearest.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/env_file.hpp"
#include "kubelet_sysctl/systemd/extract_word.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"

namespace kubelet_sysctl::checks {
namespace {

Finding dropped(const Check& check, const SourceFile& file, Span at, const std::string& said,
                std::string hint =
                    "write NAME=value on one line, in quotes as a whole where it "
                    "has blanks") {
  return at_span(finding_of(check, fmt::format("systemd drops this: {}", said), std::move(hint)),
                 file, at);
}

// Source: systemd src/core/load-fragment.c config_parse_environ().
void dropped_words(const nodes::NodeSnapshot& snapshot, const systemd::UnitSetting& setting,
                   const SourceFile& file, const Check& check, std::vector<Finding>& found) {
  constexpr systemd::Rules kRules{.c_escapes = true, .keep_unknown = false, .open_quotes = false};
  std::vector<systemd::FormUse> unused;
  for (std::size_t at = 0;;) {
    auto taken = systemd::take(setting.value, at, kRules, unused);
    if (taken.got == systemd::Got::kEnd) return;
    if (taken.got != systemd::Got::kWord) {
      found.push_back(
          dropped(check, file, setting.line_at,
                  fmt::format("'Invalid syntax, ignoring: {}'", setting.value.text.str())));
      return;
    }
    const std::string& word = taken.word.text.text;
    const std::size_t equals = word.find('=');
    auto text = systemd::expand_specifiers(taken.word.text, snapshot.specifiers,
                                           snapshot.systemd_version, unused);
    if (!text && text.error().kind == ErrorKind::kUnsupported) continue;
    if (text && equals != std::string::npos && systemd::is_variable_name(word.substr(0, equals)))
      continue;
    const CharOrigin& raw = taken.word.raw;
    const Span place = raw.source == kNoSource ? setting.line_at : Span{raw.begin, raw.end};
    found.push_back(dropped(check, file, place,
                            fmt::format("'Invalid environment assignment, ignoring: {}'", word)));
  }
}

bool is_key(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
             "0123456789-_") == std::string_view::npos &&
         text.front() != '-';
}

/// Settings that decide which arguments the kubelet gets.
constexpr auto kDeciding = std::to_array<std::string_view>(
    {"Environment", "EnvironmentFile", "PassEnvironment", "UnsetEnvironment", "ExecStart"});
/// Others of [Service] that a slip of two letters would make of one of those.
constexpr auto kOthers = std::to_array<std::string_view>(
    {"ExecStop", "ExecStartPre", "ExecStartPost", "ExecStopPost", "ExecReload", "ExecCondition"});

/// The setting that a misspelt `key` was meant to be; empty for one that is no slip of these.
std::string_view meant_setting(std::string_view key) {
  constexpr std::size_t kSlips = 2;
  if (key.starts_with("X-")) return {};
  const auto is = [key](std::string_view one) { return one == key; };
  if (std::any_of(kDeciding.begin(), kDeciding.end(), is) ||
      std::any_of(kOthers.begin(), kOthers.end(), is)) {
    return {};
  }
  std::string small(key);
  std::transform(small.begin(), small.end(), small.begin(),
                 [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
  for (const std::string_view one : kDeciding) {
    std::string other(one);
    std::transform(other.begin(), other.end(), other.begin(),
                   [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
    if (small == other || letters_apart(key, one) <= kSlips) return one;
  }
  return {};
}

/// The lines of one file of the unit that systemd passes over.
class DroppedLines {
 public:
  DroppedLines(const SourceFile& file, const Check& check, std::vector<Finding>& found)
      : file_(file), check_(check), found_(found) {}

  // Source: systemd src/shared/conf-parser.c parse_line(), next_assignment().
  void run() {
    const std::string_view bytes = file_.bytes;
    bool goes_on = false;  // the line before ended in a backslash
    for (std::size_t begin = 0; begin < bytes.size();) {
      const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
      std::string_view line = bytes.substr(begin, end - begin);
      const Span at{begin, end};
      begin = end + 1;
      constexpr std::string_view kMark = "\xef\xbb\xbf";
      if (at.begin == 0 && line.starts_with(kMark)) line.remove_prefix(kMark.size());
      while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
      while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) {
        line.remove_suffix(1);
      }
      const bool comment = line.starts_with('#') || line.starts_with(';');
      if (goes_on && comment) continue;
      const bool part = goes_on;
      goes_on = !comment && line.ends_with('\\');
      if (part || line.empty() || comment) continue;
      if (line.front() == '[') {
        header(line, at);
      } else {
        assignment(line, at);
      }
    }
  }

 private:
  void say(Span at, const std::string& said, std::string hint) {
    found_.push_back(dropped(check_, file_, at, said, std::move(hint)));
  }
  void say(Span at, const std::string& said) { found_.push_back(dropped(check_, file_, at, said)); }

  void header(std::string_view line, Span at) {
    section_ = line;
    passed_over_ = false;
    const bool known = section_ == "[Unit]" || section_ == "[Service]" || section_ == "[Install]";
    // "X-" is for others than systemd. Source: systemd.syntax(7).
    if (known || section_.starts_with("[X-") || !section_.ends_with(']')) return;
    passed_over_ = true;
    say(at,
        fmt::format("'Unknown section '{}'. Ignoring.': all lines up to the next section",
                    section_.substr(1, section_.size() - 2)),
        "settings of the kubelet's service are below '[Service]'");
  }

  void assignment(std::string_view line, Span at) {
    if (passed_over_ || section_.starts_with("[X-")) return;
    if (section_.empty()) {
      return say(at, fmt::format("'Assignment outside of section. Ignoring.': {}", line),
                 "write '[Service]' on a line above it");
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return say(at, fmt::format("'Missing '=', ignoring line': {}", line));
    }
    std::string_view key = line.substr(0, equals);
    while (key.ends_with(' ') || key.ends_with('\t')) key.remove_suffix(1);
    const std::string said =
        fmt::format("'Unknown key '{}' in section {}, ignoring'", key, section_);
    if (!is_key(key)) return say(at, said);
    const bool deciding = std::find(kDeciding.begin(), kDeciding.end(), key) != kDeciding.end();
    if (section_ != "[Service]") {
      if (deciding) say(at, said, "move it below '[Service]'");
      return;
    }
    const std::string_view meant = meant_setting(key);
    if (!meant.empty()) say(at, said, fmt::format("write '{}='", meant));
  }

  const SourceFile& file_;
  const Check& check_;
  std::vector<Finding>& found_;
  std::string section_;       // with its brackets; empty before the first
  bool passed_over_ = false;  // it is none of systemd's
};

/// Assignments of the environment files whose name names no variable: "export NAME=value" say.
// Source: systemd src/core/execute.c exec_context_load_environment(), invalid_env().
void dropped_assignments(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                         const Check& check, std::vector<Finding>& found) {
  for (const systemd::EnvironmentFileLine& line : model.command.environment_files) {
    std::vector<std::string> paths = {line.path};
    const auto glob = snapshot.globs.find(line.path);
    if (glob != snapshot.globs.end()) paths = glob->second;
    for (const std::string& path : paths) {
      const std::int32_t source = nodes::find_source(snapshot, path);
      const auto parsed = model.unit.environment_files.find(source);
      if (parsed == model.unit.environment_files.end() || !parsed->second) continue;
      for (const systemd::EnvDropped& one : parsed->second->dropped) {
        // The value may be a secret.
        Finding finding = dropped(
            check, file_at(snapshot, source), one.name_at,
            fmt::format("'Ignoring invalid environment assignment '{}=...''", one.name),
            "write NAME=value, without 'export' and with letters, digits and '_' in the name");
        if (!one.has_flags) finding.severity = Severity::kNote;
        found.push_back(std::move(finding));
      }
    }
  }
}

}  // namespace

void env_dropped(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                 const Check& check, std::vector<Finding>& found) {
  for (const systemd::ParsedUnitFile& parsed : model.unit.files) {
    const SourceFile& file = file_at(snapshot, parsed.source);
    // A configuration that is in the directory of drop-ins is none of systemd's.
    if (file.path == model.config_path) continue;
    for (const systemd::UnitSetting& setting : parsed.written.settings) {
      if (setting.section != "Service" || setting.key != "Environment") continue;
      dropped_words(snapshot, setting, file, check, found);
    }
    DroppedLines(file, check, found).run();
  }
  dropped_assignments(snapshot, model, check, found);
  const bool placed = std::any_of(found.begin(), found.end(),
                                  [&check](const Finding& one) { return one.id == check.id; });
  if (placed || model.command.dropped_assignments == 0) return;
  found.push_back(
      finding_of(check,
                 fmt::format("systemd drops {} of Environment= as no assignment",
                             count_text(model.command.dropped_assignments, "word", "words")),
                 "the journal names each: 'Invalid environment assignment, ignoring'"));
}

}  // namespace kubelet_sysctl::checks
