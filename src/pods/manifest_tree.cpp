// SPDX-License-Identifier: Apache-2.0
// The documents of a manifest as trees that can be asked for a field, and what is wrong with one.
#include "manifest_tree.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/lines.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::pods {
namespace {

using yaml::Event;
using yaml::EventKind;

constexpr std::size_t kDeepestMerge = 8;

constexpr yaml::Introductions kNoManifest = {.yaml = "this is no manifest: ",
                                             .json = "this is no manifest: ",
                                             .json_syntax = "this is no manifest: "};

bool is_json(std::string_view bytes) {
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && bytes[first] == '{';
}

/// Words of YAML 1.1 that go-yaml reads as true (first row) and false. Source: yaml.v2 resolve.go.
constexpr auto kTrue = std::to_array<std::string_view>(
    {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"});
constexpr auto kFalse = std::to_array<std::string_view>(
    {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"});

template <typename Words>
bool holds(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

Result<Document> Document::parse(const SourceFile& file, const LineIndex& lines, Span bytes) {
  Document document(file, lines, bytes.begin);
  const std::string_view text =
      std::string_view(file.bytes).substr(bytes.begin, bytes.end - bytes.begin);
  auto tree =
      is_json(text) ? yaml::json_tree(text, kNoManifest) : yaml::yaml_tree(text, kNoManifest);
  if (!tree) {
    Error error = std::move(tree).error();
    error.path = file.path;
    error.line += lines.line_of(bytes.begin) - 1;
    return error;
  }
  document.events_ = std::move(tree->events);
  document.decoded_ = std::move(tree->decoded);
  if (document.events_.size() == 1 && document.events_[0].kind == EventKind::kNull) {
    document.events_.clear();
  }
  for (std::size_t i = 0; i < document.events_.size(); ++i) {
    const Event& event = document.events_[i];
    if (event.kind == EventKind::kAlias || event.anchor == 0) continue;
    if (event.anchor >= document.anchors_.size()) {
      document.anchors_.resize(event.anchor + 1, yaml::kNone);
    }
    document.anchors_[event.anchor] = i;
  }
  document.budget_ = 64 * document.events_.size() + 100'000;
  return document;
}

std::size_t Document::resolved(std::size_t node) const {
  const Event& event = events_[node];
  if (event.kind != EventKind::kAlias) return node;
  const std::size_t target = event.anchor < anchors_.size() ? anchors_[event.anchor] : yaml::kNone;
  return target == yaml::kNone ? node : target;
}

bool Document::is_map(std::size_t node) const {
  return events_[resolved(node)].kind == EventKind::kMapStart;
}

bool Document::is_list(std::size_t node) const {
  return events_[resolved(node)].kind == EventKind::kSequenceStart;
}

bool Document::is_null(std::size_t node) const {
  const Event& event = events_[resolved(node)];
  return event.kind == EventKind::kNull ||
         (event.kind == EventKind::kScalar && !event.quoted && event.tag == yaml::Tag::kUntagged &&
          yaml::is_null_word(event.text));
}

Result<std::size_t> Document::skip(std::size_t node) {
  const std::size_t end = yaml::node_end(events_, node);
  if (budget_ < end - node) {
    return error(node, "will not read this manifest: its aliases unfold to too much");
  }
  budget_ -= end - node;
  return end;
}

Result<std::size_t> Document::search_merged(std::size_t node, std::string_view key,
                                            std::size_t depth) {
  if (depth > kDeepestMerge) {
    return error(node, "will not read this manifest: its merge keys are nested too deeply");
  }
  const std::size_t target = resolved(node);
  if (is_map(target)) return search(target, key, depth);
  if (!is_list(target)) return yaml::kNone;
  for (std::size_t item = target + 1; events_[item].kind != EventKind::kSequenceEnd;) {
    if (is_map(item)) {
      auto found = search(resolved(item), key, depth);
      if (!found || *found != yaml::kNone) return found;  // the first of them wins
    }
    const auto next = skip(item);
    if (!next) return next.error();
    item = *next;
  }
  return yaml::kNone;
}

Result<std::size_t> Document::search(std::size_t map, std::string_view key, std::size_t depth) {
  std::size_t found = yaml::kNone;
  for (std::size_t at = map + 1; events_[at].kind != EventKind::kMapEnd;) {
    const auto value = skip(at);
    if (!value) return value.error();
    const auto next = skip(*value);
    if (!next) return next.error();
    const Event& name = events_[resolved(at)];
    if (name.kind == EventKind::kScalar && name.text == key) {
      found = resolved(*value);
    } else if (name.kind == EventKind::kScalar && !name.quoted && name.text == "<<") {
      const auto merged = search_merged(*value, key, depth + 1);
      if (!merged) return merged.error();
      if (*merged != yaml::kNone) found = *merged;
    }
    at = *next;
  }
  return found;
}

Result<std::size_t> Document::field(std::size_t map, std::string_view key) {
  if (!is_map(map)) {
    return error(
        map, fmt::format("this is no manifest: '{}' must be in a mapping, and here is none", key));
  }
  auto found = search(resolved(map), key, 0);
  if (found && *found != yaml::kNone && is_null(*found)) return yaml::kNone;
  return found;
}

Result<std::vector<std::size_t>> Document::items(std::size_t list) {
  const std::size_t target = resolved(list);
  if (!is_list(target)) return error(list, "this is no manifest: a list is needed here");
  std::vector<std::size_t> found;
  for (std::size_t item = target + 1; events_[item].kind != EventKind::kSequenceEnd;) {
    found.push_back(resolved(item));
    const auto next = skip(item);
    if (!next) return next.error();
    item = *next;
  }
  return found;
}

Result<std::string> Document::text(std::size_t node, std::string_view what) const {
  const Event& event = events_[resolved(node)];
  if (event.kind == EventKind::kScalar && yaml::is_string(event)) {
    return std::string(event.text);
  }
  if (event.kind != EventKind::kScalar) return error(node, fmt::format("{} is no text", what));
  return error(
      node, fmt::format("{} is the bare word {}, which is no text to Kubernetes", what, event.text),
      fmt::format("put it in quotes: \"{}\"", event.text));
}

Result<bool> Document::boolean(std::size_t node, std::string_view what) const {
  const Event& event = events_[resolved(node)];
  if (event.kind == EventKind::kScalar && !event.quoted) {
    if (holds(kTrue, event.text)) return true;
    if (holds(kFalse, event.text)) return false;
  }
  return error(node, fmt::format("{} is neither true nor false", what));
}

std::size_t Document::line_of(std::size_t node) const {
  return lines_->line_of(base_ + events_[node].at.begin);
}

Error Document::error(std::size_t node, std::string message, std::string hint) const {
  const std::size_t at = base_ + events_[node].at.begin;
  return error_at(ErrorKind::kMalformed, *file_, {at, at}, std::move(message), std::move(hint));
}

std::vector<Span> documents_of(std::string_view bytes) {
  std::vector<Span> spans;
  std::size_t begin = bytes.starts_with(yaml::kByteOrderMark) ? yaml::kByteOrderMark.size() : 0;
  for (std::size_t at = begin; at < bytes.size(); at = yaml::next_line_at(bytes, at)) {
    const std::string_view line = bytes.substr(at, yaml::next_line_at(bytes, at) - at);
    const bool marker =
        (line.starts_with("---") || line.starts_with("...")) &&
        (line.size() == 3 || std::string_view(" \t\r\n").find(line[3]) != std::string_view::npos);
    if (!marker) continue;
    spans.push_back({begin, at});
    // "--- {kind: Pod}" holds the beginning of its document; the marker itself is no part of it.
    begin = at + 3;
  }
  spans.push_back({begin, bytes.size()});
  return spans;
}

}  // namespace kubelet_sysctl::pods
