// SPDX-License-Identifier: Apache-2.0
// Reading a node once: from the machine to a NodeSnapshot.
#pragma once

#include <optional>
#include <string>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/discover/kubelet_version.hpp"
#include "kubelet_sysctl/kubelet/configz.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::discover {

struct DiscoverOptions {
  std::string unit = {};               ///< --unit; empty: choose_unit()
  std::string root = "/";              ///< only to report it; the FileSystem port is already there
  bool live = true;                    ///< ask the manager and /proc; false with --root
  std::optional<int> systemd_version;  ///< --systemd-version; else asked, else kReferenceSystemd
  bool ask_journal =
      true;  ///< false for commands that only read, which start nothing but systemctl
  bool need_process = true;  ///< false for `explain`: no /proc, no kubelet files
  std::optional<sysctl::KubeletVersion> kubelet_version = {};  ///< --kubelet-version; else learnt
  VersionFrom version_from = VersionFrom::kNowhere;
  kubelet::ConfigzQuestion configz = {};  ///< ask the live kubelet itself
};

/// Everything the other layers need to know about the node, read once. A missing or masked unit is a
/// fact in the snapshot, not an error; so is a missing file. Errors: kPermission, kIo, kUnsupported from
/// the file system; kNoSystemd, kTimeout from the manager when `live`; kUnsupported when an
/// EnvironmentFile= in force is a pipe or too large to read.
Result<nodes::NodeSnapshot> discover(ports::Ports& ports, const DiscoverOptions& options);

/// As discover(), for a user who may not read everything: what the machine refuses is taken as absent and
/// named in `unreadable`, so that nobody mistakes it for absent. Errors: those of discover() but kPermission.
Result<nodes::NodeSnapshot> discover_partly(ports::Ports& ports, const DiscoverOptions& options);

/// Reads what only `doctor` needs: files that the kubelet or the unit passes over, and the last words of a
/// kubelet that does not stay up. Never opens the file of --lock-file, which would end a kubelet with
/// --exit-on-lock-contention. What cannot be read is named in `not_inspected`.
void read_doctor_facts(ports::Ports& ports, const model::NodeModel& model,
                       nodes::NodeSnapshot& snapshot);

/// The unit that runs the kubelet where nobody named one: kubelet.service; where there is none, the only unit
/// on disk that a row of node_kinds() names, or the only one of them that is enabled. "kubelet.service" where
/// there is none either. Errors: kRefused where several could be meant; those of the file system.
Result<std::string> choose_unit(ports::FileSystem& files, int version);

}  // namespace kubelet_sysctl::discover
