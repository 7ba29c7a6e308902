// SPDX-License-Identifier: Apache-2.0
// Giving a misspelt key of a KubeletConfiguration its right name, and the proof that nothing else changes.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "config_reading.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/kubelet/config_merge.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::kubelet {
namespace {

using yaml::Event;
using yaml::EventKind;
using yaml::Events;
using yaml::kNone;

/// The pair with the misspelt key, when it is in the file itself and not behind a merge key.
const Member* misspelt_member(const Reading& reading, const std::string& key) {
  const auto found =
      std::find_if(reading.members.begin(), reading.members.end(), [&](const Member& member) {
        return !member.merged && reading.tree.events[member.key].text == key;
      });
  return found == reading.members.end() ? nullptr : &*found;
}

Error unsupported(std::string_view bytes, Span at, std::string_view key, std::string_view why) {
  return yaml::error_in(ErrorKind::kUnsupported, bytes, at,
                        fmt::format("will not rename '{}': {}", key, why),
                        fmt::format("the key is '{}'; rename it by hand", kListKey));
}

/// The key's name within its bytes, which may have quotes around it.
std::optional<Splice> key_splice(std::string_view bytes, const MisspeltKey& key) {
  const std::string_view written = bytes.substr(key.at.begin, key.at.size());
  const std::size_t quotes = written.size() == key.key.size() + 2 ? 1 : 0;
  if (written.size() != key.key.size() + 2 * quotes) return std::nullopt;
  if (written.substr(quotes, key.key.size()) != key.key) return std::nullopt;
  const std::size_t begin = key.at.begin + quotes;
  return Splice{.at = {begin, begin + key.key.size()}, .text = std::string(kListKey)};
}

/// "a, b" as the list [a, b]; nothing when the text is not on one line as it is.
std::optional<Splice> list_splice(std::string_view bytes, const Reading& reading,
                                  const Member& member, const EntryList& entries) {
  const Event& value = reading.tree.events[member.written];
  const bool json = reading.tree.format == yaml::ConfigFormat::kJson;
  bool simple = json;
  const Span at = json ? value.at : yaml::yaml_scalar_span(bytes, value, simple);
  if (value.kind != EventKind::kScalar || !simple || at.size() == 0) return std::nullopt;
  if (!yaml::is_string(value)) return std::nullopt;
  std::vector<std::string> texts;
  texts.reserve(entries.size());
  for (const std::string_view entry : entries) {
    texts.push_back(json ? yaml::json_written(entry) : yaml::yaml_written(entry));
  }
  return Splice{.at = at, .text = fmt::format("[{}]", joined(texts, ", "))};
}

/// True when the trees are equal but for one key, and for its value where that was given another form.
bool same_but(const Reading& before, Span left_gap, const Reading& after, Span right_gap) {
  const Events& left = before.tree.events;
  const Events& right = after.tree.events;
  if (left.size() - left_gap.size() != right.size() - right_gap.size()) return false;
  const auto equal = [](const Event& a, const Event& b) { return same_node(a, b); };
  const auto at = [](const Events& events, std::size_t offset) {
    return events.begin() + static_cast<std::ptrdiff_t>(offset);
  };
  return left_gap.begin == right_gap.begin &&
         std::equal(left.begin(), at(left, left_gap.begin), right.begin(), equal) &&
         std::equal(at(left, left_gap.end), left.end(), at(right, right_gap.end), equal);
}

Status prove(std::string_view bytes, ConfigRole role, const Reading& before, const Member& member,
             const std::vector<Splice>& splices, bool converted) {
  const MisspeltKey& key = before.file.misspelt.front();
  auto made = apply_splices(bytes, splices);
  if (!made) return std::move(made).error();
  auto after = read_config(*made, role);
  if (!after) return unsupported(bytes, key.at, key.key, after.error().message);
  const KubeletConfigFile& file = after->file;
  const bool is_list = file.form == ListForm::kBlock || file.form == ListForm::kFlow ||
                       (file.form == ListForm::kUnset && key.entries.empty());
  const bool same_entries =
      std::equal(file.entries.begin(), file.entries.end(), key.entries.begin(), key.entries.end(),
                 [](const ConfigEntry& entry, const std::string& text) {
                   return entry.is_string && entry.text == text;
                 });
  if (!is_list || !same_entries || after->list == yaml::kNone) {
    return unsupported(bytes, key.at, key.key, "a kubelet would not start with what is there");
  }
  const std::size_t left_end =
      converted ? yaml::node_end(before.tree.events, member.written) : member.key + 1;
  const Member& renamed = after->members[after->list];
  const std::size_t right_end =
      converted ? yaml::node_end(after->tree.events, renamed.written) : renamed.key + 1;
  if (!file.misspelt.empty() || file.repeated_key || file.documents != before.file.documents ||
      !only_spliced(bytes, *made, splices) ||
      !same_but(before, {member.key, left_end}, *after, {renamed.key, right_end})) {
    return unsupported(bytes, key.at, key.key, "something else would change");
  }
  return {};
}

}  // namespace

Result<std::vector<Splice>> rename_list_key(std::string_view bytes, ConfigRole role) {
  auto reading = read_config(bytes, role);
  if (!reading) return std::move(reading).error();
  const KubeletConfigFile& file = reading->file;
  if (file.misspelt.empty()) return std::vector<Splice>{};
  const MisspeltKey& key = file.misspelt.front();
  const bool has_right_key =
      std::any_of(reading->settings.begin(), reading->settings.end(),
                  [](const ListSetting& setting) { return setting.key == kListKey; });
  if (has_right_key || file.misspelt.size() > 1) {
    const std::string_view other =
        has_right_key ? kListKey : std::string_view(file.misspelt.back().key);
    return yaml::error_in(ErrorKind::kRefused, bytes, key.at,
                          fmt::format("will not rename '{}': '{}' is in this file too, and which "
                                      "entries are meant is unknown",
                                      key.key, other));
  }
  const Member* member = misspelt_member(*reading, key.key);
  const auto name = key_splice(bytes, key);
  if (member == nullptr || !name) {
    return unsupported(bytes, key.at, key.key, "it was not found as it is written");
  }
  std::vector<Splice> splices = {*name};
  const bool converted = reading->tree.events[member->value].kind == EventKind::kScalar;
  if (converted) {
    auto list = list_splice(bytes, *reading, *member, key.entries);
    if (!list) return unsupported(bytes, key.at, key.key, "its value is no list");
    splices.push_back(std::move(*list));
  }
  if (auto proved = prove(bytes, role, *reading, *member, splices, converted); !proved) {
    return std::move(proved).error();
  }
  return splices;
}

}  // namespace kubelet_sysctl::kubelet
