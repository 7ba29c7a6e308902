// SPDX-License-Identifier: Apache-2.0
// The settings at the top of a YAML file with the bytes of every value.
#include "embedded/yaml_settings.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::nodes {
namespace {

using yaml::Event;
using yaml::EventKind;
using yaml::Events;

CharOrigin origin_in(std::int32_t source, std::size_t begin, std::size_t end) {
  return {source, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

/// The text in the quotes at `span`, byte by byte; nothing where an escape stands for something else than the
/// byte behind it.
std::optional<MappedText> unquoted(std::string_view bytes, Span span, std::int32_t source) {
  const char quote = bytes[span.begin];
  MappedText text;
  for (std::size_t at = span.begin + 1; at + 1 < span.end;) {
    const bool doubled = quote == '\'' && bytes[at] == '\'';
    const bool escaped = quote == '"' && bytes[at] == '\\';
    if (!doubled && !escaped) {
      text.push(bytes[at], origin_in(source, at, at + 1));
      ++at;
      continue;
    }
    if (escaped && bytes[at + 1] != '"' && bytes[at + 1] != '\\') return std::nullopt;
    text.push(bytes[at + 1], origin_in(source, at, at + 2));
    at += 2;
  }
  return text;
}

YamlValue value_of(std::string_view bytes, const Event& event, std::int32_t source) {
  YamlValue value;
  if (event.kind == EventKind::kNull) {
    value.raw = origin_in(source, event.at.begin, event.at.begin);
    return value;
  }
  bool simple = false;
  const Span span = yaml::yaml_scalar_span(bytes, event, simple);
  value.raw = origin_in(source, span.begin, span.end);
  std::optional<MappedText> text;
  const bool in_quotes = simple && span.size() >= 2 && event.quoted &&
                         (bytes[span.begin] == '"' || bytes[span.begin] == '\'');
  if (in_quotes) {
    text = unquoted(bytes, span, source);
  } else if (simple) {
    text = mapped(bytes.substr(span.begin, span.size()), source, span.begin);
  }
  if (text && text->text == event.text) {
    value.text = std::move(*text);
  } else {
    value.text.append(event.text, value.raw);
  }
  return value;
}

/// The setting whose key is event `key`.
YamlSetting setting_of(std::string_view bytes, const Events& events, std::size_t key,
                       std::int32_t source) {
  YamlSetting setting;
  setting.key = events[key].text;
  bool simple = false;
  setting.key_at = yaml::yaml_scalar_span(bytes, events[key], simple);
  const Event& value = events[key + 1];
  if (value.kind == EventKind::kScalar || value.kind == EventKind::kNull) {
    setting.values.push_back(value_of(bytes, value, source));
    return setting;
  }
  setting.is_plain = value.kind == EventKind::kSequenceStart;
  if (!setting.is_plain) return setting;
  setting.form = value.flow ? YamlForm::kFlow : YamlForm::kBlock;
  const std::size_t end = yaml::node_end(events, key + 1);
  for (std::size_t i = key + 2; i + 1 < end; ++i) {
    if (events[i].kind != EventKind::kScalar && events[i].kind != EventKind::kNull) {
      setting.is_plain = false;
      return setting;
    }
    setting.values.push_back(value_of(bytes, events[i], source));
  }
  return setting;
}

/// The setting that holds the value at `word`, and which of its values it is.
std::optional<std::pair<YamlSetting, std::size_t>> holder_of(const SourceFile& file, Span word) {
  auto settings = read_yaml_settings(file, 0, "");
  if (!settings) return std::nullopt;
  for (YamlSetting& setting : *settings) {
    for (std::size_t i = 0; setting.is_plain && i < setting.values.size(); ++i) {
      const CharOrigin& raw = setting.values[i].raw;
      if (raw.begin == word.begin && raw.end == word.end) {
        return std::make_pair(std::move(setting), i);
      }
    }
  }
  return std::nullopt;
}

std::size_t blanks_before(std::string_view bytes, std::size_t at) {
  while (at > 0 && (bytes[at - 1] == ' ' || bytes[at - 1] == '\t')) --at;
  return at;
}

std::size_t blanks_behind(std::string_view bytes, std::size_t at) {
  while (at < bytes.size() && (bytes[at] == ' ' || bytes[at] == '\t')) ++at;
  return at;
}

Span flow_item(std::string_view bytes, Span word) {
  const std::size_t behind = blanks_behind(bytes, word.end);
  if (behind < bytes.size() && bytes[behind] == ',') {
    return {word.begin, blanks_behind(bytes, behind + 1)};
  }
  const std::size_t before = blanks_before(bytes, word.begin);
  if (before > 0 && bytes[before - 1] == ',') return {before - 1, word.end};
  return word;
}

}  // namespace

Result<std::vector<YamlSetting>> read_yaml_settings(const SourceFile& file, std::int32_t source,
                                                    std::string_view reader) {
  const std::string introduction = fmt::format("{} cannot read this YAML: ", reader);
  const std::string_view bytes = file.bytes;
  if (!is_utf8(bytes)) {
    return Error{.kind = ErrorKind::kMalformed,
                 .message = introduction + "it is not UTF-8",
                 .path = file.path};
  }
  auto tree = yaml::yaml_tree(bytes, {.yaml = introduction});
  if (!tree) {
    Error error = std::move(tree).error();
    error.path = file.path;
    return error;
  }
  const Events& events = tree->events;
  constexpr std::size_t kMostNodes = 5000;
  if (events.size() > kMostNodes) {
    return Error{
        .kind = ErrorKind::kUnsupported,
        .message = fmt::format("will not read options of more than {} keys and values", kMostNodes),
        .path = file.path};
  }
  std::vector<YamlSetting> settings;
  if (events.empty() || events.front().kind == EventKind::kNull) return settings;
  if (events.front().kind != EventKind::kMapStart) {
    return error_at(ErrorKind::kMalformed, file, {events.front().at.begin, events.front().at.begin},
                    fmt::format("{} cannot read this: it is no map of options", reader));
  }
  for (std::size_t key = 1; key + 1 < events.size();) {
    if (events[key].kind == EventKind::kMapEnd) break;
    const bool is_merge = events[key].kind == EventKind::kScalar && events[key].text == "<<";
    if (is_merge) {
      return error_at(ErrorKind::kUnsupported, file, {events[key].at.begin, events[key].at.begin},
                      "will not read a file with a merge key '<<'");
    }
    if (events[key].kind == EventKind::kScalar) {
      settings.push_back(setting_of(bytes, events, key, source));
    }
    key = yaml::node_end(events, yaml::node_end(events, key));
  }
  return settings;
}

Splice without_yaml_value(const SourceFile& file, Span word) {
  const std::string_view bytes = file.bytes;
  const auto holder = holder_of(file, word);
  if (!holder) return {.at = word, .text = {}};
  const YamlSetting& setting = holder->first;
  if (setting.form == YamlForm::kFlow) return {.at = flow_item(bytes, word), .text = {}};
  if (setting.form == YamlForm::kScalar) return {.at = word, .text = "[]"};
  if (setting.values.size() > 1) {
    return {.at = {yaml::line_begin_at(bytes, word.begin), yaml::next_line_at(bytes, word.end)},
            .text = {}};
  }
  const std::size_t colon = blanks_behind(bytes, setting.key_at.end);
  return {.at = {colon + 1, yaml::line_text_end(bytes, word.end)}, .text = " []"};
}

std::optional<Splice> with_yaml_value(const SourceFile& file, const YamlSetting& setting,
                                      std::string_view text) {
  if (!setting.is_plain || setting.values.empty()) return std::nullopt;
  const std::string_view bytes = file.bytes;
  const CharOrigin& last = setting.values.back().raw;
  const std::string quoted = yaml_quoted(text);
  if (setting.form == YamlForm::kFlow) return Splice{{last.end, last.end}, ", " + quoted};
  if (setting.form != YamlForm::kBlock) return std::nullopt;
  const std::size_t line = yaml::line_begin_at(bytes, last.begin);
  const std::string_view before = bytes.substr(line, last.begin - line);
  const bool alone = before.find_first_not_of(" -") == std::string_view::npos &&
                     std::count(before.begin(), before.end(), '-') == 1;
  if (!alone) return std::nullopt;
  const std::size_t end = yaml::line_text_end(bytes, last.end);
  return Splice{{end, end},
                fmt::format("{}{}{}", yaml::newline_of(bytes, last.begin), before, quoted)};
}

std::string yaml_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char byte : text) {
    if (byte == '"' || byte == '\\') out += '\\';
    out += byte;
  }
  return out + '"';
}

}  // namespace kubelet_sysctl::nodes
