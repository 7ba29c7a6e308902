// SPDX-License-Identifier: Apache-2.0
// A pretend node behind the ports: a service manager with one unit, a kubelet process, its health
// endpoint, and a time of its own. Nothing here sleeps.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/fake_kernel.hpp"
#include "support/fake_proc.hpp"
#include "support/timed_files.hpp"

namespace kubelet_sysctl {

/// What goes wrong with the starts of the pretend kubelet. All at once is possible.
struct Misbehaviour {
  std::string only_with;  ///< an entry: only a kubelet whose list holds it; empty: any
  int starts = 1000;      ///< for how many starts
  std::optional<Milliseconds> dies_after;
  int exit_status = 1;
  std::vector<std::string> last_words;  ///< written when it dies
  Milliseconds journal_lag{0};          ///< they can be read this much later
  Milliseconds healthy_after{0};        ///< until then nobody answers
  bool never_healthy = false;           ///< nobody ever answers
  int health_status = 200;
  std::optional<Milliseconds> unhealthy_after;  ///< from then on it answers 500
  bool other_process_answers = false;  ///< the socket on the health port is not the kubelet's
  std::optional<std::vector<std::string>> argv;  ///< runs with these words instead
  Milliseconds exec_after{0};         ///< until then /proc shows what systemd calls the fork
  bool restart_fails = false;         ///< the job fails; the old process is gone
  bool restart_does_nothing = false;  ///< success, and the old process stays (a chroot)
  bool stays_stopped = false;         ///< success, and nothing runs (a Condition that is false)
};

/// A timer that the pretend manager was given.
struct FakeTimer {
  std::string unit;
  std::string description;
  std::vector<std::string> command;
  Milliseconds delay{0};
  TimePoint armed;
};

/// Service manager, health probe, clock and log of one node whose files are below a root directory. As
/// the real manager it keeps the unit files of the last reload, and reads environment files at each
/// start.
class FakeServices final : public ports::ServiceManager,
                           public ports::HealthProbe,
                           public ports::Clock,
                           public ports::SystemLog {
 public:
  /// `disk` sees `root` as "/". The unit is loaded; nothing runs until boot().
  FakeServices(std::string root, ports::FileSystem& disk, std::string unit = "kubelet.service");

  /// The files of the node, with times of change on the node's own clock.
  ports::FileSystem& files() { return files_; }
  ports::Ports ports() { return ports_with(files()); }
  ports::Ports ports_with(ports::FileSystem& files) {
    return {files, *this, *this, *this, *this, kernel, programs};
  }

  FakeKernel kernel;
  FakePrograms programs;

  /// Starts the kubelet, well behaved, and lets a minute pass.
  void boot();
  /// Kills the kubelet and leaves the unit inactive, or failed.
  void stop(bool failed = false);
  /// From the next start on.
  void misbehave(Misbehaviour how) { misbehaviour_ = std::move(how); }
  /// Writes a file as another program would: without this one's knowledge, at the node's time.
  void write(const std::string& path, const std::string& bytes);
  void interrupt() {
    interrupted_ = true;
    ++times_asked_;
  }

  // What the manager says of itself, to be set by a test.
  bool is_booted = true;
  bool says_needs_reload = false;
  bool has_job = false;
  std::int64_t more_restarts = 0;       ///< NRestarts= is that much higher
  std::string load_state_after_reload;  ///< said instead of the truth from the next reload on
  std::uint64_t start_limit_burst = 0;  ///< 0: no limit
  Milliseconds start_limit_interval{10000};
  Milliseconds restart_delay{2000};   ///< RestartSec=
  std::optional<Error> reload_error;  ///< given by the next reloads
  /// As after the end of the program: what would change the node or its log does nothing and is an
  /// error.
  bool dead = false;

  /// "reload", "reset-failed", "restart" as they came; asking is not noted.
  std::vector<std::string> changes;
  Milliseconds restart_deadline{0};  ///< that the last restart was given
  /// The list of each kubelet that was started, newest last.
  std::vector<std::vector<std::string>> started_lists;
  /// Timers that are armed, oldest first. Nothing fires them; a test takes the due ones and runs
  /// their commands.
  std::vector<FakeTimer> timers;
  /// Takes those whose time has come: they are armed no longer.
  std::vector<FakeTimer> due_timers();
  std::set<std::string> enabled_units;
  /// What the kubelet's read-only port answers to GET /pods, by port; nobody listens on any other.
  std::map<int, std::string> pod_lists;
  std::vector<ports::LogEntry> log_entries;
  int times_signals_were_held = 0;
  /// Milliseconds of the node's time since it was made.
  [[nodiscard]] std::int64_t elapsed_ms() const;
  /// Of the main process; and of the kubelet, which may be another one.
  [[nodiscard]] std::int64_t pid() const { return kubelet_ ? kubelet_->process.pid : 0; }
  [[nodiscard]] std::int64_t kubelet_pid() const {
    return kubelet_ && kubelet_->child ? kubelet_->child->pid : pid();
  }
  [[nodiscard]] std::int64_t restarts() const { return state_.restarts; }

  bool booted() override { return is_booted; }
  Result<ports::UnitState> show(const std::string& unit) override;
  std::optional<int> version() override { return 252; }
  Result<std::vector<std::string>> environment() override;
  Status reload(Milliseconds deadline) override;
  Status restart(const std::string& unit, Milliseconds deadline,
                 const std::function<bool()>& goes_on = {}) override;
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
  Result<ports::HealthAnswer> get(const std::string& address, int port, const std::string& path,
                                  Milliseconds deadline) override;
  Result<ports::HealthAnswer> get_whole(const std::string& address, int port,
                                        const std::string& path, std::size_t most,
                                        Milliseconds deadline) override;
  TimePoint now() override { return now_; }
  std::int64_t wall_ms() override;
  bool wait_until(TimePoint until, std::int64_t pid) override;
  Status hold_signals() override;
  bool interrupted() override { return interrupted_; }
  int times_asked_to_stop() override { return times_asked_; }
  Status write(const ports::LogEntry& entry) override;

 private:
  struct Kubelet {
    FakeProcess process;
    std::vector<std::string> argv;
    Misbehaviour how;
    TimePoint started;
    int health_port = 0;
    /// The kubelet itself where it is a child; `argv` are its words, and `how` is about it.
    std::optional<FakeProcess> child;
    bool is_child = false;
    std::vector<std::string>
        host_argv;         ///< of the program that runs a kubelet; empty: there is none
    std::string log;       ///< what that program says when it starts its kubelet
    std::string log_file;  ///< where the kubelet writes its last words
    std::string defaults;  ///< a file that the program writes at every start
    [[nodiscard]] bool answers(TimePoint now) const;
  };

  struct Line {
    TimePoint readable;
    std::string invocation;
    std::string text;
    std::int64_t at_ms = 0;
  };

  void load();
  Result<nodes::NodeSnapshot> snapshot_at_start();
  Result<Kubelet> kubelet_at_start(std::vector<std::string>& list);
  Misbehaviour take_misbehaviour(const std::vector<std::string>& list);
  bool is_over_limit();
  Status start();
  void start_again();
  void run(Kubelet kubelet);
  /// How a host of the kubelet would start it (fake_host.cpp).
  static void take_host(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                        Kubelet& made);
  void start_hosted();
  void start_child();
  void end_child();
  void say(const std::string& text, Milliseconds lag);
  void end_process(const std::string& result, int status);
  void die();
  void show_process();
  /// Lets time pass, with all that happens meanwhile.
  void advance(TimePoint until);
  [[nodiscard]] TimePoint next_event() const;

  std::string root_;
  std::string unit_;
  std::map<std::string, std::int64_t> changed_at_ms_;
  TimedFiles files_;
  TimePoint now_;
  bool interrupted_ = false;
  int times_asked_ = 0;
  nodes::NodeSnapshot loaded_;
  ports::UnitState state_;
  Misbehaviour misbehaviour_;
  std::optional<Kubelet> kubelet_;
  std::optional<TimePoint> restart_at_;
  std::optional<TimePoint> child_at_;  // the next start of a child that ended
  std::deque<TimePoint> starts_;
  std::int64_t next_pid_ = 1000;
  int invocations_ = 0;
  int waits_ = 0;
  std::vector<Line> journal_;
};

}  // namespace kubelet_sysctl
