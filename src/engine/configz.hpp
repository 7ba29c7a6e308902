// SPDX-License-Identifier: Apache-2.0
// Asks the live kubelet for the configuration that it runs with.
#pragma once

#include <vector>

#include "kubelet_sysctl/configz.hpp"
#include "kubelet_sysctl/model.hpp"
#include "kubelet_sysctl/node.hpp"
#include "kubelet_sysctl/outcome.hpp"
#include "kubelet_sysctl/ports.hpp"

namespace kubelet_sysctl {

/// Where the question is wanted and a kubelet runs, fills in NodeSnapshot::configz: what the process of the
/// snapshot answered, or why nothing can be told. A kubelet that has just been started is asked again for
/// some seconds. Never an error: whoever may not ask has the other evidence.
void ask_configz(Ports& ports, const ConfigzQuestion& question, NodeSnapshot& snapshot);

/// What came of it for the list, into the evidence of a change. That the kubelet did not answer joins
/// `findings` once, and is no failure: who may not ask has the other evidence, and without any the list is
/// not seen.
void hear_configz(const NodeSnapshot& snapshot, const NodeModel& model, Evidence& evidence,
                  std::vector<Finding>& findings);

}  // namespace kubelet_sysctl
