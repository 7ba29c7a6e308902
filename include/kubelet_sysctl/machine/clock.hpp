// SPDX-License-Identifier: Apache-2.0
// Real time, waiting for a process, and the signals that ask for the end.
#pragma once

#include <cstdint>
#include <string>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {

/// The clocks of Linux.
class SystemClock final : public ports::Clock {
 public:
  TimePoint now() override;
  std::int64_t wall_ms() override;
  /// Each signal ends one wait, so that putting things back can still wait after it.
  bool wait_until(TimePoint until, std::int64_t pid) override;
  /// One that was ignored at the start (nohup) stays ignored. Child programs that run() starts have
  /// the usual signals. A second call does nothing. Errors: kIo.
  Status hold_signals() override;
  bool interrupted() override;
  int times_asked_to_stop() override;

 private:
  void take_signals();

  UniqueFd signals_;
  bool interrupted_ = false;
  int times_asked_ = 0;
  TimePoint asked_at_;
};

/// A time since the epoch, in milliseconds, in the zone of this machine, as RFC 3339 with its offset:
/// "2026-11-20T23:57:26+01:00". In UTC where the C library cannot say.
std::string local_rfc3339(std::int64_t ms_since_epoch);

/// True while a signal that hold_signals() holds back has arrived and nobody has taken it: for
/// waits that have no clock.
bool stop_is_asked();

}  // namespace kubelet_sysctl::machine
