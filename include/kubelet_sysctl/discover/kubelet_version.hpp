// SPDX-License-Identifier: Apache-2.0
// The release of the node's kubelet.
#pragma once

#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {

/// Where the release of the kubelet may be learnt. A file keeps what was learnt once, so that most runs do
/// not read a program of 100 MB.
enum class VersionFrom {
  kNowhere,
  kFile,  ///< from what is kept, or from the bytes of the program: nothing is started, for commands that read
  kCache,    ///< from what is kept alone
  kProgram,  ///< as kFile, and else the program is run with --version, if it is no script
};

struct DiscoverOptions;

/// Fills in the release of the unit's kubelet, or why it is not known: as options say, by what was kept, by
/// the bytes of the program, or by running it with --version. Never an error. A script is never run. With a release that may be learnt
/// comes the release of the kernel. discover() does this at its end.
void learn_kubelet_version(ports::Ports& ports, const DiscoverOptions& options,
                           nodes::NodeSnapshot& snapshot);

}  // namespace kubelet_sysctl::discover
