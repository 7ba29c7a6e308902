// SPDX-License-Identifier: Apache-2.0
// What the program finds itself in.
#pragma once

namespace kubelet_sysctl::machine {

/// As far as the environment of the program says: the processes of a pod have variables of their own.
enum class RuntimeEnvironment { kMachine, kPod, kFargate };

}  // namespace kubelet_sysctl::machine
