// SPDX-License-Identifier: Apache-2.0
// From ExecStart= and the environment to the words that the kubelet gets, each with its origin.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/env_file.hpp"
#include "kubelet_sysctl/error.hpp"
#include "kubelet_sysctl/source.hpp"
#include "kubelet_sysctl/unit_file.hpp"
#include "kubelet_sysctl/versions.hpp"

namespace kubelet_sysctl {

/// One argument of the resolved command line.
struct Word {
  MappedText text;
  CharOrigin raw;        ///< bytes of the file that the word occupies, quotes and escapes included
  std::string variable;  ///< the $VARIABLE that was split into this word; empty otherwise
  std::vector<std::string> inner;  ///< names of ${VARIABLE}s replaced inside the word
};

/// A variable of the service's environment with the place that set it last.
struct Variable {
  MappedText value;
  OriginKind kind = OriginKind::kEnvironmentFile;
  CharOrigin raw;  ///< the value as written (for Environment=: the whole NAME=value word)
  Quoting quoting = Quoting::kNone;
};
using Environment = std::map<std::string, Variable>;

/// What specifiers stand for on this node; a letter that is missing here is unknown.
using Specifiers = std::map<char, std::string>;

/// One stored command: words before variables are replaced, as `ExecStart` over D-Bus reports them.
struct StoredCommand {
  std::string program;          ///< path, or a bare name to be searched
  std::vector<Word> words;      ///< argv[0] first
  bool ignore_failure = false;  ///< prefix -
  bool no_variables = false;    ///< prefix :
};

/// The commands of one ExecStart= line (more than one only where `;` stands as a word).
/// Errors: kMalformed with the place when systemd refuses the line; kUnsupported when a specifier is
/// used whose value is not known here. Forms that old releases read differently are added to `forms`.
/// Source: systemd src/core/load-fragment.c, src/basic/extract-word.c, src/shared/specifier.c.
Result<std::vector<StoredCommand>> parse_exec_start(const MappedText& value,
                                                    const Specifiers& specifiers, int version,
                                                    std::vector<FormUse>& forms);

/// Replaces $VAR, ${VAR} and $$ in the words of `command` as systemd does when it starts it.
/// Source: systemd src/basic/env-util.c replace_env_argv().
std::vector<Word> expand_command(const StoredCommand& command, const Environment& environment,
                                 std::vector<FormUse>& forms);

/// Splits the value of a variable into words: blanks, quotes and backslashes, no C escapes. `value`'s
/// own provenance carries over; each word's `raw` covers its quotes.
std::vector<Word> split_value(const MappedText& value, std::vector<FormUse>& forms);

/// Applies one Environment= line to `environment`. A bad word is dropped as systemd drops it; the
/// number of dropped words is returned for a warning.
std::size_t apply_environment(const MappedText& value, const Specifiers& specifiers,
                              OriginKind kind, Environment& environment,
                              std::vector<FormUse>& forms);

/// One EnvironmentFile= line after specifiers.
struct EnvironmentFileLine {
  std::string path;       ///< absolute; may hold a glob
  bool optional = false;  ///< a leading dash
};

/// Nothing when systemd ignores the line (relative, quoted, with ".."). Errors: kUnsupported as above.
Result<std::optional<EnvironmentFileLine>> parse_environment_file_line(const MappedText& value,
                                                                       const Specifiers& specifiers,
                                                                       std::vector<FormUse>& forms);

/// Names (or NAME=value) of an UnsetEnvironment= or PassEnvironment= line.
std::vector<std::string> parse_name_list(const MappedText& value, const Specifiers& specifiers);

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
  std::size_t config_word = 0;        ///< where it stands
  std::optional<std::string> config_dir;
  std::size_t config_dir_word = 0;
  std::optional<std::string> healthz_port;
  std::optional<std::string> healthz_bind_address;
  std::optional<std::string> dynamic_config_dir;
  std::optional<std::string> lock_file;
  std::optional<std::string> pod_manifest_path;
  std::optional<std::string> read_only_port;
  std::optional<std::string> address;
  std::optional<std::string> hostname_override;
  /// Why this kubelet would end at once over its command line, in its own words; index of the word.
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

}  // namespace kubelet_sysctl
