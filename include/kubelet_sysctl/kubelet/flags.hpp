// SPDX-License-Identifier: Apache-2.0
// The flags of a kubelet, as pflag takes them from its words.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kubelet_sysctl::kubelet {

inline constexpr std::string_view kListFlag = "--allowed-unsafe-sysctls";

/// One use of --allowed-unsafe-sysctls.
struct ListFlag {
  std::size_t word = 0;         ///< index of the word that holds the flag
  std::size_t value_word = 0;   ///< index of the word that holds the value; `word` for the = form
  std::size_t value_begin = 0;  ///< offset of the value in the text of that word
  struct Item {
    std::string text;
    std::size_t begin = 0;  ///< offset in the text of value_word
    std::size_t end = 0;
    bool quoted = false;  ///< in CSV quotes
  };
  std::vector<Item>
      items;  ///< CSV fields of the first line, empty ones too; none for an empty value
  bool lost_lines = false;  ///< the value has further lines, which the kubelet drops
};

/// One flag as pflag takes it from the words.
struct FlagUse {
  std::string name;  ///< without hyphens, '_' as '-'
  std::string value;
  std::size_t word = 0;        ///< index of the word that holds its name
  std::size_t value_word = 0;  ///< `word` unless the value is a word of its own
};

/// What the kubelet's flags say that matters here.
struct KubeletFlags {
  std::size_t first = 1;  ///< index of the first word after the kubelet's own name
  std::vector<ListFlag> lists;
  std::vector<FlagUse> all;           ///< every flag, up to the one that ends the kubelet
  std::optional<std::string> config;  ///< last --config; empty text means none
  std::optional<std::string> config_dir;
  std::optional<std::string> healthz_port;
  std::optional<std::string> healthz_bind_address;
  std::optional<std::string> dynamic_config_dir;
  std::optional<std::string> lock_file;
  std::optional<std::string> pod_manifest_path;
  std::optional<std::string> read_only_port;
  std::optional<std::string> address;
  std::optional<std::string> hostname_override;
  /// Why this kubelet would exit at once because of its command line, in its own words; index of the word.
  std::optional<std::string> fatal;
  std::size_t fatal_word = 0;
  /// A word that is a flag unknown here and followed by another flag: whether it swallows that one
  /// depends on the release. No edit of the arguments is provable then.
  std::optional<std::size_t> ambiguous_word;
};

/// The name of the list's flag: up to 1.10 it was "experimental-allowed-unsafe-sysctls".
/// Source: kubernetes PR 63717.
enum class ListName { kCurrent, kUpTo110 };

/// Whether the words take a value from the next word is known for a flag of this name.
bool is_known_flag(std::string_view name);

/// Reads the words from `first` on as pflag does. `words` are plain texts.
/// Source: spf13/pflag flag.go, string_slice.go; component-base cli/flag WordSepNormalizeFunc.
KubeletFlags parse_kubelet_flags(const std::vector<std::string>& words, std::size_t first,
                                 ListName list = ListName::kCurrent);

/// Index of the first word after the kubelet's name: 1 for a kubelet, later for a wrapper that runs one
/// or for hyperkube; nothing when no word looks like a kubelet, or a shell runs it.
std::optional<std::size_t> kubelet_arguments_start(const std::vector<std::string>& words);

/// The first of the wanted words of a kubelet that `seen` does not have, or has in another order. A script in front
/// of the program may add words of its own; one that goes missing is a setting that the kubelet lost.
std::optional<std::string> missing_word(const std::vector<std::string>& wanted,
                                        const std::vector<std::string>& seen);

/// All items of all occurrences, in order, empty fields of CSV included: the list the flag gives.
std::vector<std::string> list_of(const KubeletFlags& flags);

}  // namespace kubelet_sysctl::kubelet
