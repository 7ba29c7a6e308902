// SPDX-License-Identifier: Apache-2.0
// From ExecStart= and the environment to the words that the kubelet gets, each with its origin.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/env_file.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"

namespace kubelet_sysctl::systemd {

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

/// The commands of one ExecStart= line (more than one only where `;` is a word).
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

/// The command line that systemd would run now, from the files.
struct CommandLine {
  std::string program;
  std::vector<Word> words;      ///< argv, argv[0] first
  std::vector<Origin> origins;  ///< one for each word
  Environment environment;
  std::vector<std::string> unset;  ///< variables the command names that nothing sets
  std::vector<EnvironmentFileLine> environment_files;  ///< in order, after specifiers
  std::size_t dropped_assignments = 0;                 ///< words of Environment= that systemd drops
  std::int32_t exec_source = kNoSource;                ///< file of the ExecStart= line in force
  UnitSetting exec_setting;                            ///< that line
  bool no_variables = false;                           ///< prefix ':'
  std::vector<UnitSetting> mounts;                     ///< ServiceSettings::mounts
  ports::LoadedCommand loaded;                         ///< what a reload would load
};

}  // namespace kubelet_sysctl::systemd
