// SPDX-License-Identifier: Apache-2.0
// What a kubelet makes of the tree of its configuration: the list, and why it would not start.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "kubelet_config_parts.hpp"
#include "kubelet_sysctl/sysctl.hpp"

namespace kubelet_sysctl::config_parts {
namespace {

constexpr std::string_view kNotStart = "a kubelet does not start with this file";

bool is_start(EventKind kind) {
  return kind == EventKind::kSequenceStart || kind == EventKind::kMapStart;
}

/// The pairs of the top-level mapping as go-yaml v2 puts them together: a merge key `<<` sets its
/// pairs where it stands, over those before it. Source: gopkg.in/yaml.v2 decode.go, mapping, merge.
class Members {
 public:
  Members(std::string_view bytes, Reading& reading)
      : bytes_(bytes),
        reading_(reading),
        events_(reading.tree.events),
        anchors_(reading.tree.events),
        // Merges of merges can grow without bound; nothing that a person wrote comes near this.
        budget_(16 * events_.size() + 1000) {}

  [[nodiscard]] std::size_t resolved(std::size_t node) const { return anchors_.resolved(node); }

  Status collect(std::size_t map, std::size_t depth) {
    for (std::size_t key = map + 1; events_[key].kind != EventKind::kMapEnd;) {
      const std::size_t value = node_end(events_, key);
      const std::size_t next = node_end(events_, value);
      if (budget_ < next - key) return too_much(key);
      budget_ -= next - key;
      if (is_merge(events_[resolved(key)])) {
        auto merged = merge(value, depth);
        if (!merged) return merged;
      } else {
        reading_.members.push_back({resolved(key), value, resolved(value), depth > 0});
      }
      key = next;
    }
    return {};
  }

 private:
  static bool is_merge(const Event& event) {
    return event.kind == EventKind::kScalar && event.text == "<<" && !event.quoted &&
           (event.tag == Tag::kUntagged || event.tag == Tag::kMerge);
  }

  Status merge(std::size_t value, std::size_t depth) {
    reading_.merges = true;
    constexpr std::size_t kDeepest = 20;
    if (depth == kDeepest) return too_much(value);
    const std::size_t target = resolved(value);
    if (events_[target].kind == EventKind::kMapStart) return collect(target, depth + 1);
    std::vector<std::size_t> maps;
    if (events_[target].kind == EventKind::kSequenceStart) {
      for (std::size_t item = target + 1; events_[item].kind != EventKind::kSequenceEnd;
           item = node_end(events_, item)) {
        maps.push_back(resolved(item));
      }
    }
    const bool all = std::all_of(maps.begin(), maps.end(), [&](std::size_t map) {
      return events_[map].kind == EventKind::kMapStart;
    });
    if (events_[target].kind != EventKind::kSequenceStart || !all) {
      return error_in(
          ErrorKind::kMalformed, bytes_, events_[value].at,
          fmt::format("{}: map merge requires map or sequence of maps as the value", kNotStart));
    }
    std::reverse(maps.begin(), maps.end());  // the first of them wins
    for (const std::size_t map : maps) {
      auto collected = collect(map, depth + 1);
      if (!collected) return collected;
    }
    return {};
  }

  [[nodiscard]] Error too_much(std::size_t node) const {
    return error_in(ErrorKind::kUnsupported, bytes_, events_[node].at,
                    "will not follow merge keys this far");
  }

  std::string_view bytes_;
  Reading& reading_;
  const Events& events_;
  Anchors anchors_;
  std::size_t budget_;
};

/// The first key, at any depth, that its mapping already has. Source: yaml.v2 decode.go with
/// UnmarshalStrict; the kubelet takes that error for a drop-in as it is.
std::size_t repeated_key(const Events& events) {
  struct Open {
    bool map;
    bool key = true;
    std::unordered_set<std::string_view> keys = {};
  };
  std::vector<Open> open;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    if (event.kind == EventKind::kSequenceEnd || event.kind == EventKind::kMapEnd) {
      open.pop_back();
      continue;
    }
    if (!open.empty() && open.back().map) {
      const bool key = std::exchange(open.back().key, !open.back().key);
      if (key && event.kind == EventKind::kScalar && !open.back().keys.insert(event.text).second) {
        return i;
      }
    }
    if (is_start(event.kind)) open.push_back({.map = event.kind == EventKind::kMapStart});
  }
  return kNone;
}

bool same_but_case(std::string_view a, std::string_view b) {
  const auto lower = [](char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::string bad_float(std::string_view text) {
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  if (same_but_case(text, ".nan")) return "json: unsupported value: NaN";
  if (same_but_case(text, ".inf")) {
    return fmt::format("json: unsupported value: {}Inf", minus ? '-' : '+');
  }
  return {};
}

/// A short value as Go's %#v shows it; enough for what stands where a template was not rendered.
std::string go_value(const Events& events, std::size_t node, const Members& members) {
  const Event& event = events[members.resolved(node)];
  if (event.kind == EventKind::kNull) return "interface {}(nil)";
  if (event.kind == EventKind::kScalar) {
    return is_string(event) ? fmt::format("\"{}\"", event.text) : std::string(event.text);
  }
  if (event.kind == EventKind::kSequenceStart) return "[]interface {}{...}";
  const std::size_t key = members.resolved(node) + 1;
  if (events[key].kind == EventKind::kMapEnd) return "map[interface {}]interface {}{}";
  const std::size_t value = node_end(events, key);
  const bool one = events[node_end(events, value)].kind == EventKind::kMapEnd;
  if (!one || is_start(events[members.resolved(key)].kind)) {
    return "map[interface {}]interface {}{...}";
  }
  const Event& inner = events[members.resolved(value)];
  return fmt::format("map[interface {{}}]interface {{}}{{{}:{}}}", go_value(events, key, members),
                     is_start(inner.kind) ? "..." : go_value(events, value, members));
}

/// What parses, and is neither a Go map nor JSON. Source: yaml.v2 decode.go, mapping();
/// sigs.k8s.io/yaml convertToJSONableObject().
std::optional<Error> bad_node(std::string_view bytes, const Events& events,
                              const Members& members) {
  std::vector<std::pair<bool, bool>> open;  // is it a mapping, and is a key next?
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    if (event.kind == EventKind::kSequenceEnd || event.kind == EventKind::kMapEnd) {
      open.pop_back();
      continue;
    }
    bool key = false;
    if (!open.empty() && open.back().first) {
      key = std::exchange(open.back().second, !open.back().second);
    }
    const Event& meant = events[members.resolved(i)];
    std::string why;
    if (key && is_start(meant.kind)) {
      why = "yaml: invalid map key: " + go_value(events, i, members);
    } else if (key && meant.kind == EventKind::kNull) {
      why = fmt::format("unsupported map key of type: %!s(<nil>), key: <nil>, value: {}",
                        go_value(events, node_end(events, i), members));
    } else if (!key && meant.kind == EventKind::kScalar && !is_string(meant)) {
      why = bad_float(meant.text);
    }
    if (!why.empty()) {
      return error_in(ErrorKind::kMalformed, bytes, event.at,
                      fmt::format("{}: {}", kNotStart, why));
    }
    if (is_start(event.kind)) open.emplace_back(event.kind == EventKind::kMapStart, true);
  }
  return std::nullopt;
}

/// The text of `apiVersion` or `kind`; empty when it is missing, as runtime.Decode sees it.
Result<std::string> header(std::string_view bytes, const Reading& reading, std::string_view name,
                           Span& at) {
  // Go's encoding/json does not mind the case of a key, and the last one wins; JSON that was made of
  // YAML has its keys in byte order.
  const Event* found = nullptr;
  std::string_view winner;
  for (const Member& member : reading.members) {
    const Event& key = reading.tree.events[member.key];
    const Event& value = reading.tree.events[member.value];
    if (key.kind != EventKind::kScalar || !same_but_case(key.text, name)) continue;
    const bool sorted = reading.tree.format == ConfigFormat::kYaml;
    if (value.kind == EventKind::kNull || (sorted && key.text < winner)) continue;
    winner = key.text;
    found = &value;
  }
  if (found == nullptr || found->kind == EventKind::kNull) return std::string();
  at = item_span(bytes, reading.tree, *found);
  if (found->kind != EventKind::kScalar || !is_string(*found)) {
    return error_in(ErrorKind::kMalformed, bytes, at,
                    fmt::format("{}: couldn't get version/kind; json parse error: '{}' is not a "
                                "string",
                                kNotStart, name));
  }
  return std::string(found->text);
}

/// Source: apimachinery runtime/serializer/json (meta.go, json.go) and runtime/error.go.
Status check_header(std::string_view bytes, const Reading& reading) {
  Span at;
  auto version = header(bytes, reading, "apiVersion", at);
  if (!version) return std::move(version).error();
  auto kind = header(bytes, reading, "kind", at);
  if (!kind) return std::move(kind).error();
  const std::string hint = fmt::format("write 'kind: {}' and 'apiVersion: {}'", kKind, kApiVersion);
  for (const bool missing_kind : {true, false}) {
    if (!(missing_kind ? *kind : *version).empty()) continue;
    Error error = {
        .kind = ErrorKind::kMalformed,
        .message = fmt::format("{}: Object '{}' is missing", kNotStart,
                               missing_kind ? "Kind" : "apiVersion"),
        .line = 1,
        .column = 1,
        .hint = hint,
    };
    return error;
  }
  if (*kind == kKind && *version == kApiVersion) return {};
  return error_in(ErrorKind::kMalformed, bytes, at,
                  fmt::format("{}: no kind \"{}\" is registered for version \"{}\"", kNotStart,
                              *kind, *version),
                  hint);
}

}  // namespace

namespace {
constexpr std::size_t kFewNodes = 50'000;
constexpr std::size_t kLeastBytesOfANode = 4;
}  // namespace

namespace {
/// A list of kMostEntries and all fields of a configuration, twice over.
constexpr std::size_t kMostNodes = 50'000;

Status check_size(std::size_t nodes) {
  if (nodes <= kMostNodes) return {};
  return Error{.kind = ErrorKind::kUnsupported,
               .message = fmt::format("will not read a configuration of a kubelet of more than {} "
                                      "keys and values: this one has {}",
                                      kMostNodes, nodes)};
}
}  // namespace

bool is_too_dense(std::size_t nodes, std::size_t bytes) {
  return nodes > kFewNodes && bytes / kLeastBytesOfANode < nodes;
}

Error dense_error() {
  return {
      .kind = ErrorKind::kUnsupported,
      .message = fmt::format("will not read this file: it has more than {} nodes of less than {} "
                             "bytes each",
                             kFewNodes, kLeastBytesOfANode)};
}

Anchors::Anchors(const Events& events) : events_(events) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    if (event.kind == EventKind::kAlias || event.anchor == 0) continue;
    if (event.anchor >= places_.size()) places_.resize(event.anchor + 1, kNone);
    places_[event.anchor] = i;
  }
}

std::size_t Anchors::resolved(std::size_t node) const {
  const Event& event = events_[node];
  if (event.kind != EventKind::kAlias || event.anchor >= places_.size()) return node;
  return places_[event.anchor] == kNone ? node : places_[event.anchor];
}

std::size_t node_end(const Events& events, std::size_t node) {
  std::size_t depth = 0;
  do {
    const EventKind kind = events[node].kind;
    if (is_start(kind)) ++depth;
    if (kind == EventKind::kSequenceEnd || kind == EventKind::kMapEnd) --depth;
    ++node;
  } while (depth > 0);
  return node;
}

Error error_in(ErrorKind kind, std::string_view bytes, Span at, std::string message,
               std::string hint) {
  SourceFile file;
  file.bytes = bytes;
  return error_at(kind, file, at, std::move(message), std::move(hint));
}

Result<Reading> read_config(std::string_view bytes, ConfigRole role,
                            const std::optional<KubeletVersion>& release) {
  if (bytes.empty()) {
    return Error{.kind = ErrorKind::kMalformed,
                 .message = fmt::format("{}: kubelet config file was empty", kNotStart)};
  }
  if (!is_utf8(bytes)) {
    std::size_t line = 0;
    while (is_utf8(bytes.substr(line, next_line_at(bytes, line) - line))) {
      line = next_line_at(bytes, line);
    }
    Error error = error_in(ErrorKind::kMalformed, bytes, {line, line},
                           fmt::format("{}: this line is not UTF-8", kNotStart));
    error.excerpt.clear();  // nor fit to be shown
    return error;
  }
  // Source: apimachinery util/yaml IsJSONBuffer. A byte order mark is not a blank to it.
  const std::size_t first = bytes.find_first_not_of(" \t\n\v\f\r");
  const bool json = first != std::string_view::npos && bytes[first] == '{';
  auto tree = json ? json_tree(bytes) : yaml_tree(bytes);
  if (!tree) return std::move(tree).error();
  Reading reading;
  reading.tree = std::move(*tree);
  reading.file.format = reading.tree.format;
  reading.file.documents = reading.tree.documents;
  const Events& events = reading.tree.events;
  if (auto status = check_size(events.size()); !status) return std::move(status).error();
  Members members(bytes, reading);
  if (!events.empty() && events[0].kind == EventKind::kMapStart) {
    auto collected = members.collect(0, 0);
    if (!collected) return std::move(collected).error();
  } else if (!events.empty() && events[0].kind != EventKind::kNull) {
    return error_in(
        ErrorKind::kMalformed, bytes, events[0].at,
        fmt::format("{}: couldn't get version/kind; json parse error: it is a {}, not "
                    "a mapping",
                    kNotStart, events[0].kind == EventKind::kScalar ? "scalar" : "list"));
  }
  if (auto error = bad_node(bytes, events, members)) return std::move(*error);
  if (role == ConfigRole::kDropIn) {
    if (const std::size_t key = repeated_key(events); key != kNone) {
      return error_in(ErrorKind::kMalformed, bytes, item_span(bytes, reading.tree, events[key]),
                      fmt::format("{}: key \"{}\" already set in map", kNotStart, events[key].text),
                      "remove one of the two: a drop-in may not repeat a key");
    }
  }
  auto checked = check_header(bytes, reading);
  if (!checked) return std::move(checked).error();
  if (auto fault = wrong_type(bytes, reading, role, release)) {
    if (fault->certain) return std::move(fault->error);
    reading.doubt = std::move(fault->error);
  }
  fill_list(bytes, reading, role);
  if (reading.file.entries.size() <= kMostEntries) return reading;
  return error_in(ErrorKind::kUnsupported, bytes, reading.file.entries[kMostEntries].at,
                  fmt::format("will not read a list of more than {} entries", kMostEntries));
}

}  // namespace kubelet_sysctl::config_parts
