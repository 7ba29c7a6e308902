// SPDX-License-Identifier: Apache-2.0
// The words for the kinds of failure, and the end of a run whose own invariants broke.
#include "kubelet_sysctl/base/error.hpp"

#include <cstdio>
#include <cstdlib>

namespace kubelet_sysctl {
inline namespace base {

const char* name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return "usage";
    case ErrorKind::kBadEntry:
      return "bad-entry";
    case ErrorKind::kMalformed:
      return "malformed";
    case ErrorKind::kNotFound:
      return "not-found";
    case ErrorKind::kPermission:
      return "permission";
    case ErrorKind::kUnsupported:
      return "unsupported";
    case ErrorKind::kRefused:
      return "refused";
    case ErrorKind::kConflict:
      return "conflict";
    case ErrorKind::kIo:
      return "io";
    case ErrorKind::kNoSystemd:
      return "no-systemd";
    case ErrorKind::kTimeout:
      return "timeout";
    case ErrorKind::kLocked:
      return "locked";
    case ErrorKind::kInterrupted:
      return "interrupted";
  }
  bug("an ErrorKind without a name");
}

// Plain stdio: the heap or the formatter may be what is broken.
void bug(const char* what, const char* file, int line) {
  std::fprintf(stderr, "kubelet-sysctl: bug: %s (%s:%d)\n", what, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace base
}  // namespace kubelet_sysctl
