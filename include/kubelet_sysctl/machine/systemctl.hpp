// SPDX-License-Identifier: Apache-2.0
// ServiceManager by running systemctl, systemd-run and journalctl.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/run_program.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {

/// What Systemctl runs and reads; a test puts other things here.
struct SystemctlPaths {
  std::string systemctl = "systemctl";
  std::string systemd_run = "systemd-run";
  std::string journalctl = "journalctl";
  std::string booted = "/run/systemd/system";
  std::string maps_of_manager = "/proc/1/maps";
};

/// The service manager that is process 1.
class Systemctl final : public ports::ServiceManager {
 public:
  explicit Systemctl(SystemctlPaths paths = {}) : paths_(std::move(paths)) {}

  bool booted() override;
  void begin_show(const std::string& unit) override;
  void drop_show() override { asked_.reset(); }
  Result<ports::UnitState> show(const std::string& unit) override;
  std::optional<int> version() override;
  Result<std::vector<std::string>> environment() override;
  Status reload(Milliseconds deadline) override;
  Status restart(const std::string& unit, Milliseconds deadline,
                 const std::function<bool()>& goes_on) override;
  Status reset_failed(const std::string& unit) override;
  Status arm_timer(const std::string& unit, const std::string& description, Milliseconds delay,
                   const std::vector<std::string>& command) override;
  Status disarm_timer(const std::string& unit) override;
  Status enable(const std::string& unit) override;
  Status disable(const std::string& unit) override;
  Result<std::vector<std::string>> last_words(const std::string& unit,
                                              const std::string& invocation, std::int64_t since_ms,
                                              int lines) override;
  Result<std::optional<ports::LoggedLine>> first_line_with(const std::string& unit,
                                                           const std::string& invocation,
                                                           const std::string& mark,
                                                           std::int64_t since_ms) override;

 private:
  [[nodiscard]] Error not_booted() const;
  Result<Ended> ask(std::vector<std::string> arguments, Milliseconds deadline);
  static Result<Ended> settled(Result<Ended> ended, const std::string& what);
  Status change(const std::string& verb, const std::string& unit);
  [[nodiscard]] Command show_command(const std::string& unit) const;
  /// Standard output of journalctl; empty when there is no journal.
  Result<std::string> journal(std::vector<std::string> arguments);

  SystemctlPaths paths_;
  std::unique_ptr<Started> asked_;  // the answer that begin_show() asked for
  std::string asked_unit_;
  std::chrono::steady_clock::time_point asked_at_;
};

}  // namespace kubelet_sysctl::machine
