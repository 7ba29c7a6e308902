// SPDX-License-Identifier: Apache-2.0
// One run of apply(): what it knows on its way forward, and back.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "confirm.hpp"
#include "kubelet_sysctl/base/entry_list.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/apply.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {

/// What a start is to show: the list forward with the plan, or the one before it.
struct Direction {
  EntryList list;
  std::vector<std::string> argv;  // empty: a wrapper starts the kubelet, its words are not known
  bool files_route = false;       // the list comes from files, not from the arguments
};

using StagedWrites = std::vector<std::unique_ptr<ports::StagedWrite>>;

/// Carries one plan out. The way forward is in apply.cpp, the way back in rollback.cpp; what a recovery does
/// otherwise is in recovery_run.cpp.
class ApplyRun {
 public:
  ApplyRun(ports::Ports& ports, const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
           const planning::Plan& plan, const discover::DiscoverOptions& discover,
           const ApplyOptions& options);
  Result<Outcome> run();

 private:
  friend class RecoveryRun;
  using Action = std::function<Status()>;

  Status step(const std::string& what, const std::string& done, const Action& action);
  bool goes_on(const Wait& wait);
  [[nodiscard]] std::string answer_to_signal(const Wait& wait) const;
  Status restart_unit(Milliseconds patience);
  [[nodiscard]] bool can_roll_back() const;
  [[nodiscard]] bool restarts() const;
  Status preflight(bool restart);
  Status check_not_interrupted();
  Status remove(const SourceFile& before, bool and_directory);
  std::size_t made_with(const std::string& path);
  Status check_confirmable();
  bool is_healthy();
  Status begin(bool restart);
  Status keep_traits(JournalFile& file, const planning::FileEdit& edit);
  Status arm(Milliseconds duration);
  void disarm(const Transaction& trial);
  void close_undone_trial();
  Status mark(TransactionState state);
  [[nodiscard]] TransactionState state_of_success() const;
  Status stage(StagedWrites& staged);
  Status write_one(const planning::FileEdit& edit, ports::StagedWrite* staged);
  Status write_again(const planning::FileEdit& edit);
  Status write(StagedWrites& staged, int tries);
  Result<Outcome> nothing_to_write();
  Error nothing_was_written(Error cause);
  void finish(Outcome& outcome, std::string what);
  void say_signal(Outcome& outcome);
  [[nodiscard]] bool must_reload() const;
  Status reload();
  Result<Outcome> without_restart();
  Result<Outcome> with_restart();
  Result<Wanted> wanted_of(const Direction& way);
  Result<Confirmation> restart_and_confirm(const Direction& way, bool forward);
  Result<Confirmation> watch(const Direction& way, const Wanted& wanted, Milliseconds timeout);
  void see_again(const Direction& way, Confirmation& seen);
  std::string invocation_now();
  [[nodiscard]] Direction direction(const EntryList& list,
                                    const std::vector<std::string>& argv) const;
  [[nodiscard]] std::vector<std::string> config_files() const;
  void outlive_grain_of_clock();
  void warn_record_not_closed(const std::string& what, const Error& error);

  std::optional<nodes::HealthSeen> see_health();
  void say_that_it_is_down();
  std::vector<std::string> commands_for(const std::vector<FileNow>& files, bool spare_others) const;
  std::vector<FileNow> files_now();
  Status restore();
  Status restore_one(const JournalFile& file);
  Result<Outcome> finish_failed_write(Error cause);
  void take_last_words(const std::string& invocation);
  Result<Outcome> roll_back(Error cause, const std::string& invocation);
  Outcome stranded(Error cause, const Error& why);
  Outcome close_as_stranded(Error cause, bool spare_others);
  Outcome rolled_back();

  ports::Ports& ports_;
  const nodes::NodeSnapshot& snapshot_;
  const model::NodeModel& model_;
  const planning::Plan& plan_;
  const discover::DiscoverOptions& discover_;
  const ApplyOptions& options_;
  Outcome outcome_;
  Transaction transaction_;
  std::size_t attempted_ = 0;       // edits that were put in place, or were being put there
  bool wrote_ = false;              // a file was changed, whether or not it was put back since
  std::int64_t changed_at_ms_ = 0;  // wall clock after the last change of a file
  bool forward_ = false;            // it waits for the change, not for the old state
  int signals_answered_ = 0;
  bool restarted_ = false;            // systemd was asked to restart the unit
  std::int64_t restarted_at_ms_ = 0;  // wall clock of the last time that it was asked
  std::uint64_t log_size_ = 0;        // of the kubelet's own log file at the last restart
};

}  // namespace kubelet_sysctl::transaction
