// SPDX-License-Identifier: Apache-2.0
// The syntax of unit files, where systemd searches for them, and how a unit and its drop-ins add up.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"

namespace kubelet_sysctl::systemd {

/// One `Key=value` line. Continued lines are joined; the value is stripped of blanks at both ends.
struct UnitSetting {
  std::string section;
  std::string key;
  MappedText value;
  Span line_at;  ///< bytes from the key to the end of the value, continuation lines included
};

struct UnitFile {
  std::vector<UnitSetting> settings;
  std::vector<FormUse> forms;
  /// Why systemd gives the file up; the settings before that point are kept, since they count in a
  /// drop-in and not in a fragment.
  std::optional<Error> broken;
};

/// Source: systemd src/shared/conf-parser.c, src/basic/fileio.c.
UnitFile parse_unit_file(const SourceFile& file, std::int32_t source);

/// The settings of [Service] that decide the command line, after the unit and its drop-ins were applied
/// in order, resets included.
struct ServiceSettings {
  std::vector<UnitSetting> exec_start;
  std::vector<UnitSetting> environment;
  std::vector<UnitSetting> environment_files;
  std::vector<UnitSetting> pass_environment;
  std::vector<UnitSetting> unset_environment;
  std::vector<UnitSetting> exec_search_path;
  std::vector<UnitSetting> mounts;  ///< what puts other files before the service than the node has
  std::string type;                 ///< Type= in force, "simple" when none is given
  std::string user;                 ///< User= in force; empty when none is given
};

/// Adds the settings of one file to what the files before it set.
void apply_settings(const std::vector<UnitSetting>& file, ServiceSettings& settings);

/// Directories that systemd `version` searches for units of the system manager, highest priority first.
/// Source: systemd src/basic/path-lookup.c; /lib/systemd/system is dropped from 255 on.
std::vector<std::string> unit_search_path(int version);

/// Names of the drop-in directories of a unit name, most specific first: "a-b.service.d",
/// "a-.service.d"; an instance also has its template's. Without "service.d", which comes last of all.
/// Source: systemd src/shared/dropin.c.
std::vector<std::string> drop_in_directories(std::string_view unit_name);

/// True when a name in a drop-in directory counts: ends in ".conf", does not begin with a dot.
bool is_drop_in_name(std::string_view name);

/// True for a path that belongs to packages: below /usr/lib, /lib, /usr/local/lib.
bool is_vendor_path(std::string_view path);

}  // namespace kubelet_sysctl::systemd
