// SPDX-License-Identifier: Apache-2.0
// Carrying out a plan: lock, journal, write, reload, restart, confirm, or put everything back.
#pragma once

#include <functional>
#include <string>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {

/// What a run waits for at this moment.
struct Wait {
  std::string what;  ///< "watching health"
  Milliseconds waited{0};
  Milliseconds most{0};
  bool is_window = false;  ///< it lasts that long; else it ends as soon as it can
  Milliseconds left{0};    ///< the longest until the end of the run
};

struct ApplyOptions {
  bool dry_run = false;
  bool restart = true;           ///< false: --no-restart
  bool rollback = true;          ///< false: --no-rollback
  Milliseconds timeout{120000};  ///< from the restart to the first healthy answer
  Milliseconds window{10000};    ///< how long it must then stay the same and healthy
  Author author;
  std::string undoes;                 ///< id of the transaction that the plan puts back
  std::optional<Milliseconds> trial;  ///< the change ends by itself after this, unless it is kept
  std::string program;                ///< path of this program, for the timer of a trial
  /// Called when a step begins ("restart kubelet.service") and when it ended; for live progress.
  std::function<void(const std::string&)> on_begin;
  std::function<void(const Step&)> on_end;
  /// Called again and again while a run waits, some 50 to 500 ms apart.
  std::function<void(const Wait&)> on_wait;
  /// Called when a signal came while the run waits, with what it does about it.
  std::function<void(const std::string&)> on_signal;
};

/// Carries out `plan` on the node that `snapshot` was read from. The caller holds the lock and read the
/// snapshot under it.
/// An Error means that nothing was changed. Everything after the first write ends in an Outcome: applied
/// and seen, pending, rolled back and seen, or stranded with the commands that fix it.
Result<Outcome> apply(ports::Ports& ports, const nodes::NodeSnapshot& snapshot,
                      const model::NodeModel& model, const planning::Plan& plan,
                      const discover::DiscoverOptions& discover, const ApplyOptions& options);

}  // namespace kubelet_sysctl::transaction
