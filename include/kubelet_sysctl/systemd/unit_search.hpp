// SPDX-License-Identifier: Apache-2.0
// Where a unit is on disk, found as systemd would find it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"

namespace kubelet_sysctl::systemd {

enum class UnitLoad { kLoaded, kNotFound, kMasked, kBroken };

/// Where a unit is on disk, found as systemd would find it.
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

/// Finds a unit as systemd `version` would: search path, aliases, masks, drop-in order. What it reads is
/// added to `files`. Source: systemd src/basic/unit-file.c, src/shared/dropin.c.
Result<UnitOnDisk> find_unit(ports::FileSystem& files, const std::string& name, int version,
                             std::vector<SourceFile>& read);

}  // namespace kubelet_sysctl::systemd
