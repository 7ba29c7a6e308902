// SPDX-License-Identifier: Apache-2.0
// The file that a change is about, found and compared with what was read.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/machine/disk/rooted_paths.hpp"
#include "kubelet_sysctl/machine/fd.hpp"

namespace kubelet_sysctl::machine {

/// The file to change, opened for reading, and the directory that holds it.
struct Target {
  UniqueFd directory;
  std::string name;
  UniqueFd file;
  struct stat facts = {};
};

/// "the file was changed since it was read": kConflict.
Error conflict(const SourceFile& before, std::string_view how);

/// Opens the file that was read as `before`. Errors: kConflict when the disk holds something else
/// now, kUnsupported when it was no regular file, kPermission, kIo.
Result<Target> open_target(const RootedPaths& paths, const SourceFile& before);

/// Opens `name` for reading if it still is the file `before`. Errors: kConflict, kPermission, kIo.
Result<UniqueFd> open_unchanged(int directory, const std::string& name, const SourceFile& before);

/// Whether the file itself is a mount (docker -v FILE:FILE). Nothing where the kernel does not
/// tell: before Linux 5.8.
std::optional<bool> is_mount(int directory, const std::string& name);

}  // namespace kubelet_sysctl::machine
