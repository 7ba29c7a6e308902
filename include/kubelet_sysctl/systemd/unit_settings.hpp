// SPDX-License-Identifier: Apache-2.0
// Which settings of a unit's file a release of systemd takes, and where it stops reading one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/env_file.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"

namespace kubelet_sysctl::systemd {

/// The value of a specifier that systemd cannot resolve for this unit, and over which it refuses the
/// text.
inline constexpr std::string_view kUnresolvable{"\0", 1};

/// One line of an Exec*= setting as systemd takes it.
struct ReadCommands {
  std::vector<StoredCommand> commands;  ///< those before the fault; all where there is none
  std::optional<Error> fault;
  /// systemd reads no further line of that file: a fault of a command without the prefix '-'.
  bool ends_file = false;
  std::vector<FormUse> forms = {};  ///< that releases read differently
};
ReadCommands read_commands(const MappedText& value, const Specifiers& specifiers, int version);

/// What made systemd stop reading a file.
struct Refusal {
  UnitSetting setting;
  Error why;
};

/// One file of a unit, parsed once.
struct ParsedUnitFile {
  std::int32_t source = kNoSource;
  UnitFile written;  ///< all that is in it
  /// The settings of it that systemd takes: up to the first refused command line, without those that it drops one
  /// by one, ExecSearchPath= with what its specifiers stand for. Source: systemd src/core/load-fragment.c,
  /// config_parse_exec(), config_parse_service_type(), config_parse_colon_separated_paths().
  std::vector<UnitSetting> accepted;
  /// The error that stopped it: in the unit's own file that ends the load, in a drop-in nothing more than the rest
  /// of the file.
  std::optional<Refusal> refusal;
  std::vector<FormUse> forms;                    ///< over which some release takes other settings
  std::map<std::size_t, ReadCommands> commands;  ///< of each command line, by its first byte
};
/// Reads `file`, which is the unit's own or a drop-in of it, as systemd `version` does.
ParsedUnitFile parse_file_of_unit(const SourceFile& file, std::int32_t source,
                                  const Specifiers& specifiers, int version);

/// A unit with the files that it reads, each parsed once.
struct ParsedUnit {
  std::vector<ParsedUnitFile> files;  ///< in the order of application
  ServiceSettings settings;           ///< in force, of what systemd takes
  std::map<std::int32_t, Result<EnvFile>>
      environment_files;  ///< by source, as far as they were read
};
/// The commands of one setting of ParsedUnit::files, which is not empty.
const ReadCommands& commands_of(const ParsedUnit& unit, const UnitSetting& setting);
/// The environment file `file`; parsed where `unit` does not have it yet, and kept there.
const Result<EnvFile>& environment_file_of(ParsedUnit& unit, const SourceFile& file,
                                           std::int32_t source, int version);

/// As the functions of these names without a release, which read as kReferenceSystemd does.
UnitFile parse_unit_file(const SourceFile& file, std::int32_t source, int version);
std::size_t apply_environment(const MappedText& value, const Specifiers& specifiers,
                              OriginKind kind, Environment& environment,
                              std::vector<FormUse>& forms, int version);
Result<std::optional<EnvironmentFileLine>> parse_environment_file_line(const MappedText& value,
                                                                       const Specifiers& specifiers,
                                                                       std::vector<FormUse>& forms,
                                                                       int version);
std::vector<std::string> parse_name_list(const MappedText& value, const Specifiers& specifiers,
                                         int version);

}  // namespace kubelet_sysctl::systemd
