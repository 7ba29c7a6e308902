// SPDX-License-Identifier: Apache-2.0
// What a release of the kubelet exits with over a flag that is spelt as a flag should be.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::kubelet {

struct FlagFault {
  std::size_t word = 0;
  std::string why;  ///< in pflag's words
};

/// The first flag that this release does not have, or whose value it cannot read; then one that makes it
/// print something and end. Nothing that is found behind what `flags` says to be fatal. Where the release is
/// not known, flags alone that no release takes. `running` are the words of a kubelet that runs, whose flags
/// its release has. An empty value is not judged where `filled_later`: a variable that nothing sets here.
std::optional<FlagFault> flag_fault(const KubeletFlags& flags,
                                    const std::optional<sysctl::KubeletVersion>& version,
                                    const std::vector<std::string>& running, bool filled_later);

}  // namespace kubelet_sysctl::kubelet
