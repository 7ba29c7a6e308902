// SPDX-License-Identifier: Apache-2.0
// One restart, what must be seen of the kubelet after it, and the signals that come meanwhile.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "apply_run.hpp"
#include "confirm.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/discover/launcher_files.hpp"
#include "kubelet_sysctl/discover/process.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/apply.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {
namespace {

/// systemd kills a process that does not stop after TimeoutStopSec, 90 s by default, and then
/// starts.
constexpr Milliseconds kRestartDeadline{200000};

}  // namespace

/// True where a second signal takes the change back.
bool ApplyRun::can_roll_back() const { return forward_ && wrote_ && options_.rollback; }

/// Called while the run waits: shows what for, and answers a signal at once. False when a second one asks to
/// leave the wait. A second one that comes before the answer to the first could be given is no answer to it.
bool ApplyRun::goes_on(const Wait& wait) {
  if (options_.on_wait) options_.on_wait(wait);
  const int signals = ports_.clock.times_asked_to_stop();
  if (signals == signals_answered_) return true;
  const bool first = signals_answered_ == 0;
  signals_answered_ = signals;
  if (!first && can_roll_back()) return false;
  if (options_.on_signal) options_.on_signal(answer_to_signal(wait));
  return true;
}

std::string ApplyRun::answer_to_signal(const Wait& wait) const {
  constexpr std::int64_t kSecond = 1000;
  const auto seconds = (std::max<std::int64_t>(wait.left.count(), 0) + kSecond - 1) / kSecond;
  std::string_view files = forward_ ? "files are written; " : "the old files are back; ";
  if (!wrote_) files = {};
  return fmt::format("{}finishing (at most {} s){}", files, seconds,
                     can_roll_back() ? ", press again to roll back now" : "");
}

/// What must be seen of a start that gives `way`, beginning from the unit as it is now.
Result<Wanted> ApplyRun::wanted_of(const Direction& way) {
  auto before = ports_.services.show(discover_.unit);
  if (!before) return std::move(before).error();
  Wanted wanted;
  wanted.unit = discover_.unit;
  wanted.list = way.list;
  wanted.argv = way.argv;
  wanted.health_address = model_.health_address;
  wanted.health_port = model_.health_port;
  wanted.before = *before;
  wanted.place = model::kubelet_place(snapshot_);
  if (const nodes::KubeletLauncher* launcher = model::launcher_of(snapshot_))
    wanted.becomes = launcher->becomes;
  if (way.files_route) wanted.config_files = config_files();
  return wanted;
}

/// One restart and everything that must be seen after it; `forward`: with a change that can be taken back.
Result<Confirmation> ApplyRun::restart_and_confirm(const Direction& way, bool forward) {
  auto found = wanted_of(way);
  if (!found) return std::move(found).error();
  Wanted wanted = std::move(*found);
  if (wanted.before.main_pid > 0) {
    auto old = discover::read_kubelet_process(ports_, wanted.before, wanted.place);
    if (!old) return std::move(old).error();
    wanted.old_process = *old;
  }
  // Starts by hand count for the start limit, and the one too many leaves the kubelet dead.
  if (wanted.before.start_limit_interval_usec > 0 && wanted.before.start_limit_burst > 0) {
    if (auto status = ports_.services.reset_failed(discover_.unit); !status) {
      return std::move(status).error();
    }
  }
  const bool by_files = way.files_route || wanted.place == nodes::KubeletPlace::kInside;
  if (by_files) outlive_grain_of_clock();
  restarted_at_ms_ = ports_.clock.wall_ms();
  log_size_ = discover::size_of_launcher_log(ports_.files, snapshot_);
  restarted_ = true;
  // A unit of Type=notify comes back when it is up: that is a part of the time to the first healthy answer. On
  // the way back it has all the time that systemd gives it, whatever the change was given.
  const Milliseconds patience =
      forward ? options_.timeout : std::max(kRestartDeadline, options_.timeout);
  const TimePoint asked = ports_.clock.now();
  if (auto restarted = restart_unit(patience); !restarted) return std::move(restarted).error();
  // On the way back the record keeps what it says. A record that cannot be written is no reason to
  // take back a kubelet that runs: it is said when the record shall be closed.
  if (forward && !mark(TransactionState::kRestarted)) {
    transaction_.state = TransactionState::kWritten;
  }
  const auto took = std::chrono::duration_cast<Milliseconds>(ports_.clock.now() - asked);
  return watch(way, wanted, forward ? options_.timeout - took : options_.timeout);
}

Status ApplyRun::restart_unit(Milliseconds patience) {
  std::string name = discover_.unit;
  if (name.ends_with(".service")) name.resize(name.size() - std::string_view(".service").size());
  std::string done = "restarted " + name;
  const TimePoint begin = ports_.clock.now();
  const auto wait = [&] {
    const auto waited = std::chrono::duration_cast<Milliseconds>(ports_.clock.now() - begin);
    return goes_on({.what = "restarting " + name,
                    .waited = waited,
                    .most = patience,
                    .left = std::max(options_.timeout, patience) + options_.window - waited});
  };
  return step("restart " + discover_.unit, done, [&]() -> Status {
    auto status = ports_.services.restart(discover_.unit, patience, wait);
    if (!status && status.error().kind == ErrorKind::kInterrupted) return roll_back_now();
    if (!status) return status;
    const auto state = ports_.services.show(discover_.unit);
    if (state && state->main_pid > 0) done += fmt::format(" (pid {})", state->main_pid);
    return {};
  });
}

Result<Confirmation> ApplyRun::watch(const Direction& way, const Wanted& wanted,
                                     Milliseconds timeout) {
  Result<Confirmation> seen = Confirmation{};
  const auto wait = [this](const Wait& one) { return goes_on(one); };
  const std::string done =
      options_.window <= Milliseconds{0}
          ? "saw the list in the running kubelet"
          : fmt::format("watched {} for {}",
                        wanted.health_address.empty() ? "the process" : "health",
                        duration_text(options_.window.count()));
  auto status = step("confirm the list in the running kubelet", done, [&]() -> Status {
    seen = confirm(ports_, wanted, timeout, options_.window, wait);
    if (!seen) return seen.error();
    if (seen->good) see_again(way, *seen);
    if (seen->failure) return *seen->failure;
    return {};
  });
  if (!status && seen && seen->good) return std::move(status).error();
  return seen;
}

/// The whole node read again: the files still say it, and the process that was watched runs with it.
void ApplyRun::see_again(const Direction& way, Confirmation& seen) {
  const auto fail = [&seen](Error error) {
    seen.good = false;
    seen.failure = std::move(error);
  };
  auto snapshot = discover::discover(ports_, discover_);
  if (!snapshot) return fail(std::move(snapshot).error());
  auto model = model::resolve(*snapshot);
  if (!model) return fail(std::move(model).error());
  hear_configz(*snapshot, *model, seen.evidence, outcome_.findings);
  if (seen.evidence.configz == model::Configz::kDiffers) {
    return fail({.kind = ErrorKind::kTimeout,
                 .message = "the kubelet itself says that it runs with another list"});
  }
  const std::set<std::string> wanted(way.list.begin(), way.list.end());
  std::set<std::string> running;
  const bool known = model->running && model->running->entries;
  if (known) running.insert(model->running->entries->begin(), model->running->entries->end());
  if (!known || running != wanted || model->running->process.pid != seen.evidence.pid) {
    return fail({.kind = ErrorKind::kTimeout,
                 .message = "the running kubelet could not be seen with this list"});
  }
  if (model->running->evidence != model::RunningList::Evidence::kConfigFile) return;
  const model::Layer* winner = model::winner_of(*model);
  seen.evidence.config_file = winner == nullptr ? model->config_path : winner->at.path;
}

std::vector<std::string> ApplyRun::config_files() const {
  std::vector<std::string> files;
  if (!model_.config_path.empty()) files.push_back(model_.config_path);
  if (!model_.config_dir.empty()) files.push_back(model_.config_dir);
  return files;
}

}  // namespace kubelet_sysctl::transaction
