// SPDX-License-Identifier: Apache-2.0
// What a kubelet makes of the tree of its configuration: the list, and why it would not start.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "config_reading.hpp"
#include "kubelet_sysctl/base/counted.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::kubelet {
namespace {

constexpr std::string_view kNotStart = "a kubelet does not start with this file";

/// The pairs of the top-level mapping as go-yaml v2 puts them together: a merge key `<<` sets its
/// pairs where it is, over those before it. Source: gopkg.in/yaml.v2 decode.go, mapping, merge.
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
    for (std::size_t key = map + 1; events_[key].kind != yaml::EventKind::kMapEnd;) {
      const std::size_t value = yaml::node_end(events_, key);
      const std::size_t next = yaml::node_end(events_, value);
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
  static bool is_merge(const yaml::Event& event) {
    return event.kind == yaml::EventKind::kScalar && event.text == "<<" && !event.quoted &&
           (event.tag == yaml::Tag::kUntagged || event.tag == yaml::Tag::kMerge);
  }

  Status merge(std::size_t value, std::size_t depth) {
    reading_.merges = true;
    constexpr std::size_t kDeepest = 20;
    if (depth == kDeepest) return too_much(value);
    const std::size_t target = resolved(value);
    if (events_[target].kind == yaml::EventKind::kMapStart) return collect(target, depth + 1);
    std::vector<std::size_t> maps;
    if (events_[target].kind == yaml::EventKind::kSequenceStart) {
      for (std::size_t item = target + 1; events_[item].kind != yaml::EventKind::kSequenceEnd;
           item = yaml::node_end(events_, item)) {
        maps.push_back(resolved(item));
      }
    }
    const bool all = std::all_of(maps.begin(), maps.end(), [&](std::size_t map) {
      return events_[map].kind == yaml::EventKind::kMapStart;
    });
    if (events_[target].kind != yaml::EventKind::kSequenceStart || !all) {
      return yaml::error_in(
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
    return yaml::error_in(ErrorKind::kUnsupported, bytes_, events_[node].at,
                          "will not follow merge keys this far");
  }

  std::string_view bytes_;
  Reading& reading_;
  const yaml::Events& events_;
  yaml::Anchors anchors_;
  std::size_t budget_;
};

/// The first key, at any depth, that its mapping already has. Source: yaml.v2 decode.go with
/// UnmarshalStrict; the kubelet takes that error for a drop-in as it is.
std::size_t repeated_key(const yaml::Events& events) {
  struct Open {
    bool map;
    bool key = true;
    std::unordered_set<std::string_view> keys = {};
  };
  std::vector<Open> open;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const yaml::Event& event = events[i];
    if (event.kind == yaml::EventKind::kSequenceEnd || event.kind == yaml::EventKind::kMapEnd) {
      open.pop_back();
      continue;
    }
    if (!open.empty() && open.back().map) {
      const bool key = std::exchange(open.back().key, !open.back().key);
      if (key && event.kind == yaml::EventKind::kScalar &&
          !open.back().keys.insert(event.text).second) {
        return i;
      }
    }
    if (yaml::is_start(event.kind))
      open.push_back({.map = event.kind == yaml::EventKind::kMapStart});
  }
  return yaml::kNone;
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

/// A short value as Go's %#v shows it; enough for what is where a template was not rendered.
std::string go_value(const yaml::Events& events, std::size_t node, const Members& members) {
  const yaml::Event& event = events[members.resolved(node)];
  if (event.kind == yaml::EventKind::kNull) return "interface {}(nil)";
  if (event.kind == yaml::EventKind::kScalar) {
    return yaml::is_string(event) ? fmt::format("\"{}\"", event.text) : std::string(event.text);
  }
  if (event.kind == yaml::EventKind::kSequenceStart) return "[]interface {}{...}";
  const std::size_t key = members.resolved(node) + 1;
  if (events[key].kind == yaml::EventKind::kMapEnd) return "map[interface {}]interface {}{}";
  const std::size_t value = yaml::node_end(events, key);
  const bool one = events[yaml::node_end(events, value)].kind == yaml::EventKind::kMapEnd;
  if (!one || yaml::is_start(events[members.resolved(key)].kind)) {
    return "map[interface {}]interface {}{...}";
  }
  const yaml::Event& inner = events[members.resolved(value)];
  return fmt::format("map[interface {{}}]interface {{}}{{{}:{}}}", go_value(events, key, members),
                     yaml::is_start(inner.kind) ? "..." : go_value(events, value, members));
}

/// What parses, and is neither a Go map nor JSON. Source: yaml.v2 decode.go, mapping();
/// sigs.k8s.io/yaml convertToJSONableObject().
std::optional<Error> bad_node(std::string_view bytes, const yaml::Events& events,
                              const Members& members) {
  std::vector<std::pair<bool, bool>> open;  // is it a mapping, and is a key next?
  for (std::size_t i = 0; i < events.size(); ++i) {
    const yaml::Event& event = events[i];
    if (event.kind == yaml::EventKind::kSequenceEnd || event.kind == yaml::EventKind::kMapEnd) {
      open.pop_back();
      continue;
    }
    bool key = false;
    if (!open.empty() && open.back().first) {
      key = std::exchange(open.back().second, !open.back().second);
    }
    const yaml::Event& meant = events[members.resolved(i)];
    std::string why;
    if (key && yaml::is_start(meant.kind)) {
      why = "yaml: invalid map key: " + go_value(events, i, members);
    } else if (key && meant.kind == yaml::EventKind::kNull) {
      why = fmt::format("unsupported map key of type: %!s(<nil>), key: <nil>, value: {}",
                        go_value(events, yaml::node_end(events, i), members));
    } else if (!key && meant.kind == yaml::EventKind::kScalar && !yaml::is_string(meant)) {
      why = bad_float(meant.text);
    }
    if (!why.empty()) {
      return yaml::error_in(ErrorKind::kMalformed, bytes, event.at,
                            fmt::format("{}: {}", kNotStart, why));
    }
    if (yaml::is_start(event.kind))
      open.emplace_back(event.kind == yaml::EventKind::kMapStart, true);
  }
  return std::nullopt;
}

/// The text of `apiVersion` or `kind`; empty when it is missing, as runtime.Decode sees it.
Result<std::string> header(std::string_view bytes, const Reading& reading, std::string_view name,
                           Span& at) {
  // Go's encoding/json does not mind the case of a key, and the last one wins; JSON that was made of
  // YAML has its keys in byte order.
  const yaml::Event* found = nullptr;
  std::string_view winner;
  for (const Member& member : reading.members) {
    const yaml::Event& key = reading.tree.events[member.key];
    const yaml::Event& value = reading.tree.events[member.value];
    if (key.kind != yaml::EventKind::kScalar || !same_but_case(key.text, name)) continue;
    const bool sorted = reading.tree.format == yaml::ConfigFormat::kYaml;
    if (value.kind == yaml::EventKind::kNull || (sorted && key.text < winner)) continue;
    winner = key.text;
    found = &value;
  }
  if (found == nullptr || found->kind == yaml::EventKind::kNull) return std::string();
  at = item_span(bytes, reading.tree, *found);
  if (found->kind != yaml::EventKind::kScalar || !yaml::is_string(*found)) {
    return yaml::error_in(
        ErrorKind::kMalformed, bytes, at,
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
        .id = kNoHeader,
    };
    return error;
  }
  if (*kind == kKind && *version == kApiVersion) return {};
  return yaml::error_in(ErrorKind::kMalformed, bytes, at,
                        fmt::format("{}: no kind \"{}\" is registered for version \"{}\"",
                                    kNotStart, *kind, *version),
                        hint);
}

}  // namespace

namespace {}  // namespace

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

Result<Reading> read_config(std::string_view bytes, ConfigRole role,
                            const std::optional<sysctl::KubeletVersion>& release) {
  counted(Counted::kKubeletConfig, bytes);
  if (bytes.empty()) {
    return Error{.kind = ErrorKind::kMalformed,
                 .message = fmt::format("{}: kubelet config file was empty", kNotStart)};
  }
  if (!is_utf8(bytes)) {
    std::size_t line = 0;
    while (is_utf8(bytes.substr(line, yaml::next_line_at(bytes, line) - line))) {
      line = yaml::next_line_at(bytes, line);
    }
    Error error = yaml::error_in(ErrorKind::kMalformed, bytes, {line, line},
                                 fmt::format("{}: this line is not UTF-8", kNotStart));
    error.excerpt.clear();  // nor fit to be shown
    return error;
  }
  // Source: apimachinery util/yaml IsJSONBuffer. A byte order mark is not a blank to it.
  const std::size_t first = bytes.find_first_not_of(" \t\n\v\f\r");
  const bool json = first != std::string_view::npos && bytes[first] == '{';
  auto tree = json ? yaml::json_tree(bytes) : yaml::yaml_tree(bytes);
  if (!tree) return std::move(tree).error();
  Reading reading;
  reading.tree = std::move(*tree);
  reading.file.format = reading.tree.format;
  reading.file.documents = reading.tree.documents;
  const yaml::Events& events = reading.tree.events;
  if (auto status = check_size(events.size()); !status) return std::move(status).error();
  Members members(bytes, reading);
  if (!events.empty() && events[0].kind == yaml::EventKind::kMapStart) {
    auto collected = members.collect(0, 0);
    if (!collected) return std::move(collected).error();
  } else if (!events.empty() && events[0].kind != yaml::EventKind::kNull) {
    return yaml::error_in(
        ErrorKind::kMalformed, bytes, events[0].at,
        fmt::format("{}: couldn't get version/kind; json parse error: it is a {}, not "
                    "a mapping",
                    kNotStart, events[0].kind == yaml::EventKind::kScalar ? "scalar" : "list"));
  }
  if (auto error = bad_node(bytes, events, members)) return std::move(*error);
  if (role == ConfigRole::kDropIn) {
    if (const std::size_t key = repeated_key(events); key != yaml::kNone) {
      return yaml::error_in(
          ErrorKind::kMalformed, bytes, item_span(bytes, reading.tree, events[key]),
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
  if (reading.file.entries.size() <= sysctl::kMostEntries) return reading;
  return yaml::error_in(
      ErrorKind::kUnsupported, bytes, reading.file.entries[sysctl::kMostEntries].at,
      fmt::format("will not read a list of more than {} entries", sysctl::kMostEntries));
}

}  // namespace kubelet_sysctl::kubelet
