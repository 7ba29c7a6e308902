// SPDX-License-Identifier: Apache-2.0
// What arms the end of a trial and takes it away again.
#pragma once

#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {

/// Arms what ends the trial of `transaction`: a timer of the manager that runs `program` after `duration`,
/// and a unit that runs it after a reboot. The record must be on disk. Errors: kRefused without the path
/// of the program, those of the file system and the manager; nothing is left armed then.
Status arm_trial(ports::Ports& ports, const Transaction& transaction, Milliseconds duration,
                 const std::string& program);
/// Takes both away, the unit only where no other trial of `others` needs it. A timer that has fired is no
/// error.
Status disarm_trial(ports::Ports& ports, const Transaction& transaction,
                    const std::vector<Transaction>& others);

/// Takes the unit away that a trial before may have left, where no trial needs it. Errors: those of the file
/// system and the manager.
Status tidy_trials(ports::Ports& ports);

/// Says that the end of a trial could not be taken away.
Finding not_disarmed(const Error& error);

}  // namespace kubelet_sysctl::transaction
