// SPDX-License-Identifier: Apache-2.0
// Reading and changing the list of a KubeletConfiguration: the change that is wanted, and the proof
// that the splices make it and nothing else.
#include "kubelet_sysctl/kubelet/config.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "config_reading.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::kubelet {
namespace {

using yaml::Event;
using yaml::Events;
using yaml::kNone;
using yaml::ListChange;

bool holds(const ConfigEntries& entries, const EntryList& wanted) {
  return std::equal(entries.begin(), entries.end(), wanted.begin(), wanted.end(),
                    [](const ConfigEntry& entry, std::string_view text) {
                      return entry.is_string && entry.text == text;
                    });
}

/// For each wanted entry the item that could stay for it: the first with its text for the first
/// time it is wanted, the second for the second.
std::vector<std::size_t> candidates_of(const ConfigEntries& entries, Span items,
                                       const EntryList& wanted, Span wants) {
  std::unordered_map<std::string_view, std::vector<std::size_t>> places;
  for (std::size_t i = items.end; i > items.begin; --i) {
    if (entries[i - 1].is_string) places[entries[i - 1].text].push_back(i - 1);
  }
  std::vector<std::size_t> candidates;
  for (std::size_t i = wants.begin; i < wants.end; ++i) {
    const auto found = places.find(wanted[i]);
    if (found == places.end() || found->second.empty()) {
      candidates.push_back(yaml::kNone);
    } else {
      candidates.push_back(found->second.back());
      found->second.pop_back();
    }
  }
  return candidates;
}

/// A longest rising row of candidates, and kNone for the others: what can stay without moving.
std::vector<std::size_t> longest_rise(const std::vector<std::size_t>& candidates) {
  std::vector<std::size_t> tails;  // tails[n]: where the best row of n + 1 ends
  std::vector<std::size_t> before(candidates.size(), yaml::kNone);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i] == yaml::kNone) continue;
    const auto at = std::lower_bound(
        tails.begin(), tails.end(), candidates[i],
        [&](std::size_t tail, std::size_t value) { return candidates[tail] < value; });
    if (at != tails.begin()) before[i] = *(at - 1);
    if (at == tails.end()) {
      tails.push_back(i);
    } else {
      *at = i;
    }
  }
  std::vector<std::size_t> kept(candidates.size(), yaml::kNone);
  for (std::size_t i = tails.empty() ? yaml::kNone : tails.back(); i != yaml::kNone;
       i = before[i]) {
    kept[i] = candidates[i];
  }
  return kept;
}

ListChange change_to(const ConfigEntries& entries, const EntryList& wanted,
                     std::string (*written)(std::string_view)) {
  const auto same = [&](std::size_t entry, std::size_t want) {
    return entries[entry].is_string && entries[entry].text == wanted[want];
  };
  const std::size_t least = std::min(entries.size(), wanted.size());
  std::size_t head = 0;
  while (head < least && same(head, head)) ++head;
  std::size_t tail = 0;
  while (tail < least - head && same(entries.size() - tail - 1, wanted.size() - tail - 1)) ++tail;
  const Span items = {head, entries.size() - tail};
  const Span wants = {head, wanted.size() - tail};
  const std::vector<std::size_t> candidates = candidates_of(entries, items, wanted, wants);
  const std::vector<std::size_t> stays = longest_rise(candidates);
  ListChange change;
  change.keep.assign(entries.size(), true);
  for (std::size_t i = items.begin; i < items.end; ++i) change.keep[i] = false;
  std::size_t after = head == 0 ? yaml::kNone : head - 1;
  for (std::size_t i = 0; i < stays.size(); ++i) {
    if (stays[i] != yaml::kNone) {
      after = stays[i];
      change.keep[after] = true;
      continue;
    }
    if (change.added.empty() || change.added.back().after != after) {
      change.added.push_back({.after = after});
    }
    change.added.back().texts.push_back(written(wanted[wants.begin + i]));
    change.added.back().moved.push_back(candidates[i]);
  }
  return change;
}

/// Why no edit of this file can be proved, whatever its format.
std::optional<Error> obstacle(std::string_view bytes, const Reading& reading) {
  if (reading.file.form != ListForm::kWrong) return std::nullopt;
  return yaml::error_in(
      ErrorKind::kUnsupported, bytes, reading.tree.events[reading.members[reading.list].value].at,
      fmt::format("will not edit '{}': it is not a list, and a kubelet does not start with it",
                  kListKey),
      fmt::format("write '{}: []' first", kListKey));
}

/// The events of the deciding member, key and value; an empty span when there is none.
Span list_events(const Reading& reading) {
  if (reading.list == yaml::kNone) return {};
  const Member& member = reading.members[reading.list];
  return {member.key, yaml::node_end(reading.tree.events, member.written)};
}

/// True when both trees are the same once their lists are taken out.
bool same_but_list(const Reading& before, const Reading& after) {
  const Events& left = before.tree.events;
  const Events& right = after.tree.events;
  const Span left_list = list_events(before);
  const Span right_list = list_events(after);
  if (left.size() - left_list.size() != right.size() - right_list.size()) return false;
  std::size_t l = 0;
  std::size_t r = 0;
  for (;;) {
    if (l == left_list.begin) l = left_list.end;
    if (r == right_list.begin) r = right_list.end;
    if (l >= left.size() || r >= right.size()) return l >= left.size() && r >= right.size();
    if (!same_node(left[l++], right[r++])) return false;
  }
}

Status prove(std::string_view bytes, ConfigRole role, const Reading& before,
             const std::vector<Splice>& splices, const EntryList& wanted) {
  const auto refuse = [&](std::string_view why) {
    return yaml::error_in(
        ErrorKind::kUnsupported, bytes, before.file.key_at,
        fmt::format("will not edit '{}': the edit would not be safe: {}", kListKey, why),
        "edit the file by hand");
  };
  auto made = apply_splices(bytes, splices);
  if (!made) return std::move(made).error();
  if (!only_spliced(bytes, *made, splices)) return refuse("other bytes would change");
  auto after = read_config(*made, role);
  if (!after) return refuse(after.error().message);
  if (!holds(after->file.entries, wanted) || after->file.form == ListForm::kWrong) {
    return refuse("the list would not be the desired one");
  }
  // Of a repeated key the last one is read, and only that was edited; the others are among the rest.
  if (after->file.documents != before.file.documents ||
      after->file.repeated_key != before.file.repeated_key || after->merges ||
      !same_but_list(before, *after)) {
    return refuse("something besides the list would change");
  }
  return {};
}

}  // namespace

Result<KubeletConfigFile> parse_kubelet_config(std::string_view bytes, ConfigRole role) {
  auto reading = read_config(bytes, role);
  if (!reading) return std::move(reading).error();
  return std::move(reading->file);
}

Result<std::vector<Splice>> edit_kubelet_config(std::string_view bytes, ConfigRole role,
                                                const EntryList& wanted,
                                                bool remove_key_when_empty) {
  auto reading = read_config(bytes, role);
  if (!reading) return std::move(reading).error();
  const KubeletConfigFile& file = reading->file;
  if (file.form != ListForm::kWrong && holds(file.entries, wanted)) return std::vector<Splice>{};
  for (const std::string_view entry : wanted) {
    if (is_utf8(entry)) continue;
    return Error{.kind = ErrorKind::kUnsupported,
                 .message = "will not write an entry that is not UTF-8"};
  }
  if (auto error = obstacle(bytes, *reading)) return std::move(*error);
  const bool json = file.format == yaml::ConfigFormat::kJson;
  const ListChange change =
      change_to(file.entries, wanted, json ? yaml::json_written : yaml::yaml_written);
  const auto splices_of = json ? json_splices : yaml_splices;
  // Without the last of a repeated key the one before it would be read.
  const bool may_go = remove_key_when_empty && !file.repeated_key;
  auto splices = splices_of(bytes, *reading, change, may_go);
  if (!splices) return std::move(splices).error();
  // A long list is there twice in the proof, and not a third time.
  reading->file.entries = {};
  auto proved = prove(bytes, role, *reading, *splices, wanted);
  if (proved) return splices;
  if (json || file.form != ListForm::kAbsent) return std::move(proved).error();
  splices = yaml_splices_before_last(bytes, *reading, change);
  if (!prove(bytes, role, *reading, *splices, wanted)) return std::move(proved).error();
  return splices;
}

std::string new_config_drop_in(const EntryList& entries, yaml::ConfigFormat format) {
  const bool json = format == yaml::ConfigFormat::kJson;
  std::vector<std::string> texts;
  texts.reserve(entries.size());
  for (const std::string_view entry : entries) {
    texts.push_back(json ? yaml::json_written(entry) : yaml::yaml_written(entry));
  }
  if (json) {
    const std::string list =
        texts.empty() ? "[]" : fmt::format("[\n        {}\n    ]", joined(texts, ",\n        "));
    return fmt::format(
        "{{\n    \"apiVersion\": \"{}\",\n    \"kind\": \"{}\",\n    \"{}\": {}\n}}\n", kApiVersion,
        kKind, kListKey, list);
  }
  const std::string list = texts.empty() ? " []" : "\n- " + joined(texts, "\n- ");
  return fmt::format("apiVersion: {}\nkind: {}\n{}:{}\n", kApiVersion, kKind, kListKey, list);
}

}  // namespace kubelet_sysctl::kubelet
