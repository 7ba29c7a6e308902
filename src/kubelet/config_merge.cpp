// SPDX-License-Identifier: Apache-2.0
// Which of the lists in a configuration file and its drop-ins a release of the kubelet takes.
#include "kubelet_sysctl/kubelet/config_merge.hpp"

#include <utility>

#include "config_reading.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/sysctl/pod_defaults.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::kubelet {
namespace {

/// The spelling of the field where a struct without JSON names is marshalled.
constexpr std::string_view kGoListKey = "AllowedUnsafeSysctls";

constexpr std::string_view kGatesKey = "featureGates";

bool is_null(const ListSetting& setting) { return setting.form == ListForm::kUnset; }

/// Nothing in the main file is as good as a null there.
bool sets_nothing(const ListSetting& setting) {
  return setting.form == ListForm::kAbsent || is_null(setting);
}

/// A later member takes the place of an earlier one in the main file; two spellings in a drop-in are both read.
void take_map(std::string_view bytes, const Reading& reading, const Member& member, ConfigRole role,
              MapSetting& setting) {
  if (role == ConfigRole::kMain) setting = {};
  const yaml::Events& events = reading.tree.events;
  setting.is_null = setting.is_null || events[member.value].kind == yaml::EventKind::kNull;
  if (events[member.value].kind != yaml::EventKind::kMapStart) return;
  const yaml::Anchors anchors(events);
  for (std::size_t key = member.value + 1; events[key].kind != yaml::EventKind::kMapEnd;) {
    const std::size_t value = yaml::node_end(events, key);
    const yaml::Event& meant = events[anchors.resolved(value)];
    const bool scalar = meant.kind == yaml::EventKind::kScalar;
    setting.pairs.push_back(
        {.key = std::string(events[anchors.resolved(key)].text),
         .value = scalar ? std::optional<std::string>(meant.text) : std::nullopt,
         .at = item_span(bytes, reading.tree, events[key])});
    key = yaml::node_end(events, value);
  }
}

/// The value of each key of the merged text, as the index of a setting.
using Merged = std::map<std::string, std::optional<std::size_t>, std::less<>>;

/// Applies the drop-ins as a merge patch; the last null among them that a merge knows.
/// Source: RFC 7396; github.com/evanphx/json-patch MergePatch.
std::optional<std::size_t> patch(const std::vector<const ListSetting*>& settings, std::size_t first,
                                 Merged& merged) {
  std::optional<std::size_t> emptied;
  for (std::size_t i = first; i < settings.size(); ++i) {
    if (is_null(*settings[i])) {
      merged.erase(settings[i]->key);
      emptied = i;
    } else {
      merged[settings[i]->key] = i;
    }
  }
  return emptied;
}

/// Source: 1.28 mergo.Merge(..., mergo.WithOverride) over files that were decoded as they are spelt.
std::optional<std::size_t> last_that_is_not_empty(const std::vector<const ListSetting*>& settings,
                                                  std::size_t first,
                                                  std::optional<std::size_t> base) {
  std::optional<std::size_t> last = base;
  for (std::size_t i = first; i < settings.size(); ++i) {
    if (settings[i]->key == kListKey && !settings[i]->entries.empty()) last = i;
  }
  return last;
}

}  // namespace

MergeRule merge_rule_of(const sysctl::KubeletVersion& version) {
  constexpr sysctl::KubeletVersion kPatch{.major = 1, .minor = 29, .patch = 0};
  constexpr sysctl::KubeletVersion kApi{.major = 1, .minor = 32, .patch = 0};
  if (version < kPatch) return MergeRule::kNonEmpty;
  return version < kApi ? MergeRule::kGoNames : MergeRule::kApiNames;
}

std::optional<std::size_t> deciding_setting(const std::vector<const ListSetting*>& settings,
                                            bool has_main, MergeRule rule) {
  const bool main_sets = has_main && !sets_nothing(*settings.front());
  const std::optional<std::size_t> base =
      main_sets ? std::optional<std::size_t>(0) : std::optional<std::size_t>();
  const std::size_t first = has_main ? 1 : 0;
  if (rule == MergeRule::kNonEmpty) return last_that_is_not_empty(settings, first, base);
  Merged merged;
  if (rule == MergeRule::kGoNames) {
    // Always there, null where the file gives no list; what takes it away leaves the list as it was.
    merged[std::string(kGoListKey)] = base;
    patch(settings, first, merged);
    return merged.empty() ? base : merged.rbegin()->second;
  }
  // An empty list is not marshalled. Source: v1beta1 types.go, omitempty.
  if (base && !settings[*base]->entries.empty()) merged[std::string(kListKey)] = base;
  const auto emptied = patch(settings, first, merged);
  if (!merged.empty()) return merged.rbegin()->second;
  return emptied ? emptied : base;
}

bool is_same_field(std::string_view key, std::string_view field) {
  constexpr std::pair<std::string_view, char> kFolds[] = {{"\xC5\xBF", 's'}, {"\xE2\x84\xAA", 'k'}};
  const auto lower = [](char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  };
  for (const char letter : field) {
    if (key.empty()) return false;
    if (lower(key.front()) == lower(letter)) {
      key.remove_prefix(1);
      continue;
    }
    bool folds = false;
    for (const auto& [bytes, folded] : kFolds) {
      if (lower(letter) != folded || !key.starts_with(bytes)) continue;
      key.remove_prefix(bytes.size());
      folds = true;
      break;
    }
    if (!folds) return false;
  }
  return key.empty();
}

Result<ConfigReading> read_kubelet_config(std::string_view bytes, ConfigRole role,
                                          const std::optional<sysctl::KubeletVersion>& release) {
  auto reading = read_config(bytes, role, release);
  if (!reading) return std::move(reading).error();
  if (reading->deciding != yaml::kNone) {
    reading->settings[reading->deciding].entries = std::exchange(reading->file.entries, {});
  }
  ConfigReading made{.file = std::move(reading->file),
                     .settings = std::move(reading->settings),
                     .healthz_ports = std::move(reading->healthz_ports),
                     .healthz_addresses = std::move(reading->healthz_addresses),
                     .ports = std::move(reading->ports),
                     .doubt = std::move(reading->doubt)};
  for (const Member& member : reading->members) {
    const yaml::Event& value = reading->tree.events[member.value];
    for (const auto& [field, into] : {std::pair{sysctl::kDefaultsKey, &made.default_sysctls},
                                      {kGatesKey, &made.feature_gates}}) {
      const std::string_view name = reading->tree.events[member.key].text;
      const bool is_main = role == ConfigRole::kMain;
      if (is_main ? name == field : is_same_field(name, field)) {
        take_map(bytes, *reading, member, role, *into);
      }
    }
    if (value.kind != yaml::EventKind::kScalar) continue;
    const std::string_view key = reading->tree.events[member.key].text;
    if (key == "staticPodPath") made.static_pod_path = value.text;
    if (key == "readOnlyPort") made.read_only_port = value.text;
    if (key == "address") made.address = value.text;
  }
  return made;
}

}  // namespace kubelet_sysctl::kubelet
