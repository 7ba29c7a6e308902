// SPDX-License-Identifier: Apache-2.0
// Facts of one node as they were read, and the table of node kinds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/advice.hpp"
#include "kubelet_sysctl/command_line.hpp"
#include "kubelet_sysctl/configz.hpp"
#include "kubelet_sysctl/kernel.hpp"
#include "kubelet_sysctl/kubelet_rules.hpp"
#include "kubelet_sysctl/ports.hpp"
#include "kubelet_sysctl/procfs.hpp"
#include "kubelet_sysctl/source.hpp"

namespace kubelet_sysctl {

enum class UnitLoad { kLoaded, kNotFound, kMasked, kBroken };

/// Where a unit stands on disk, found as systemd would find it.
struct UnitOnDisk {
  UnitLoad load = UnitLoad::kNotFound;
  std::string name;                    ///< as asked for
  std::string id;                      ///< name of the fragment
  std::vector<std::string> names;      ///< all names that lead to it
  std::string fragment_path;           ///< as systemd reports it; also of a masked unit
  std::int32_t fragment = kNoSource;   ///< index into NodeSnapshot::files
  std::vector<std::int32_t> drop_ins;  ///< in the order of application
  std::vector<FormUse> forms;          ///< of the search itself, for old releases
};

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
  std::int64_t taken_at_ms = 0;         ///< wall clock when it looked
  std::vector<std::string> last_words;  ///< of a unit that does not stay up, oldest first
  std::string recognised;               ///< what they mean; empty when no line is known
  std::vector<std::string> not_looked;  ///< "PATH: why", of files beside the list's own
};

/// Everything that was read, once. Nothing in it is computed; resolve() does that.
struct NodeSnapshot {
  std::string root = "/";
  int systemd_version = 252;
  bool systemd_version_known = false;
  UnitOnDisk unit;
  std::vector<SourceFile> files;                              ///< CharOrigin::source indexes this
  std::map<std::string, std::vector<std::string>> globs;      ///< EnvironmentFile= pattern -> paths
  std::map<std::string, std::vector<WalkEntry>> config_dirs;  ///< --config-dir -> its walk
  std::vector<std::int32_t> host_files;  ///< what KubeletHost::paths named, absent ones too
  std::map<std::string, std::vector<std::string>> listings;  ///< directory of a host -> names in it
  std::map<std::string, bool> programs;  ///< program path (or bare name) -> can be started
  std::map<std::string, bool> markers;   ///< paths that tell node kinds apart -> exists
  /// A kubelet outside the unit, looked for where there is no unit: "pid 4021, in the control group '/docker/…'".
  std::string kubelet_elsewhere;
  Specifiers specifiers;
  std::vector<std::string> manager_environment;  ///< NAME=value each
  std::string os_id;                             ///< ID= of /etc/os-release
  bool live = false;                             ///< a manager answered; the rest is of it
  std::optional<UnitState> state;
  std::optional<Process> process;  ///< the kubelet's: where it is, KubeletHost::place says
  /// Words of the kubelet, its name first, as its host logged them for this start.
  std::optional<std::vector<std::string>> logged_argv;
  std::int64_t logged_at_ms =
      0;  ///< wall clock of that line, UTC: then the kubelet began to read its files
  std::string process_cwd;  ///< its working directory, for relative paths
  std::optional<HealthSeen> health;
  std::optional<ConfigzSeen> configz;  ///< what the process itself said, when it was asked
  std::optional<KubeletVersion> kubelet_version;  ///< of the unit's program, or --kubelet-version
  std::string kubelet_version_why;                ///< why it is not known; empty otherwise
  KernelReport kernel;                            ///< of the list, when it was asked for
  std::optional<DoctorFacts> doctor;              ///< filled by look_closer()
  std::vector<std::string> unreadable;            ///< what this user may not read: taken as absent
  std::vector<std::int32_t> wish_files;  ///< files of the wished list that exist, in merging order
  std::optional<Error> wish_fault;       ///< why one of them could not be read
  std::int64_t read_at_ms = 0;           ///< wall clock when all this was read, UTC
};

/// The file with this path or real path among those read; nullptr when it was not looked for.
const SourceFile* find_file(const NodeSnapshot& snapshot, std::string_view path);
std::int32_t find_source(const NodeSnapshot& snapshot, std::string_view path);

struct KubeletHost;

/// One kind of node: how it is told, where its list belongs, who rewrites what.
struct NodeKind {
  std::string_view id;     ///< "kops"
  std::string_view title;  ///< "kOps"
  /// True when the snapshot is of this kind.
  bool (*matches)(const NodeSnapshot&);
  std::string_view variable;  ///< the variable for the args route; empty: found from the command
  std::string_view
      new_list_route;  ///< where a list goes when none exists: "config", "args", "config-dir"
  std::string_view rewritten_by;      ///< who rewrites the files and when; empty when nobody does
  std::string_view rewritten;         ///< paths that are rewritten, separated by blanks
  std::string_view vendor_route;      ///< the lasting way, for the operator to read
  bool refuse = false;                ///< another manager owns the node: no edit at all
  const KubeletHost* host = nullptr;  ///< what runs the kubelet; nullptr: the unit itself does
  /// Units that run the kubelet where there is no kubelet.service, separated by blanks.
  std::string_view units = {};
  /// The lasting way with the whole list filled in; nullptr where there is none to fill in.
  Advice (*advise)(const std::vector<std::string>& list) = nullptr;
  /// A file of this node that whoever rewrites the list reads: written with --lasting. Empty: there is none.
  std::string_view lasting_file = {};
  /// Its whole text; nullptr: it is a part of a KubeletConfiguration, and other keys in it are kept.
  std::string (*lasting_text)(const std::vector<std::string>& list) = nullptr;
  std::string_view lasting_needs = {};  ///< what must be done for that file to count
};

/// All kinds, most specific first; the last one, "unknown", matches everything.
const std::vector<NodeKind>& node_kinds();
const NodeKind& kind_of(const NodeSnapshot& snapshot);
/// Paths whose existence the kinds ask for; discover() looks for each.
const std::vector<std::string>& kind_markers();

}  // namespace kubelet_sysctl
