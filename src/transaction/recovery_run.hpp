// SPDX-License-Identifier: Apache-2.0
// The end of a change that was cut short: what a recovery does otherwise than a change.
#pragma once

#include "apply_run.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {

/// Closes `record` by a plan: it makes no record of its own, and the state in the record stays as it was found
/// until the end, so that a recovery which is cut short too begins again. There is nothing further back.
class RecoveryRun {
 public:
  RecoveryRun(ports::Ports& ports, const nodes::NodeSnapshot& snapshot,
              const model::NodeModel& model, const planning::Plan& plan,
              const discover::DiscoverOptions& discover, const ApplyOptions& options,
              const Transaction& record);
  /// Puts the files of the plan back and sees the kubelet with them.
  Result<Outcome> run();
  /// Restarts nothing: sees that the kubelet that runs has the plan's list and stays so. The outcome is
  /// applied, or rolled back with the cause, and then nothing was done yet.
  Result<Outcome> watch_only();
  /// For a stranded change whose files are another's now: the outcome is applied when the kubelet that runs
  /// was seen to be well, else stranded. The record is left to the caller when it was seen.
  Result<Outcome> see_overtaken();

 private:
  [[nodiscard]] bool must_be_seen() const;
  [[nodiscard]] bool is_stopped() const;
  [[nodiscard]] bool owes_a_kubelet() const;
  bool must_start_again();
  Status put_back();
  Status reload_if_needed();
  Result<Outcome> nothing_to_write();
  Result<Outcome> with_restart();
  Result<Outcome> close(OutcomeKind kind);
  Result<Outcome> closed(Result<Outcome> outcome);
  Result<Outcome> failed(Error cause, const std::string& invocation);
  Outcome stranded(Error cause, const std::string& why);
  Result<Confirmation> watch();
  [[nodiscard]] Error record_stays_open(Error why) const;

  ApplyRun run_;
  Transaction record_;  ///< as it was found
};

}  // namespace kubelet_sysctl::transaction
