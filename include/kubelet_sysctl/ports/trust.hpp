// SPDX-License-Identifier: Apache-2.0
// Whether another user can write what root is about to believe.
#pragma once

#include <string>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::ports {

/// What an adapter of FileSystem offers as well when its files have owners.
class TrustReader {
 public:
  virtual ~TrustReader() = default;
  /// Good when `path` is owned by the effective user or root and no other user can write it, and neither any
  /// directory or link on the way to it, from the root directory on. What does not exist is good when
  /// no other user can make it. A directory on the way may be writable for the user's own group, and for
  /// everyone when it is sticky, as /tmp is. Errors: kRefused with the reason, kPermission, kIo.
  /// Source: sudo lib/util/secure_path.c; OpenSSH misc.c safe_path().
  virtual Status check_trusted(const std::string& path) = 0;
};

/// check_trusted() of `files`; good when its files have no owners.
Status check_trusted(FileSystem& files, const std::string& path);

}  // namespace kubelet_sysctl::ports
