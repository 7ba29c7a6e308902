// SPDX-License-Identifier: Apache-2.0
// The edit of a list in a JSON configuration.

#include <fmt/format.h>

#include "config_reading.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::kubelet {
namespace {

/// The end of the value that begins at event `value`.
std::size_t end_of(const yaml::Events& events, std::size_t value) {
  return events[yaml::node_end(events, value) - 1].at.end;
}

/// True when the file writes its arrays one item a line, as far as it shows any.
bool arrays_span_lines(std::string_view bytes, const Reading& reading, bool fallback) {
  const yaml::Events& events = reading.tree.events;
  for (const Member& member : reading.members) {
    if (events[member.value].kind != yaml::EventKind::kSequenceStart) continue;
    if (events[member.value + 1].kind == yaml::EventKind::kSequenceEnd) continue;
    const std::size_t begin = events[member.value].at.begin;
    return yaml::line_text_end(bytes, begin) < events[member.value + 1].at.begin;
  }
  return fallback;
}

/// A new first member: the lines of the others stay as they are, commas included.
Splice new_member(std::string_view bytes, const Reading& reading, const yaml::ListChange& change) {
  const yaml::Events& events = reading.tree.events;
  const Member& first = reading.members.front();
  const Span key = events[first.key].at;
  const std::size_t value = events[first.value].at.begin;
  const std::string_view colon = bytes.substr(key.end, value - key.end);
  const std::size_t line = yaml::line_begin_at(bytes, key.begin);
  const std::string indent(bytes.substr(line, key.begin - line));
  const bool own_line = line > events[0].at.begin && yaml::is_blank(indent);
  const std::string newline(yaml::newline_of(bytes, events[0].at.begin));
  const std::vector<std::string>& texts = change.added.front().texts;
  const bool compact = colon.find_first_of(" \t") == std::string_view::npos;
  std::string array = fmt::format("[{}]", joined(texts, compact ? "," : ", "));
  if (own_line && arrays_span_lines(bytes, reading, true)) {
    const std::string inner = newline + indent + indent;
    array = fmt::format("[{}{}{}{}]", inner, joined(texts, "," + inner), newline, indent);
  }
  std::string after = newline + indent;
  if (!own_line) after = compact ? "" : " ";
  return {{key.begin, key.begin},
          fmt::format("\"{}\"{}{},{}", kListKey, yaml::is_blank(colon.substr(1)) ? colon : ": ",
                      array, after)};
}

/// The member goes with the comma that it no longer needs.
Splice without_member(const Reading& reading) {
  const yaml::Events& events = reading.tree.events;
  const Member& list = reading.members[reading.list];
  if (reading.list + 1 < reading.members.size()) {
    const Member& next = reading.members[reading.list + 1];
    return {{events[list.key].at.begin, events[next.key].at.begin}, ""};
  }
  // A file with no other member has no kind, and was not read.
  const Member& previous = reading.members[reading.list - 1];
  return {{end_of(events, previous.value), end_of(events, list.value)}, ""};
}

}  // namespace

Result<std::vector<Splice>> json_splices(std::string_view bytes, const Reading& reading,
                                         const yaml::ListChange& change, bool remove_key) {
  const yaml::Events& events = reading.tree.events;
  if (reading.file.form == ListForm::kAbsent) {
    return std::vector<Splice>{new_member(bytes, reading, change)};
  }
  const bool empties = change.added.empty() && !change.keeps_any();
  if (empties && remove_key) return std::vector<Splice>{without_member(reading)};
  const Member& list = reading.members[reading.list];
  const Span value = events[list.value].at;
  const Span key = events[list.key].at;
  const std::string_view colon = bytes.substr(key.end, value.begin - key.end);
  const std::string separator = colon.find_first_of(" \t") == std::string_view::npos ? "," : ", ";
  if (reading.file.form == ListForm::kUnset) {
    return std::vector<Splice>{
        {value, fmt::format("[{}]", joined(change.added.front().texts, separator))}};
  }
  std::vector<Span> items;
  for (const ConfigEntry& entry : reading.file.entries) items.push_back(entry.at);
  const auto found = yaml::find_flow_list(bytes, value.begin, std::move(items));
  if (!found) {
    return yaml::error_in(ErrorKind::kUnsupported, bytes, key,
                          "will not edit this list: it holds something that is not a string");
  }
  auto splices = yaml::flow_splices(bytes, *found, change, separator);
  if (!splices) bug("a comment in JSON");
  return std::move(*splices);
}

}  // namespace kubelet_sysctl::kubelet
