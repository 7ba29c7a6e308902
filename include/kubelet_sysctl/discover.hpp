// SPDX-License-Identifier: Apache-2.0
// Reading a node once: from the machine to a NodeSnapshot.
#pragma once

#include <optional>
#include <string>

#include "kubelet_sysctl/configz.hpp"
#include "kubelet_sysctl/error.hpp"
#include "kubelet_sysctl/model.hpp"
#include "kubelet_sysctl/node.hpp"
#include "kubelet_sysctl/ports.hpp"

namespace kubelet_sysctl {

/// Where the release of the kubelet may be learnt. A file keeps what was learnt once, so that most runs do
/// not read a program of 100 MB.
enum class VersionFrom {
  kNowhere,
  kFile,  ///< from what is kept, or from the bytes of the program: nothing is started, for commands that read
  kCache,    ///< from what is kept alone
  kProgram,  ///< as kFile, and else the program is run with --version, if it is no script
};

struct DiscoverOptions {
  std::string unit = {};               ///< --unit; empty: choose_unit()
  std::string root = "/";              ///< only to report it; the FileSystem port is already there
  bool live = true;                    ///< ask the manager and /proc; false with --root
  std::optional<int> systemd_version;  ///< --systemd-version; else asked, else kReferenceSystemd
  bool probe_health = false;           ///< ask the health endpoint once, for `show`
  bool ask_journal =
      true;  ///< false for commands that only read, which start nothing but systemctl
  bool need_process = true;  ///< false for `explain`: no /proc, no kubelet files
  std::optional<KubeletVersion> kubelet_version = {};  ///< --kubelet-version; else learnt
  VersionFrom version_from = VersionFrom::kNowhere;
  ConfigzQuestion configz = {};  ///< ask the live kubelet itself
};

/// Everything the other layers need to know about the node, read once. A missing or masked unit is a
/// fact in the snapshot, not an error; so is a missing file. Errors: kPermission, kIo, kUnsupported from
/// the file system; kNoSystemd, kTimeout from the manager when `live`; kUnsupported when an
/// EnvironmentFile= in force is a pipe or too large to read.
Result<NodeSnapshot> discover(Ports& ports, const DiscoverOptions& options);

/// As discover(), for somebody who may not read everything: what the machine refuses is taken as absent and
/// named in `unreadable`, so that nobody mistakes it for absent. Errors: those of discover() but kPermission.
Result<NodeSnapshot> discover_partly(Ports& ports, const DiscoverOptions& options);

/// Reads what only `doctor` needs: files that the kubelet or the unit passes over, and the last words of a
/// kubelet that does not stay up. Never opens the file of --lock-file, which would end a kubelet with
/// --exit-on-lock-contention. What cannot be read is named in `not_looked`.
void look_closer(Ports& ports, const NodeModel& model, NodeSnapshot& snapshot);

/// Fills in the release of the unit's kubelet, or why it is not known: as options say, by what was kept, by
/// the bytes of the program, or by running it with --version. Never an error. A script is never run. With a release that may be learnt
/// comes the release of the kernel. discover() does this at its end.
void learn_kubelet_version(Ports& ports, const DiscoverOptions& options, NodeSnapshot& snapshot);

/// The unit that runs the kubelet where nobody named one: kubelet.service; where there is none, the only unit
/// on disk that a row of node_kinds() names, or the only one of them that is enabled. "kubelet.service" where
/// there is none either. Errors: kRefused where several could be meant; those of the file system.
Result<std::string> choose_unit(FileSystem& files, int version);

/// Finds a unit as systemd `version` would: search path, aliases, masks, drop-in order. What it reads is
/// added to `files`. Source: systemd src/basic/unit-file.c, src/shared/dropin.c.
Result<UnitOnDisk> find_unit(FileSystem& files, const std::string& name, int version,
                             std::vector<SourceFile>& read);

/// The process with this number, from /proc; nothing when it has ended.
Result<std::optional<Process>> read_process(FileSystem& files, std::int64_t pid);

}  // namespace kubelet_sysctl
