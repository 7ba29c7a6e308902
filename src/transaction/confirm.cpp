// SPDX-License-Identifier: Apache-2.0
// Watching a unit after a restart: the new process, its arguments, its health, and that it stays.
#include "confirm.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/discover/health.hpp"
#include "kubelet_sysctl/discover/process.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"

namespace kubelet_sysctl::transaction {
namespace {

/// Between two looks; the end of the process is seen at once all the same, through its pidfd.
constexpr Milliseconds kStep{50};
/// One question to the health endpoint.
constexpr Milliseconds kAnswerDeadline{1000};
/// From fork to exec systemd's own arguments are in /proc; a kubelet that is still not itself
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
  Watch(ports::Ports& ports, const Wanted& wanted, Milliseconds timeout, Milliseconds window,
        const GoesOn& goes_on)
      : ports_(ports), wanted_(wanted), window_(window), goes_on_(goes_on) {
    began_ = ports.clock.now();
    deadline_ = began_ + timeout;
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

  Result<ports::UnitState> look() { return ports_.services.show(wanted_.unit); }

  [[nodiscard]] bool is_inside() const { return wanted_.place == nodes::KubeletPlace::kInside; }
  [[nodiscard]] bool is_main() const {
    return wanted_.place == nodes::KubeletPlace::kMain || is_inside();
  }
  [[nodiscard]] bool has_become() const {
    if (wanted_.becomes.empty() || process_.argv.empty()) return wanted_.becomes.empty();
    return base_name(process_.argv.front()) == wanted_.becomes;
  }

  static bool is_down(const ports::UnitState& state) {
    return state.sub_state == "auto-restart" || state.sub_state == "auto-restart-queued" ||
           state.active_state == "failed" || state.active_state == "inactive";
  }

  std::string ended_text(const ports::UnitState& state) const {
    if (state.result == "start-limit-hit" || state.result == "start-limit") {
      return "systemd refuses further starts (start limit)";
    }
    return fmt::format("the kubelet ended with status {} ({})", state.exec_main_status,
                       state.result.empty() ? state.sub_state : state.result);
  }

  /// One wait of a step for the kubelet to come up; a failure says that there is nothing more to wait for.
  Status wait_step() {
    if (ports_.clock.wait_until(ports_.clock.now() + kStep, process_.pid)) return ended();
    hear({.what = "waiting for a healthy kubelet",
          .waited = since(began_),
          .most = std::chrono::duration_cast<Milliseconds>(deadline_ - began_),
          .left = window_ - since(deadline_)});
    return {};
  }

  [[nodiscard]] Milliseconds since(TimePoint begin) {
    return std::chrono::duration_cast<Milliseconds>(ports_.clock.now() - begin);
  }

  void hear(const Wait& wait) {
    if (!goes_on_ || goes_on_(wait)) return;
    result_.failure = roll_back_now();
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
      auto process = discover::read_kubelet_process(ports_, *state, wanted_.place);
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
      if (auto status = wait_step(); !status || result_.failure) return status;
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
    return !kubelet::missing_word(wanted_.argv, process.argv);
  }

  bool has_list(const Process& process) {
    if (!has_words(process)) return false;
    const auto list = model::list_in_argv(process.argv);
    // The route of the files: nothing in the arguments may be over them.
    if (!wanted_.config_files.empty()) return !list;
    return list ? same_list(*list, wanted_.list) : wanted_.list.empty();
  }

  std::string other_arguments() const {
    std::string text = "the kubelet came up with other arguments than the files give";
    const auto missing = kubelet::missing_word(wanted_.argv, process_.argv);
    if (missing) text += fmt::format(": '{}' is missing", name_in(*missing));
    return text;
  }

  /// Behind a wrapper that stays, the kubelet is a child that comes up later than the main process.
  Status see_child() {
    if (wanted_.place != nodes::KubeletPlace::kMain ||
        kubelet::kubelet_arguments_start(process_.argv))
      return {};
    auto found = discover::read_kubelet_process(ports_, baseline_, wanted_.place);
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
      auto now = discover::read_process(ports_.files, process_.pid);
      if (!now) return std::move(now).error();
      if (!*now || !is_same(**now, process_)) return ended();
      process_.argv = (*now)->argv;
      discover::take_by_arguments(process_, wanted_.argv);
      // A script may wait for long before it becomes the kubelet, or the program that holds it.
      if (!has_become()) until = std::min(deadline_, ports_.clock.now() + kExecDeadline);
      // A kubelet inside another program has no arguments to be seen; what the files and the log of that
      // program say is read again at the end.
      if (is_inside() && has_become()) return {};
      if (auto status = see_child(); !status) return status;
      if (has_list(process_) && kubelet::kubelet_arguments_start(process_.argv)) {
        if (wanted_.config_files.empty()) result_.evidence.argv = true;
        return {};
      }
      if (ports_.clock.now() >= until) {
        result_.evidence.argv = false;
        fail(has_become() ? other_arguments() : "no process of the kubelet came up in time");
        return {};
      }
      if (auto status = wait_step(); !status || result_.failure) return status;
    }
  }

  Status see_health() {
    if (wanted_.health_address.empty()) {
      result_.evidence.health = "off";
      return {};
    }
    for (;;) {
      auto seen = discover::probe_health(ports_, process_.pid, wanted_.health_address,
                                         wanted_.health_port, kAnswerDeadline);
      if (!seen) return std::move(seen).error();
      result_.evidence.health = seen->ok ? "ok" : seen->detail;
      if (seen->ok) return {};
      if (ports_.clock.now() >= deadline_) {
        fail(fmt::format("the kubelet never became healthy: {}", seen->detail));
        return {};
      }
      if (auto status = wait_step(); !status || result_.failure) return status;
    }
  }

  /// The same process, healthy, with no restart in between, until the window ends.
  Status see_window() {
    const TimePoint begin = ports_.clock.now();
    const TimePoint end = begin + window_;
    while (ports_.clock.now() < end) {
      const TimePoint next = std::min(end, ports_.clock.now() + kWindowStep);
      if (ports_.clock.wait_until(next, process_.pid)) return ended();
      hear({.what = wanted_.health_address.empty() ? "watching the process" : "watching health",
            .waited = since(begin),
            .most = window_,
            .is_window = true,
            .left = window_ - since(begin)});
      if (result_.failure) return {};
      if (!wanted_.health_address.empty()) {
        auto seen = discover::probe_health(ports_, process_.pid, wanted_.health_address,
                                           wanted_.health_port, kAnswerDeadline);
        if (!seen) return std::move(seen).error();
        result_.evidence.health = seen->ok ? "ok" : seen->detail;
      }
    }
    auto now = discover::read_process(ports_.files, process_.pid);
    if (!now) return std::move(now).error();
    if (!*now || !is_same(**now, process_)) return ended();
    discover::take_by_arguments(**now, wanted_.argv);
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

  ports::Ports& ports_;
  const Wanted& wanted_;
  Milliseconds window_;
  const GoesOn& goes_on_;
  TimePoint began_;
  TimePoint deadline_;
  Confirmation result_;
  Process process_;
  ports::UnitState baseline_;
};

}  // namespace

Error roll_back_now() {
  return {.kind = ErrorKind::kInterrupted, .message = "a second signal asked to roll back now"};
}

Result<Confirmation> confirm(ports::Ports& ports, const Wanted& wanted, Milliseconds timeout,
                             Milliseconds window, const GoesOn& goes_on) {
  return Watch(ports, wanted, timeout, window, goes_on).run();
}

void hear_configz(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                  Evidence& evidence, std::vector<Finding>& findings) {
  if (!model.running) return;
  evidence.configz = model.running->configz;
  for (Finding& finding : checks::run_checks(snapshot, model, checks::Audience::kVerbs)) {
    const auto is_same = [&finding](const Finding& one) { return one.id == finding.id; };
    if (finding.id != "configz-silent") continue;
    if (std::none_of(findings.begin(), findings.end(), is_same)) findings.push_back(finding);
  }
}

}  // namespace kubelet_sysctl::transaction
