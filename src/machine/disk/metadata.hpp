// SPDX-License-Identifier: Apache-2.0
// What a file has besides its bytes, carried from one inode to the next.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"

namespace kubelet_sysctl::machine {

/// The extended attributes of the file: POSIX ACLs and SELinux labels are attributes too. Without
/// those that the kernel computes from the content. `path` is for messages. Errors: kPermission,
/// kIo.
Result<std::vector<ExtendedAttribute>> attributes_of(int fd, const std::string& path);

/// Gives the file `to` the owner, the attributes (no others) and the mode of `meta`. To be called
/// after the last write, because a write takes some of them away. Errors: kPermission, kIo.
Status give_metadata(int to, const FileMeta& meta, const std::string& path);

/// The same with all that the file `from` has; `facts` are its.
Status copy_metadata(int from, int to, const struct stat& facts, const std::string& path);

}  // namespace kubelet_sysctl::machine
