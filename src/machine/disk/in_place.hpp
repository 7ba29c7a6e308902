// SPDX-License-Identifier: Apache-2.0
// Writing into a file itself, where another one cannot take its place.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/machine/disk/target.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {

/// Opens the file for writing and has the blocks for `bytes` set aside; commit() writes. Errors as
/// FileSystem::stage().
Result<std::unique_ptr<ports::StagedWrite>> stage_in_place(Target target, const SourceFile& before,
                                                           const SharedText& bytes);

/// Makes `bytes` all that `fd` holds, on the disk too. Returns 0 or errno.
int overwrite(int fd, std::string_view bytes);

}  // namespace kubelet_sysctl::machine
