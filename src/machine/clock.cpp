// SPDX-License-Identifier: Apache-2.0
// Waits on events of the kernel: a signalfd, a pidfd, a time.
#include "kubelet_sysctl/machine/clock.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <string>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/fd.hpp"

namespace kubelet_sysctl::machine {
namespace {

constexpr std::array<int, 3> kStopSignals = {SIGINT, SIGTERM, SIGHUP};
/// What comes within this time asks once: timeout(1) signals its child, and then its whole group.
constexpr Milliseconds kOneRequest{300};

timespec timespec_of(std::chrono::nanoseconds span) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span);
  timespec time = {};
  time.tv_sec = seconds.count();
  time.tv_nsec = (span - seconds).count();
  return time;
}

bool has_ended(std::int64_t pid) {
  if (::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) return true;
  const UniqueFd fd(::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
  constexpr std::size_t kMost = 4096;
  std::string stat;
  return fd && read_to_end(fd.get(), 0, kMost, stat) == 0 && is_dead(stat);
}

}  // namespace

Status SystemClock::hold_signals() {
  if (signals_) return {};
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : kStopSignals) {
    struct sigaction action = {};
    // A blocked signal is queued even if it is ignored, so an ignored one must not be blocked.
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) continue;
    sigaddset(&signals, signal);
  }
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) {
    return errno_error(errno, {}, "cannot hold signals back");
  }
  signals_ = UniqueFd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (signals_) return {};
  const int number = errno;
  ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  return errno_error(number, {}, "cannot watch for signals");
}

TimePoint SystemClock::now() { return std::chrono::steady_clock::now(); }

std::int64_t SystemClock::wall_ms() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<Milliseconds>(since).count();
}

bool SystemClock::wait_until(TimePoint until, std::int64_t pid) {
  // Before Linux 5.3 there is no pidfd_open(2); then a wait ends every few milliseconds to look.
  constexpr std::chrono::nanoseconds kLook = Milliseconds(5);
  UniqueFd process;
  if (pid > 0) process = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (pid > 0 && !process && errno == ESRCH) return true;
  const bool must_poll = pid > 0 && !process;
  std::array<pollfd, 2> events = {pollfd{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                                  pollfd{.fd = process.get(), .events = POLLIN, .revents = 0}};
  for (;;) {
    if (must_poll && has_ended(pid)) return true;
    std::chrono::nanoseconds left = std::max(until - now(), TimePoint::duration::zero());
    const bool last = !must_poll || left <= kLook;
    const timespec time = timespec_of(last ? left : kLook);
    const int ready = ::ppoll(events.data(), events.size(), &time, nullptr);
    if (ready > 0 && events[1].revents != 0) return true;
    if (ready > 0 && events[0].revents != 0) {
      take_signals();
      return false;
    }
    if (ready < 0 && errno != EINTR) return false;
    if (now() >= until) return must_poll && has_ended(pid);
  }
}

void SystemClock::take_signals() {
  signalfd_siginfo info = {};
  while (signals_ && ::read(signals_.get(), &info, sizeof info) == ssize_t{sizeof info}) {
    interrupted_ = true;
    if (info.ssi_signo == SIGHUP) continue;
    if (times_asked_ > 0 && now() - asked_at_ < kOneRequest) continue;
    ++times_asked_;
    asked_at_ = now();
  }
}

bool SystemClock::interrupted() {
  take_signals();
  return interrupted_;
}

int SystemClock::times_asked_to_stop() {
  take_signals();
  return times_asked_;
}

std::string local_rfc3339(std::int64_t ms_since_epoch) {
  constexpr std::int64_t kMinute = 60;
  const auto seconds = static_cast<std::time_t>(ms_since_epoch / 1000);
  std::tm local = {};
  if (::localtime_r(&seconds, &local) == nullptr || local.tm_gmtoff == 0) {
    return rfc3339(ms_since_epoch);
  }
  const std::int64_t offset = local.tm_gmtoff / kMinute;
  const std::string shifted = rfc3339(ms_since_epoch + local.tm_gmtoff * 1000);
  return fmt::format("{}{}{:02}:{:02}", shifted.substr(0, shifted.size() - 1),
                     offset < 0 ? '-' : '+', std::abs(offset) / kMinute,
                     std::abs(offset) % kMinute);
}

bool stop_is_asked() {
  sigset_t pending;
  if (::sigpending(&pending) != 0) return false;
  return std::any_of(kStopSignals.begin(), kStopSignals.end(),
                     [&](int signal) { return sigismember(&pending, signal) == 1; });
}

}  // namespace kubelet_sysctl::machine
