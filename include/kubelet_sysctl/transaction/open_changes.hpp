// SPDX-License-Identifier: Apache-2.0
// Changes that are not at their end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {

/// When a history is reported, and under which boot of the kernel: so a trial still runs, or is over.
struct Moment {
  std::int64_t now_ms = 0;  ///< wall clock, since the epoch, UTC
  std::string boot_id;
  /// What the run that holds the lock does: "add kernel.msgmax, pid 272, since 4 s"; empty when none is at
  /// work. The open records are in its hands then.
  std::string in_progress = {};
};

/// Changes that are not at their end.
struct OpenChanges {
  std::string in_progress;              ///< what another run does now, "" when none is at work
  std::vector<Transaction> unfinished;  ///< those that `recover` closes; newest last
  std::vector<Transaction> trials;      ///< those that run; newest last
};
OpenChanges open_changes(const std::vector<Transaction>& transactions, const Moment& moment);

/// True for a trial that is over and that nobody undid yet.
bool is_late_trial(const Transaction& one, const Moment& moment);

}  // namespace kubelet_sysctl::transaction
