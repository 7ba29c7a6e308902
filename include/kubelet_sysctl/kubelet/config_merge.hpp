// SPDX-License-Identifier: Apache-2.0
// What several files of one kubelet make together: the spellings of the list's key, and which decides.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::kubelet {

/// One spelling of the list's key with what it says. The main file has the right one at most; in a drop-in
/// each spelling that Go's encoding/json takes for the field is one, in byte order.
struct ListSetting {
  std::string key;
  Span key_at;
  ListForm form = ListForm::kAbsent;
  ConfigEntries entries;
};

/// A map of texts or switches, as one file has it.
struct MapSetting {
  struct Pair {
    std::string key;
    std::optional<std::string> value;  ///< nothing for a null
    Span at;                           ///< of the key
  };
  bool is_null = false;
  std::vector<Pair> pairs = {};
};

/// A file that was read, with all that a merge needs.
struct ConfigReading {
  KubeletConfigFile file;
  std::vector<ListSetting> settings;
  /// Fields of the health endpoint, by their spelling as above.
  std::map<std::string, int> healthz_ports = {};
  std::map<std::string, std::string> healthz_addresses = {};
  std::map<std::string, int> ports = {};  ///< of the field `port`, likewise
  MapSetting default_sysctls = {};
  MapSetting feature_gates = {};
  // Scalars of these fields as the file has them; nothing where it has none.
  std::optional<std::string> static_pod_path = std::nullopt;
  std::optional<std::string> read_only_port = std::nullopt;
  std::optional<std::string> address = std::nullopt;
  /// Why a kubelet may not start with the file: it depends on its release, and that is not known well enough.
  std::optional<Error> doubt = std::nullopt;
};

/// As parse_kubelet_config(), with the same errors, and with those of `release` alone where it is known.
Result<ConfigReading> read_kubelet_config(
    std::string_view bytes, ConfigRole role,
    const std::optional<sysctl::KubeletVersion>& release = std::nullopt);

/// True when Go's encoding/json takes `key` for `field`, which has ASCII letters alone.
/// Source: Go encoding/json fold.go; U+017F and U+212A fold to 's' and 'k'.
bool is_same_field(std::string_view key, std::string_view field);

/// How a release merges the files of --config-dir over the configuration file.
/// Source: cmd/kubelet/app/server.go mergeKubeletConfigurations() of 1.28, 1.29 and 1.32.
enum class MergeRule : std::uint8_t {
  kNonEmpty,  ///< 1.28: a value that is empty overrides nothing; keys as they are spelt
  kGoNames,  ///< 1.29 to 1.31: a merge patch over fields as Go names them, read without regard to case
  kApiNames,  ///< from 1.32 on: over fields as the API names them, likewise
};
MergeRule merge_rule_of(const sysctl::KubeletVersion& version);

/// Which of `settings` gives the list: those of the main file first when `has_main`, then those of the
/// drop-ins in the order of the walk. Nothing: none does, and the list is empty.
std::optional<std::size_t> deciding_setting(const std::vector<const ListSetting*>& settings,
                                            bool has_main, MergeRule rule);

/// The value of a field that the defaults always set, of the spellings that were merged.
template <typename Value>
Value deciding_value(const std::map<std::string, Value>& spellings, std::string_view field,
                     MergeRule rule, Value usual) {
  const auto exact = spellings.find(std::string(field));
  if (rule == MergeRule::kNonEmpty) return exact == spellings.end() ? usual : exact->second;
  // What sorts before the field's own name is read before it, and so is lost.
  if (!spellings.empty() && spellings.rbegin()->first >= field) return spellings.rbegin()->second;
  return usual;
}

}  // namespace kubelet_sysctl::kubelet
