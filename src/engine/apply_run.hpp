// SPDX-License-Identifier: Apache-2.0
// One run of apply(): what it knows on its way forward, and back.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kubelet_sysctl/apply.hpp"

namespace kubelet_sysctl {

/// What a start is to show: the list forward with the plan, or the one before it.
struct Direction {
  std::vector<std::string> list;
  std::vector<std::string> argv;  // empty: a wrapper starts the kubelet, its words are not known
  bool files_route = false;       // the list comes from files, not from the arguments
};

/// Carries one plan out. The way forward is in apply.cpp, the way back in rollback.cpp.
class ApplyRun {
 public:
  ApplyRun(Ports& ports, const NodeSnapshot& snapshot, const NodeModel& model, const Plan& plan,
           const DiscoverOptions& discover, const ApplyOptions& options);
  Result<Outcome> run();

 private:
  using Action = std::function<Status()>;

  Status step(const std::string& what, const Action& action);
  Status preflight(bool restart);
  bool is_healthy();
  Status begin();
  Status mark(TransactionState state);
  Status write_one(const FileEdit& edit);
  Status write();
  [[nodiscard]] bool must_reload() const;
  Status reload();
  Result<Outcome> without_restart();
  Result<Outcome> with_restart();
  Result<Confirmation> restart_and_confirm(const Direction& way);
  Result<Confirmation> watch(const Direction& way, const Wanted& wanted);
  void see_again(const Direction& way, Confirmation& seen);
  std::string invocation_now();
  [[nodiscard]] Direction direction(const std::vector<std::string>& list,
                                    const std::vector<std::string>& argv) const;
  [[nodiscard]] std::vector<std::string> config_files() const;
  void warn_record_not_closed(const std::string& what, const Error& error);

  Status restore();
  Status restore_one(const FileEdit& edit);
  Result<Outcome> finish_failed_write(Error cause);
  void take_last_words(const std::string& invocation);
  Result<Outcome> roll_back(Error cause, const std::string& invocation);
  Outcome stranded(Error cause, const Error& why);

  Ports& ports_;
  const NodeSnapshot& snapshot_;
  const NodeModel& model_;
  const Plan& plan_;
  const DiscoverOptions& discover_;
  const ApplyOptions& options_;
  Outcome outcome_;
  Transaction transaction_;
  std::size_t written_ = 0;  // edits that stand on the disk
  bool restarted_ = false;   // systemd was asked to restart the unit
};

}  // namespace kubelet_sysctl
