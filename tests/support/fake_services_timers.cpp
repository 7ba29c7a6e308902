// SPDX-License-Identifier: Apache-2.0
// The timers, the enabled units and the log of a pretend node, and the end of the program.
#include <algorithm>
#include <filesystem>
#include <iterator>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/fake_services.hpp"

namespace kubelet_sysctl {
namespace {

Error program_ended() { return Error{.message = "the program has ended by now"}; }

}  // namespace

// A name that is taken, as systemd-run 252 says it.
Status FakeServices::arm_timer(const std::string& unit, const std::string& description,
                               Milliseconds delay, const std::vector<std::string>& command) {
  if (dead) return program_ended();
  const bool taken = std::any_of(timers.begin(), timers.end(),
                                 [&](const FakeTimer& timer) { return timer.unit == unit; });
  if (taken) {
    return Error{.message = fmt::format("systemd-run failed: Failed to start transient timer unit: "
                                        "Unit {}.timer was already loaded or has a fragment file.",
                                        unit)};
  }
  timers.push_back({.unit = unit,
                    .description = description,
                    .command = command,
                    .delay = delay,
                    .armed = now_});
  return {};
}

Status FakeServices::disarm_timer(const std::string& unit) {
  if (dead) return program_ended();
  std::erase_if(timers, [&](const FakeTimer& timer) { return timer.unit == unit; });
  return {};
}

std::vector<FakeTimer> FakeServices::due_timers() {
  std::vector<FakeTimer> due;
  const auto is_due = [&](const FakeTimer& timer) { return timer.armed + timer.delay <= now_; };
  std::copy_if(timers.begin(), timers.end(), std::back_inserter(due), is_due);
  std::erase_if(timers, is_due);
  return due;
}

Status FakeServices::enable(const std::string& unit) {
  if (dead) return program_ended();
  if (!std::filesystem::exists(root_ + "/etc/systemd/system/" + unit)) {
    return Error{.message = fmt::format("systemctl enable failed: Failed to enable unit: Unit file "
                                        "{} does not exist.",
                                        unit)};
  }
  enabled_units.insert(unit);
  return {};
}

Status FakeServices::disable(const std::string& unit) {
  if (dead) return program_ended();
  enabled_units.erase(unit);
  return {};
}

Status FakeServices::hold_signals() {
  ++times_signals_were_held;
  return {};
}

Status FakeServices::write(const ports::LogEntry& entry) {
  if (dead) return program_ended();
  log_entries.push_back(entry);
  return {};
}

}  // namespace kubelet_sysctl
