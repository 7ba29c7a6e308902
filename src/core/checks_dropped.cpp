// SPDX-License-Identifier: Apache-2.0
// What systemd passes over in the files of the unit, with a line in the journal that few read.
#include <algorithm>

#include <fmt/format.h>

#include "checks_parts.hpp"
#include "kubelet_sysctl/env_file.hpp"
#include "kubelet_sysctl/unit_file.hpp"
#include "layout.hpp"
#include "words.hpp"

namespace kubelet_sysctl {
namespace {

const SourceFile& file_at(const NodeSnapshot& snapshot, std::int32_t source) {
  return snapshot.files[static_cast<std::size_t>(source)];
}

std::vector<std::int32_t> sources_of(const NodeSnapshot& snapshot) {
  std::vector<std::int32_t> sources;
  if (snapshot.unit.fragment != kNoSource) sources.push_back(snapshot.unit.fragment);
  for (const std::int32_t source : snapshot.unit.drop_ins) {
    if (source != kNoSource) sources.push_back(source);
  }
  return sources;
}

Finding dropped(const Check& check, const SourceFile& file, Span at, const std::string& said) {
  return at_span(
      finding_of(check, fmt::format("systemd drops this: {}", said),
                 "write NAME=value on one line, in quotes as a whole where it has blanks"),
      file, at);
}

// Source: systemd src/core/load-fragment.c config_parse_environ().
void dropped_words(const NodeSnapshot& snapshot, const UnitSetting& setting, const SourceFile& file,
                   const Check& check, std::vector<Finding>& found) {
  constexpr words::Rules kRules{.c_escapes = true, .keep_unknown = false, .open_quotes = false};
  std::vector<FormUse> unused;
  for (std::size_t at = 0;;) {
    auto taken = words::take(setting.value, at, kRules, unused);
    if (taken.got == words::Got::kEnd) return;
    if (taken.got != words::Got::kWord) {
      found.push_back(dropped(check, file, setting.line_at,
                              fmt::format("'Invalid syntax, ignoring: {}'", setting.value.text)));
      return;
    }
    const std::string& word = taken.word.text.text;
    const std::size_t equals = word.find('=');
    auto text = words::expand_specifiers(taken.word.text, snapshot.specifiers,
                                         snapshot.systemd_version, unused);
    if (!text && text.error().kind == ErrorKind::kUnsupported) continue;
    if (text && equals != std::string::npos && is_variable_name(word.substr(0, equals))) continue;
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

// Source: systemd src/shared/conf-parser.c parse_line(), next_assignment().
void dropped_lines(const SourceFile& file, const Check& check, std::vector<Finding>& found) {
  const std::string_view bytes = file.bytes;
  std::string section;
  bool goes_on = false;  // the line before ended in a backslash
  for (std::size_t begin = 0; begin < bytes.size();) {
    const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
    std::string_view line = bytes.substr(begin, end - begin);
    const Span at{begin, end};
    begin = end + 1;
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
      section = line;
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      found.push_back(
          dropped(check, file, at, fmt::format("'Missing '=', ignoring line': {}", line)));
      continue;
    }
    std::string_view key = line.substr(0, equals);
    while (key.ends_with(' ') || key.ends_with('\t')) key.remove_suffix(1);
    if (is_key(key) || section.empty()) continue;
    found.push_back(dropped(
        check, file, at, fmt::format("'Unknown key '{}' in section {}, ignoring'", key, section)));
  }
}

}  // namespace

void env_dropped(const NodeSnapshot& snapshot, const NodeModel& model, const Check& check,
                 std::vector<Finding>& found) {
  for (const std::int32_t source : sources_of(snapshot)) {
    const SourceFile& file = file_at(snapshot, source);
    // A configuration that stands in the directory of drop-ins is none of systemd's.
    if (file.path == model.config_path) continue;
    for (const UnitSetting& setting : parse_unit_file(file, source).settings) {
      if (setting.section != "Service" || setting.key != "Environment") continue;
      dropped_words(snapshot, setting, file, check, found);
    }
    dropped_lines(file, check, found);
  }
  const bool placed = std::any_of(found.begin(), found.end(),
                                  [&check](const Finding& one) { return one.id == check.id; });
  if (placed || model.command.dropped_assignments == 0) return;
  found.push_back(
      finding_of(check,
                 fmt::format("systemd drops {} of Environment= as no assignment",
                             count_text(model.command.dropped_assignments, "word", "words")),
                 "the journal names each: 'Invalid environment assignment, ignoring'"));
}

}  // namespace kubelet_sysctl
