// SPDX-License-Identifier: Apache-2.0
// Facts of one node as they were read, and the table of node kinds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/kubelet/configz.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"

namespace kubelet_sysctl::nodes {

/// One step of the walk through --config-dir.
struct WalkEntry {
  std::string path;
  std::int32_t source = kNoSource;  ///< kNoSource for a file that is not read (no ".conf")
};

/// The health endpoint as it was asked once; for `show`.
struct HealthSeen {
  bool ok = false;
  std::string detail;  ///< "ok", "http 500", "connection refused", …
};

/// What only `doctor` reads.
struct DoctorFacts {
  std::int64_t taken_at_ms = 0;            ///< wall clock when it looked
  std::vector<std::string> last_words;     ///< of a unit that does not stay up, oldest first
  std::string recognised;                  ///< what they mean; empty when no line is known
  std::vector<std::string> not_inspected;  ///< "PATH: why", of files beside the list's own
};

struct NodeKind;

/// What had to be known to read on: worked out once, by discover(), and taken over by resolve(). Who changes a
/// text takes out what was made of it; what is not here is made again.
struct ReadOn {
  systemd::ParsedUnit unit;
  const NodeKind* kind = nullptr;
  std::optional<systemd::CommandLine> command;  ///< that the unit runs
};

/// Everything that was read, once. Nothing in it but ReadOn is computed; resolve() does that.
struct NodeSnapshot {
  std::string root = "/";
  int systemd_version = 252;
  bool systemd_version_known = false;
  systemd::UnitOnDisk unit;
  std::vector<SourceFile> files;                              ///< CharOrigin::source indexes this
  std::map<std::string, std::vector<std::string>> globs;      ///< EnvironmentFile= pattern -> paths
  std::map<std::string, std::vector<WalkEntry>> config_dirs;  ///< --config-dir -> its walk
  std::vector<std::int32_t> launcher_files;  ///< what KubeletLauncher::paths named, absent ones too
  std::map<std::string, std::vector<std::string>>
      listings;                          ///< directory of a launcher -> names in it
  std::map<std::string, bool> programs;  ///< program path (or bare name) -> can be started
  std::map<std::string, bool> markers;   ///< paths that distinguish node kinds -> exists
  /// A kubelet outside the unit, searched for where there is no unit: "pid 4021, in the control group '/docker/…'".
  std::string kubelet_elsewhere;
  systemd::Specifiers specifiers;
  std::vector<std::string> manager_environment;  ///< NAME=value each
  std::string os_id;                             ///< ID= of /etc/os-release
  bool live = false;                             ///< a manager answered; the rest is of it
  std::optional<ports::UnitState> state;
  std::optional<Process> process;  ///< the kubelet's: where it is, KubeletLauncher::place says
  /// Words of the kubelet, its name first, as its launcher logged them for this start.
  std::optional<std::vector<std::string>> logged_argv;
  std::int64_t logged_at_ms =
      0;  ///< wall clock of that line, UTC: then the kubelet began to read its files
  std::string process_cwd;  ///< its working directory, for relative paths
  std::optional<HealthSeen> health;
  std::optional<kubelet::ConfigzSeen> configz;  ///< what the process itself said, when it was asked
  std::optional<sysctl::KubeletVersion>
      kubelet_version;                  ///< of the unit's program, or --kubelet-version
  std::string kubelet_version_why;      ///< why it is not known; empty otherwise
  sysctl::KernelReport kernel;          ///< of the list, when it was asked for
  std::optional<DoctorFacts> doctor;    ///< filled by read_doctor_facts()
  std::vector<std::string> unreadable;  ///< what this user may not read: taken as absent
  std::vector<std::int32_t>
      desired_files;                   ///< files of the desired list that exist, in merging order
  std::optional<Error> desired_fault;  ///< why one of them could not be read
  std::int64_t read_at_ms = 0;         ///< wall clock when all this was read, UTC
  ReadOn known;
};

/// The file with this path or real path among those read; nullptr when it was not searched for.
const SourceFile* find_file(const NodeSnapshot& snapshot, std::string_view path);
std::int32_t find_source(const NodeSnapshot& snapshot, std::string_view path);

/// The unit's own file and its drop-ins: those of ReadOn, and the others parsed.
systemd::ParsedUnit parsed_unit_of(const NodeSnapshot& snapshot);
/// Takes out of ReadOn what was made of the text of file `source`.
void forget_text(NodeSnapshot& snapshot, std::int32_t source);

}  // namespace kubelet_sysctl::nodes
