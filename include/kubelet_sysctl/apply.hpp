// SPDX-License-Identifier: Apache-2.0
// Carrying out a plan: lock, journal, write, reload, restart, confirm, or put everything back.
#pragma once

#include <functional>
#include <string>

#include "kubelet_sysctl/discover.hpp"
#include "kubelet_sysctl/kubelet_host.hpp"
#include "kubelet_sysctl/model.hpp"
#include "kubelet_sysctl/outcome.hpp"
#include "kubelet_sysctl/plan.hpp"
#include "kubelet_sysctl/ports.hpp"
#include "kubelet_sysctl/transaction.hpp"

namespace kubelet_sysctl {

struct ApplyOptions {
  bool dry_run = false;
  bool restart = true;           ///< false: --no-restart
  bool rollback = true;          ///< false: --no-rollback
  Milliseconds timeout{120000};  ///< from the restart to the first healthy answer
  Milliseconds window{10000};    ///< how long it must then stay the same and healthy
  Author author;
  std::string undoes;  ///< id of the transaction that the plan puts back
  /// A transaction that never came to its end and that the plan undoes: it is closed as rolled back, and
  /// no new one is made.
  std::optional<Transaction> recovers;
  std::optional<Milliseconds> trial;  ///< the change ends by itself after this, unless it is kept
  std::string program;                ///< path of this program, for the timer of a trial
  /// Called when a step begins ("restart kubelet.service") and when it ended; for live progress.
  std::function<void(const std::string&)> on_begin;
  std::function<void(const Step&)> on_end;
};

/// Carries out `plan` on the node that `snapshot` was read from. The caller holds the lock and read the
/// snapshot under it.
/// An Error means that nothing was changed. Everything after the first write ends in an Outcome: applied
/// and seen, pending, rolled back and seen, or stranded with the commands that mend it.
Result<Outcome> apply(Ports& ports, const NodeSnapshot& snapshot, const NodeModel& model,
                      const Plan& plan, const DiscoverOptions& discover,
                      const ApplyOptions& options);

/// What confirm() must see.
struct Wanted {
  std::string unit;
  std::vector<std::string> list;  ///< the whole list, in order
  std::vector<std::string> argv;  ///< argv that the files give
  std::string health_address;     ///< empty: no endpoint
  int health_port = 0;
  UnitState before;  ///< the unit before the restart
  std::optional<Process> old_process;
  std::vector<std::string> config_files;  ///< files of the config route that the process read
  KubeletPlace place = KubeletPlace::kMain;
  std::string becomes = {};  ///< KubeletHost::becomes: until then it is not the kubelet yet
};

struct Confirmation {
  bool good = false;
  Evidence evidence;
  std::optional<Error> failure;  ///< what was seen instead
  std::string invocation;        ///< of the start that failed, for its last words
};

/// Watches the unit after a restart until it is seen to run with the wished list, healthy, the same
/// process for the whole window; or until something speaks against it. Every wait has a deadline.
Result<Confirmation> confirm(Ports& ports, const Wanted& wanted, Milliseconds timeout,
                             Milliseconds window);

/// What known last words of a kubelet mean: "an entry outside the namespaced groups", or empty.
std::string recognise(const std::vector<std::string>& last_words);

}  // namespace kubelet_sysctl
