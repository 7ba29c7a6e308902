// SPDX-License-Identifier: Apache-2.0
// What the files of a kubelet say together about `defaultPodSysctls`, each with its place.
#include "kubelet_sysctl/model/pod_defaults.hpp"

#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/lines.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/kubelet/config_merge.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/sysctl/pod_defaults.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::model {
namespace {

using sysctl::DefaultsState;

/// Lays one file's map over those of the files before it.
template <typename Value, typename Make>
void lay_over(const kubelet::MapSetting& setting, kubelet::ConfigRole role, const Make& make,
              std::map<std::string, Value>& merged) {
  if (setting.is_null) merged.clear();
  for (const kubelet::MapSetting::Pair& pair : setting.pairs) {
    // In the main file a null is an empty text.
    if (!pair.value && role == kubelet::ConfigRole::kDropIn) {
      merged.erase(pair.key);
    } else {
      merged.insert_or_assign(pair.key, make(pair));
    }
  }
}

/// "A=true,B=false" of the last --feature-gates, over what the files say, gate by gate.
/// Source: cmd/kubelet/app/server.go kubeletConfigFlagPrecedence(); component-base featuregate.
void lay_flag_over(const kubelet::KubeletFlags& flags, std::map<std::string, std::string>& gates) {
  for (const kubelet::FlagUse& flag : flags.all) {
    if (flag.name != "feature-gates") continue;
    std::string_view rest = flag.value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view one = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      const std::size_t equals = one.find('=');
      if (equals == std::string_view::npos) continue;
      const std::string_view value = one.substr(equals + 1);
      const auto is = [value](std::string_view word) { return value == word; };
      const bool on = is("true") || is("True") || is("TRUE") || is("t") || is("T") || is("1");
      gates[std::string(one.substr(0, equals))] = on ? "true" : "false";
    }
  }
}

std::optional<bool> switch_of(const std::map<std::string, std::string>& gates,
                              std::string_view name) {
  const auto found = gates.find(std::string(name));
  if (found == gates.end()) return std::nullopt;
  return found->second == "true";
}

}  // namespace

PodDefaults pod_defaults_of(const nodes::NodeSnapshot& snapshot, const NodeModel& model) {
  std::map<std::string, PodDefault> sysctls;
  std::map<std::string, std::string> gates;
  for (const ConfigFile& one : model.config_files) {
    const SourceFile& file = snapshot.files[static_cast<std::size_t>(one.source)];
    const bool main = one.role == kubelet::ConfigRole::kMain;
    LineCounter lines;
    lay_over(
        one.reading.default_sysctls, one.role,
        [&](const kubelet::MapSetting::Pair& pair) {
          const Origin at = {.kind = main ? OriginKind::kConfig : OriginKind::kConfigDir,
                             .path = file.path,
                             .line = lines.line_of(file.bytes, pair.at.begin),
                             .span = pair.at,
                             .source = one.source,
                             .variable = {}};
          return PodDefault{.name = pair.key, .value = pair.value.value_or(""), .at = at};
        },
        sysctls);
    const auto text = [](const kubelet::MapSetting::Pair& pair) { return pair.value.value_or(""); };
    lay_over(one.reading.feature_gates, one.role, text, gates);
  }
  lay_flag_over(model.flags, gates);
  PodDefaults made;
  for (auto& [name, one] : sysctls) made.sysctls.push_back(std::move(one));
  made.state = sysctl::defaults_state(
      snapshot.kubelet_version,
      {.own = switch_of(gates, sysctl::kDefaultsGate), .all_alpha = switch_of(gates, "AllAlpha")});
  return made;
}

std::vector<Error> pod_default_faults(const PodDefaults& defaults) {
  std::vector<Error> faults;
  const bool certain = defaults.state == DefaultsState::kInForce;
  if (!certain && defaults.state != DefaultsState::kUnknown) return faults;
  std::map<std::string, const PodDefault*> seen;  // by the dotted name
  for (const PodDefault& one : defaults.sysctls) {
    auto why = sysctl::default_name_fault(one.name);
    const auto [first, is_new] =
        seen.emplace(sysctl::compared_name(one.name, sysctl::newest_known_kubelet()), &one);
    if (!why && !is_new) {
      why = fmt::format("it is the same sysctl as '{}' at {}:{}", first->second->name,
                        first->second->at.path, first->second->at.line);
    }
    if (!why) continue;
    faults.push_back(
        {.kind = certain ? ErrorKind::kRefused : ErrorKind::kUnsupported,
         .message = certain ? fmt::format("the kubelet does not start with '{}' in {}: {}",
                                          one.name, sysctl::kDefaultsKey, *why)
                            : fmt::format("a kubelet that sets {} does not start with '{}': {}; "
                                          "whether this one does cannot be determined",
                                          sysctl::kDefaultsKey, one.name, *why),
         .path = one.at.path,
         .line = one.at.line,
         .hint = certain ? "take it out of that file"
                         : "take it out of that file, or name the release with "
                           "'--kubelet-version'",
         .entry = one.name});
  }
  return faults;
}

std::vector<std::string> kernel_questions(const NodeModel& model) {
  std::vector<std::string> names = configured_texts(model);
  const DefaultsState state = model.pod_defaults.state;
  if (state == DefaultsState::kNoField || state == DefaultsState::kGateOff) return names;
  for (const PodDefault& one : model.pod_defaults.sysctls) {
    if (sysctl::is_kernel_asked(one.name)) names.push_back(one.name);
  }
  return names;
}

}  // namespace kubelet_sysctl::model
