// SPDX-License-Identifier: Apache-2.0
// What is to be done once for each reading of a node, and a test that counts it.
#pragma once

#include <cstdint>
#include <string_view>

namespace kubelet_sysctl {
inline namespace base {

enum class Counted : std::uint8_t {
  kDiscover,
  kResolve,
  kResolveCommand,
  kKindOf,
  kUnitFile,         ///< with the text that is parsed, as the three below
  kEnvironmentFile,  ///< os-release and machine-info too: they have the same syntax
  kExecLine,
  kKubeletConfig,
};

using CountHook = void (*)(Counted what, std::string_view text);

/// The one variable of the pure rooms that no argument leads to, and the program never sets it:
/// a counter that is passed would be an argument of every parser and of all who call one. Of a
/// thread, so that tests at work beside each other do not count each other's.
inline constinit thread_local CountHook count_hook = nullptr;

/// One comparison where no test listens.
inline void counted(Counted what, std::string_view text = {}) {
  if (count_hook != nullptr) count_hook(what, text);
}

}  // namespace base
}  // namespace kubelet_sysctl
