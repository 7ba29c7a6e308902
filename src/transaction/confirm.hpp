// SPDX-License-Identifier: Apache-2.0
// Seeing that a kubelet runs with a list, stays and is healthy.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/apply.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"

namespace kubelet_sysctl::transaction {

/// What confirm() must see.
struct Wanted {
  std::string unit;
  std::vector<std::string> list;  ///< the whole list, in order
  std::vector<std::string> argv;  ///< argv that the files give
  std::string health_address;     ///< empty: no endpoint
  int health_port = 0;
  ports::UnitState before;  ///< the unit before the restart
  std::optional<Process> old_process;
  std::vector<std::string> config_files;  ///< files of the config route that the process read
  nodes::KubeletPlace place = nodes::KubeletPlace::kMain;
  std::string becomes = {};  ///< KubeletLauncher::becomes: until then it is not the kubelet yet
};

using GoesOn = std::function<bool(const Wait&)>;

struct Confirmation {
  bool good = false;
  Evidence evidence;
  std::optional<Error> failure;  ///< what was seen instead
  std::string invocation;        ///< of the start that failed, for its last words
};

/// The cause of a way back that a second signal asked for.
Error roll_back_now();

/// Watches the unit after a restart until it is seen to run with the desired list, healthy, the same
/// process for the whole window; or until something speaks against it. Every wait has a deadline.
/// `goes_on` hears of each wait, and ends the watch with false: then the failure is kInterrupted.
Result<Confirmation> confirm(ports::Ports& ports, const Wanted& wanted, Milliseconds timeout,
                             Milliseconds window, const GoesOn& goes_on);

/// What came of it for the list, into the evidence of a change. That the kubelet did not answer joins
/// `findings` once, and is no failure: who may not ask has the other evidence, and without any the list is
/// not seen.
void hear_configz(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                  Evidence& evidence, std::vector<Finding>& findings);

}  // namespace kubelet_sysctl::transaction
