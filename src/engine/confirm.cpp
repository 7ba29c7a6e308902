// SPDX-License-Identifier: Apache-2.0
// Watching a unit after a restart: the new process, its arguments, its health, and that it stays.
#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "health.hpp"
#include "kubelet_sysctl/apply.hpp"
#include "process.hpp"

namespace kubelet_sysctl {
namespace {

/// Between two looks; the end of the process is seen at once all the same, through its pidfd.
constexpr Milliseconds kStep{50};
/// One question to the health endpoint.
constexpr Milliseconds kHealthDeadline{1000};
/// From fork to exec systemd's own arguments stand in /proc; a kubelet that is still not itself
/// after this has other arguments.
constexpr Milliseconds kExecDeadline{5000};
/// How often health is asked again within the window.
constexpr Milliseconds kWindowStep{500};

Error unseen(std::string message) {
  return Error{.kind = ErrorKind::kTimeout, .message = std::move(message)};
}

bool is_same(const Process& a, const Process& b) {
  return a.pid == b.pid && a.start_ticks == b.start_ticks;
}

bool same_list(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::set<std::string>(a.begin(), a.end()) == std::set<std::string>(b.begin(), b.end());
}

/// The name of the flag alone: a value may be a secret.
std::string name_in(const std::string& word) { return word.substr(0, word.find('=')); }

class Watch {
 public:
  Watch(Ports& ports, const Wanted& wanted, Milliseconds timeout, Milliseconds window)
      : ports_(ports), wanted_(wanted), window_(window) {
    deadline_ = ports.clock.now() + timeout;
    result_.evidence.window_ms = window.count();
  }

  Result<Confirmation> run() {
    if (auto status = find_process(); !status) return std::move(status).error();
    if (!result_.failure) {
      if (auto status = see_arguments(); !status) return std::move(status).error();
    }
    if (!result_.failure) {
      if (auto status = see_health(); !status) return std::move(status).error();
    }
    if (!result_.failure) {
      if (auto status = see_window(); !status) return std::move(status).error();
    }
    result_.good = !result_.failure;
    return std::move(result_);
  }

 private:
  void fail(std::string message) { result_.failure = unseen(std::move(message)); }

  Result<UnitState> look() { return ports_.services.show(wanted_.unit); }

  [[nodiscard]] bool is_inside() const { return wanted_.place == KubeletPlace::kInside; }
  [[nodiscard]] bool is_main() const { return wanted_.place == KubeletPlace::kMain || is_inside(); }
  [[nodiscard]] bool has_become() const {
    if (wanted_.becomes.empty() || process_.argv.empty()) return wanted_.becomes.empty();
    const std::string& name = process_.argv.front();
    return name.substr(name.rfind('/') + 1) == wanted_.becomes;
  }

  static bool is_down(const UnitState& state) {
    return state.sub_state == "auto-restart" || state.sub_state == "auto-restart-queued" ||
           state.active_state == "failed" || state.active_state == "inactive";
  }

  std::string ended_text(const UnitState& state) const {
    if (state.result == "start-limit-hit" || state.result == "start-limit") {
      return "systemd refuses further starts (start limit)";
    }
    return fmt::format("the kubelet ended with status {} ({})", state.exec_main_status,
                       state.result.empty() ? state.sub_state : state.result);
  }

  /// The first process after the restart: the baseline for everything that follows.
  Status find_process() {
    for (;;) {
      auto state = look();
      if (!state) return std::move(state).error();
      // Kept for the last words: a later start by systemd itself has another.
      result_.invocation = state->invocation_id;
      if (is_down(*state)) {
        // A false Condition...= lets the job succeed and leaves the unit stopped (systemd.unit(5)).
        const bool idle = state->active_state == "inactive" && state->result == "success";
        fail(idle ? "nothing was started: the unit is inactive" : ended_text(*state));
        return {};
      }
      auto process = read_kubelet_process(ports_, *state, wanted_.place);
      if (!process) return std::move(process).error();
      const bool is_old =
          *process && wanted_.old_process && is_same(**process, *wanted_.old_process);
      // A kubelet that its host started may outlive the host for a moment.
      if (is_old && (is_main() || ports_.clock.now() >= deadline_)) {
        fail("the old process still runs: nothing was restarted");
        return {};
      }
      if (*process && !is_old) {
        process_ = **process;
        baseline_ = *state;
        result_.evidence.pid = process_.pid;
        result_.evidence.started_at_ms = process_.started_at_ms;
        return {};
      }
      if (ports_.clock.now() >= deadline_) {
        fail("no process of the kubelet came up in time");
        return {};
      }
      ports_.clock.wait_until(ports_.clock.now() + kStep, 0);
    }
  }

  /// The process ended: says so with what systemd knows of it.
  Status ended() {
    auto state = look();
    if (!state) return std::move(state).error();
    const std::int64_t lived = ports_.clock.wall_ms() - process_.started_at_ms;
    // The exit status of a child is for its parent, which starts it again while the unit stays up.
    const std::string how = is_main() || is_down(*state) ? ended_text(*state) : "the kubelet ended";
    fail(fmt::format("{} after {:.1f} s", how,
                     static_cast<double>(std::max<std::int64_t>(lived, 0)) / 1000.0));
    result_.evidence.restarts = std::max<std::int64_t>(state->restarts - baseline_.restarts, 0);
    return {};
  }

  /// True where every word that the files give is there, on every route.
  [[nodiscard]] bool has_words(const Process& process) const {
    if (wanted_.argv.empty()) return true;
    const bool same_program = !process.argv.empty() && process.argv[0] == wanted_.argv[0];
    if (same_program) return process.argv == wanted_.argv;
    return !missing_word(wanted_.argv, process.argv);
  }

  bool has_list(const Process& process) {
    if (!has_words(process)) return false;
    const auto list = list_in_argv(process.argv);
    // The route of the files: nothing in the arguments may stand over them.
    if (!wanted_.config_files.empty()) return !list;
    return list ? same_list(*list, wanted_.list) : wanted_.list.empty();
  }

  std::string other_arguments() const {
    std::string text = "the kubelet came up with other arguments than the files give";
    const auto missing = missing_word(wanted_.argv, process_.argv);
    if (missing) text += fmt::format(": '{}' is missing", name_in(*missing));
    return text;
  }

  /// Behind a wrapper that stays, the kubelet is a child that comes up later than the main process.
  Status see_child() {
    if (wanted_.place != KubeletPlace::kMain || kubelet_arguments_start(process_.argv)) return {};
    auto found = read_kubelet_process(ports_, baseline_, wanted_.place);
    if (!found) return std::move(found).error();
    const bool is_new = *found && !is_same(**found, process_) &&
                        !(wanted_.old_process && is_same(**found, *wanted_.old_process));
    if (!is_new) return {};
    process_ = **found;
    result_.evidence.pid = process_.pid;
    result_.evidence.started_at_ms = process_.started_at_ms;
    return {};
  }

  Status see_arguments() {
    TimePoint until = std::min(deadline_, ports_.clock.now() + kExecDeadline);
    for (;;) {
      auto now = read_process(ports_.files, process_.pid);
      if (!now) return std::move(now).error();
      if (!*now || !is_same(**now, process_)) return ended();
      process_.argv = (*now)->argv;
      take_by_arguments(process_, wanted_.argv);
      // A script may wait for long before it becomes the kubelet, or the program that holds it.
      if (!has_become()) until = std::min(deadline_, ports_.clock.now() + kExecDeadline);
      // A kubelet inside another program has no arguments to be seen; what the files and the log of that
      // program say is read anew at the end.
      if (is_inside() && has_become()) return {};
      if (auto status = see_child(); !status) return status;
      if (has_list(process_) && kubelet_arguments_start(process_.argv)) {
        if (wanted_.config_files.empty()) result_.evidence.argv = true;
        return {};
      }
      if (ports_.clock.now() >= until) {
        result_.evidence.argv = false;
        fail(has_become() ? other_arguments() : "no process of the kubelet came up in time");
        return {};
      }
      if (ports_.clock.wait_until(ports_.clock.now() + kStep, process_.pid)) return ended();
    }
  }

  Status see_health() {
    if (wanted_.health_address.empty()) {
      result_.evidence.health = "off";
      return {};
    }
    for (;;) {
      auto seen = probe_health(ports_, process_.pid, wanted_.health_address, wanted_.health_port,
                               kHealthDeadline);
      if (!seen) return std::move(seen).error();
      result_.evidence.health = seen->ok ? "ok" : seen->detail;
      if (seen->ok) return {};
      if (ports_.clock.now() >= deadline_) {
        fail(fmt::format("the kubelet never became healthy: {}", seen->detail));
        return {};
      }
      if (ports_.clock.wait_until(ports_.clock.now() + kStep, process_.pid)) return ended();
    }
  }

  /// The same process, healthy, with no restart in between, until the window ends.
  Status see_window() {
    const TimePoint end = ports_.clock.now() + window_;
    while (ports_.clock.now() < end) {
      const TimePoint next = std::min(end, ports_.clock.now() + kWindowStep);
      if (ports_.clock.wait_until(next, process_.pid)) return ended();
      if (!wanted_.health_address.empty()) {
        auto seen = probe_health(ports_, process_.pid, wanted_.health_address, wanted_.health_port,
                                 kHealthDeadline);
        if (!seen) return std::move(seen).error();
        result_.evidence.health = seen->ok ? "ok" : seen->detail;
      }
    }
    auto now = read_process(ports_.files, process_.pid);
    if (!now) return std::move(now).error();
    if (!*now || !is_same(**now, process_)) return ended();
    take_by_arguments(**now, wanted_.argv);
    if (!is_inside() && !has_list(**now)) {
      fail("the arguments of the kubelet changed within the window");
    }
    if (!wanted_.health_address.empty() && result_.evidence.health != "ok") {
      fail(fmt::format("the kubelet did not stay healthy: {}", result_.evidence.health));
    }
    auto state = look();
    if (!state) return std::move(state).error();
    result_.evidence.restarts = std::max<std::int64_t>(state->restarts - baseline_.restarts, 0);
    const bool same = state->main_pid == baseline_.main_pid &&
                      state->invocation_id == baseline_.invocation_id &&
                      result_.evidence.restarts == 0;
    if (!same) fail("systemd started the kubelet again within the window");
    if (is_down(*state)) fail(ended_text(*state));
    return {};
  }

  Ports& ports_;
  const Wanted& wanted_;
  Milliseconds window_;
  TimePoint deadline_;
  Confirmation result_;
  Process process_;
  UnitState baseline_;
};

struct Known {
  std::string_view text;
  std::string_view meaning;
};

/// Substrings that hold across releases. Source: the kubelet's messages of 1.20 to 1.3x.
constexpr std::array<Known, 15> kKnown = {{
    {"are not known to be namespaced", "an entry of the list is outside the namespaced groups"},
    {"must have at most 253 characters and match regex", "an entry of the list is badly spelt"},
    {"unknown command", "a stray argument: a blank after a comma, or an empty argument"},
    {"unknown flag:", "an unknown flag on the command line"},
    {"unknown shorthand flag:", "a flag with a single dash"},
    {"flag needs an argument:", "a flag without its value"},
    {"bad flag syntax:", "a flag with three dashes"},
    {"for \"--allowed-unsafe-sysctls\" flag", "the value of the flag is not valid CSV"},
    {"failed to parse kubelet flag: invalid argument", "a flag with a value that it does not take"},
    {"configured to not run on a host using cgroup v1",
     "from 1.35 on it runs on cgroup v1 only with 'failCgroupV1: false'"},
    {"ailed to load Kubelet config file", "the configuration file cannot be read or decoded"},
    {"ailed to load kubelet config file", "the configuration file cannot be read or decoded"},
    {"failed to merge kubelet configs", "a file of the drop-in directory cannot be read"},
    {"unable to acquire file lock on", "another kubelet holds the lock file"},
    {"address already in use", "another process holds one of the kubelet's ports"},
}};

}  // namespace

Result<Confirmation> confirm(Ports& ports, const Wanted& wanted, Milliseconds timeout,
                             Milliseconds window) {
  return Watch(ports, wanted, timeout, window).run();
}

std::string recognise(const std::vector<std::string>& last_words) {
  for (const Known& known : kKnown) {
    const bool said = std::any_of(last_words.begin(), last_words.end(), [&](const auto& line) {
      return line.find(known.text) != std::string::npos;
    });
    if (said) return std::string(known.meaning);
  }
  return {};
}

}  // namespace kubelet_sysctl
