// SPDX-License-Identifier: Apache-2.0
// Reading a node once: from the machine to a NodeSnapshot.
#pragma once

#include <optional>
#include <string>

#include "kubelet_sysctl/error.hpp"
#include "kubelet_sysctl/node.hpp"
#include "kubelet_sysctl/ports.hpp"

namespace kubelet_sysctl {

struct DiscoverOptions {
  std::string unit = "kubelet.service";
  std::string root = "/";              ///< only to report it; the FileSystem port is already there
  bool live = true;                    ///< ask the manager and /proc; false with --root
  std::optional<int> systemd_version;  ///< --systemd-version; else asked, else kReferenceSystemd
  bool probe_health = false;           ///< ask the health endpoint once, for `show`
  bool need_process = true;            ///< false for `explain`: no /proc, no kubelet files
};

/// Everything the other layers need to know about the node, read once. A missing or masked unit is a
/// fact in the snapshot, not an error; so is a missing file. Errors: kPermission, kIo, kUnsupported from
/// the file system; kNoSystemd, kTimeout from the manager when `live`; kUnsupported when an
/// EnvironmentFile= in force is a pipe or too large to read.
Result<NodeSnapshot> discover(Ports& ports, const DiscoverOptions& options);

/// Finds a unit as systemd `version` would: search path, aliases, masks, drop-in order. What it reads is
/// added to `files`. Source: systemd src/basic/unit-file.c, src/shared/dropin.c.
Result<UnitOnDisk> find_unit(FileSystem& files, const std::string& name, int version,
                             std::vector<SourceFile>& read);

/// The process with this number, from /proc; nothing when it has ended.
Result<std::optional<Process>> read_process(FileSystem& files, std::int64_t pid);

}  // namespace kubelet_sysctl
