// SPDX-License-Identifier: Apache-2.0
// The words for the kinds of failure, and the end of a run whose own invariants broke.
#include "kubelet_sysctl/base/error.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace kubelet_sysctl {
inline namespace base {

const char* name_of(ErrorKind kind) {
  // In the order of ErrorKind.
  constexpr std::array kNames = {
      "usage",    "bad-entry", "malformed",  "not-found", "permission", "unsupported", "refused",
      "conflict", "io",        "no-systemd", "timeout",   "locked",     "interrupted"};
  return kNames[static_cast<std::size_t>(kind)];
}

// Plain stdio: the heap or the formatter may be what is broken.
void bug(const char* what, const char* file, int line) {
  std::fprintf(stderr, "kubelet-sysctl: bug: %s (%s:%d)\n", what, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace base
}  // namespace kubelet_sysctl
