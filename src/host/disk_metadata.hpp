// SPDX-License-Identifier: Apache-2.0
// What a file has besides its bytes, carried from one inode to the next.
#pragma once

#include <sys/stat.h>

#include <string>

#include "kubelet_sysctl/error.hpp"

namespace kubelet_sysctl {

/// Gives the file `to` the owner, the mode (`facts`) and every extended attribute of the file
/// `from`: POSIX ACLs and SELinux labels are attributes too. To be called after the last write,
/// because a write takes some of them away. `path` is for messages. Errors: kPermission, kIo.
Status copy_metadata(int from, int to, const struct stat& facts, const std::string& path);

}  // namespace kubelet_sysctl
