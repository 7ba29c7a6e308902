// SPDX-License-Identifier: Apache-2.0
// A pretend node behind the ports.
#include "support/fake_services.hpp"
#include "kubelet_sysctl/base/counted.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace kubelet_sysctl {
namespace {

/// The node came up at 2026-11-20T22:00:00Z and these tests begin 57 minutes and 26 seconds later.
constexpr std::int64_t kBootMs = 1795212000000;
constexpr TimePoint kBegin{std::chrono::seconds(3446)};
constexpr int kSystemd = 252;
constexpr Milliseconds kReloadTakes{15};
constexpr Milliseconds kRestartTakes{40};
constexpr TimePoint kNever = TimePoint::max();

std::int64_t ms_of(TimePoint time) {
  return std::chrono::duration_cast<Milliseconds>(time.time_since_epoch()).count();
}

std::uint64_t us_of(TimePoint time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count());
}

Error job_failed(const std::string& unit, const std::string& why) {
  return Error{.kind = ErrorKind::kIo,
               .message = fmt::format("'systemctl restart {}' failed: {}", unit, why)};
}

Error program_ended() { return Error{.message = "the program has ended by now"}; }

/// Index in `snapshot` of what `from` holds at `source`, put there if need be.
std::int32_t carry(const nodes::NodeSnapshot& from, std::int32_t source,
                   nodes::NodeSnapshot& snapshot) {
  if (source == kNoSource) return source;
  const SourceFile& file = from.files[static_cast<std::size_t>(source)];
  const std::int32_t known = nodes::find_source(snapshot, file.path);
  if (known == kNoSource) {
    snapshot.files.push_back(file);
    return static_cast<std::int32_t>(snapshot.files.size() - 1);
  }
  snapshot.files[static_cast<std::size_t>(known)] = file;
  return known;
}

/// What the pretence reads is none of what the program reads.
struct NotCounted {
  decltype(count_hook) kept = std::exchange(count_hook, nullptr);
  NotCounted() = default;
  NotCounted(const NotCounted&) = delete;
  NotCounted& operator=(const NotCounted&) = delete;
  ~NotCounted() { count_hook = kept; }
};

}  // namespace

bool FakeServices::Kubelet::answers(TimePoint now) const {
  return health_port != 0 && !how.never_healthy && now >= started + how.healthy_after;
}

FakeServices::FakeServices(std::string root, ports::FileSystem& disk, std::string unit)
    : root_(std::move(root)),
      unit_(std::move(unit)),
      files_(disk, *this, kBootMs, changed_at_ms_),
      now_(kBegin) {
  write_machine(root_, kBootMs, kSystemd);
  state_.active_state = "inactive";
  state_.sub_state = "dead";
  state_.result = "success";
  load();
}

void FakeServices::boot() {
  if (auto status = start(); !status) bug(status.error().message.c_str());
  advance(now_ + std::chrono::minutes(1));
}

void FakeServices::stop(bool failed) {
  end_process(failed ? "exit-code" : "success", failed ? 1 : 0);
  restart_at_.reset();
  state_.active_state = failed ? "failed" : "inactive";
  state_.sub_state = failed ? "failed" : "dead";
}

void FakeServices::write(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
  std::ofstream(root_ + path, std::ios::binary | std::ios::trunc) << bytes;
  changed_at_ms_[path] = wall_ms();
}

std::int64_t FakeServices::elapsed_ms() const { return ms_of(now_) - ms_of(kBegin); }

std::int64_t FakeServices::wall_ms() { return kBootMs + ms_of(now_); }

Result<std::vector<std::string>> FakeServices::environment() {
  return std::vector<std::string>{"LANG=C.UTF-8",
                                  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"};
}

void FakeServices::load() {
  const NotCounted not_counted;
  ports::Ports ports = this->ports();
  const discover::DiscoverOptions options{
      .unit = unit_, .live = false, .systemd_version = kSystemd};
  auto snapshot = discover::discover(ports, options);
  if (!snapshot) bug(snapshot.error().message.c_str());
  loaded_ = std::move(*snapshot);
  const auto command = model::resolve_command(loaded_);
  // A command that could not be started now may be all the same a unit that is loaded.
  const bool refused =
      !command && command.error().message.find("does not load") != std::string::npos;
  state_.load_error.clear();
  state_.load_state = refused ? "bad-setting" : "loaded";
  if (refused) state_.load_error = command.error().message;
  if (loaded_.unit.load == systemd::UnitLoad::kNotFound) state_.load_state = "not-found";
  if (loaded_.unit.load == systemd::UnitLoad::kMasked) state_.load_state = "masked";
}

Result<ports::UnitState> FakeServices::show(const std::string& unit) {
  ports::UnitState state = state_;
  if (unit != unit_) {
    state = {};
    state.id = unit;
    state.load_state = "not-found";
    return state;
  }
  state.id = loaded_.unit.id;
  state.type = "simple";
  state.fragment_path = loaded_.unit.fragment_path;
  for (const std::int32_t source : loaded_.unit.drop_ins) {
    state.drop_in_paths.push_back(loaded_.files[static_cast<std::size_t>(source)].path);
  }
  state.main_pid = pid();
  if (kubelet_) state.control_group = kubelet_->process.control_group;
  if (kubelet_) state.main_start_usec = us_of(kubelet_->started);
  if (state.active_state != "inactive") state.invocation_id = fmt::format("{:032x}", invocations_);
  state.start_limit_burst = start_limit_burst;
  if (start_limit_burst > 0) {
    state.start_limit_interval_usec =
        static_cast<std::uint64_t>(start_limit_interval.count()) * 1000;
  }
  state.needs_reload = says_needs_reload;
  state.restarts += more_restarts;
  state.job_pending = has_job;
  return state;
}

Status FakeServices::reload(Milliseconds) {
  if (dead) return program_ended();
  changes.emplace_back("reload");
  advance(now_ + kReloadTakes);
  if (reload_error) return *reload_error;
  load();
  if (!load_state_after_reload.empty()) state_.load_state = load_state_after_reload;
  says_needs_reload = false;
  return {};
}

Status FakeServices::reset_failed(const std::string&) {
  if (dead) return program_ended();
  changes.emplace_back("reset-failed");
  starts_.clear();
  if (state_.active_state == "failed") {
    state_.active_state = "inactive";
    state_.sub_state = "dead";
    state_.result = "success";
  }
  return {};
}

/// The unit of the last reload with the other files as they are now.
Result<nodes::NodeSnapshot> FakeServices::snapshot_at_start() {
  ports::Ports ports = this->ports();
  const discover::DiscoverOptions options{
      .unit = unit_, .live = false, .systemd_version = kSystemd};
  auto snapshot = discover::discover(ports, options);
  if (!snapshot) return snapshot;
  for (const SourceFile& file : loaded_.files) {
    if (nodes::find_source(*snapshot, file.path) != kNoSource) continue;
    auto now = files_.read(file.path);
    if (!now) return std::move(now).error();
    snapshot->files.push_back(std::move(*now));
  }
  snapshot->known = {};
  snapshot->unit = loaded_.unit;
  snapshot->unit.fragment = carry(loaded_, loaded_.unit.fragment, *snapshot);
  for (std::int32_t& source : snapshot->unit.drop_ins) {
    source = carry(loaded_, source, *snapshot);
  }
  return snapshot;
}

Misbehaviour FakeServices::take_misbehaviour(const std::vector<std::string>& list) {
  const bool meant = misbehaviour_.only_with.empty() ||
                     std::find(list.begin(), list.end(), misbehaviour_.only_with) != list.end();
  if (!meant || misbehaviour_.starts == 0) return {};
  --misbehaviour_.starts;
  return misbehaviour_;
}

/// What a start now would give: the words, the list that the kubelet takes from them and from its
/// files, and what is wrong with it.
Result<FakeServices::Kubelet> FakeServices::kubelet_at_start(std::vector<std::string>& list) {
  const NotCounted not_counted;
  auto snapshot = snapshot_at_start();
  if (!snapshot) return std::move(snapshot).error();
  auto command = model::resolve_command(*snapshot);
  if (!command) return std::move(command).error();
  Kubelet made;
  for (const systemd::Word& word : command->words) made.argv.push_back(word.text.text);
  auto model = checks::resolve_and_check(*snapshot);
  if (!model) {
    made.how.dies_after = Milliseconds(200);
    made.how.last_words = {fmt::format(
        "E1120 22:57:26.000000 1 run.go:74] \"command failed\" err=\"failed to load kubelet config "
        "file, path: {}, error: {}\"",
        model.error().path, model.error().message)};
    return made;
  }
  list = model::configured_texts(*model);
  take_host(*snapshot, *model, made);
  made.how = take_misbehaviour(list);
  made.health_port = model->health_port;
  if (made.how.argv) made.argv = *made.how.argv;
  return made;
}

Status FakeServices::restart(const std::string& unit, Milliseconds deadline,
                             const std::function<bool()>& goes_on) {
  restart_deadline = deadline;
  if (dead) return program_ended();
  changes.emplace_back("restart");
  if (state_.load_state != "loaded") {
    return job_failed(unit, fmt::format("Unit {} has a bad unit file setting.", unit));
  }
  advance(now_ + kRestartTakes);
  // It takes two looks of the one who waits.
  if (goes_on && (!goes_on() || !goes_on())) {
    return Error{.kind = ErrorKind::kInterrupted, .message = "nobody waits"};
  }
  std::vector<std::string> list;
  auto next = kubelet_at_start(list);
  if (next && next->how.restart_does_nothing) return {};
  const bool over_limit = is_over_limit();
  stop(over_limit);
  if (over_limit) {
    state_.result = "start-limit-hit";
    return job_failed(unit, "Start request repeated too quickly.");
  }
  if (!next) {
    stop(true);
    state_.result = "resources";
    return job_failed(unit, next.error().message);
  }
  if (next->how.stays_stopped) return {};
  if (next->how.restart_fails) {
    ++invocations_;
    for (const std::string& text : next->how.last_words) say(text, Milliseconds(0));
    stop(true);
    return job_failed(unit, "Job failed. See \"journalctl -xe\" for details.");
  }
  started_lists.push_back(list);
  run(std::move(*next));
  state_.restarts = 0;
  advance(now_);
  return {};
}

bool FakeServices::is_over_limit() {
  if (start_limit_burst == 0) return false;
  while (!starts_.empty() && starts_.front() + start_limit_interval <= now_) starts_.pop_front();
  return starts_.size() >= start_limit_burst;
}

Status FakeServices::start() {
  std::vector<std::string> list;
  auto next = kubelet_at_start(list);
  if (!next) return std::move(next).error();
  started_lists.push_back(list);
  run(std::move(*next));
  return {};
}

void FakeServices::run(Kubelet kubelet) {
  kubelet_ = std::move(kubelet);
  kubelet_->started = now_;
  kubelet_->process.pid = next_pid_++;
  kubelet_->process.start_ticks = us_of(now_) / 10000;
  kubelet_->process.control_group = "/system.slice/" + unit_;
  ++invocations_;
  starts_.push_back(now_);
  state_.active_state = "active";
  state_.sub_state = "running";
  state_.result = "success";
  state_.exec_main_status = 0;
  start_hosted();
  show_process();
}

void FakeServices::say(const std::string& text, Milliseconds lag) {
  journal_.push_back({.readable = now_ + lag,
                      .invocation = fmt::format("{:032x}", invocations_),
                      .text = text,
                      .at_ms = wall_ms()});
}

void FakeServices::end_process(const std::string& result, int status) {
  if (kubelet_ && kubelet_->child) remove_process(root_, kubelet_->child->pid);
  child_at_.reset();
  if (kubelet_) remove_process(root_, kubelet_->process.pid);
  kubelet_.reset();
  state_.result = result;
  state_.exec_main_status = status;
}

void FakeServices::die() {
  if (kubelet_->child) return end_child();
  for (const std::string& text : kubelet_->how.last_words) say(text, kubelet_->how.journal_lag);
  end_process("exit-code", kubelet_->how.exit_status);
  state_.active_state = "activating";
  state_.sub_state = "auto-restart";
  restart_at_ = now_ + restart_delay;
}

void FakeServices::show_process() {
  if (kubelet_->is_child) write_process(root_, kubelet_->process);
  if (kubelet_->is_child && !kubelet_->child) return;
  FakeProcess& process = kubelet_->child ? *kubelet_->child : kubelet_->process;
  const bool is_itself = now_ >= kubelet_->started + kubelet_->how.exec_after;
  process.argv = is_itself ? kubelet_->argv : std::vector<std::string>{"(kubelet)"};
  process.listens_on = kubelet_->answers(now_) ? kubelet_->health_port : 0;
  process.socket_is_foreign = kubelet_->how.other_process_answers;
  write_process(root_, process);
}

TimePoint FakeServices::next_event() const {
  TimePoint next = std::min(restart_at_.value_or(kNever), child_at_.value_or(kNever));
  if (!kubelet_ || child_at_) return next;
  const Misbehaviour& how = kubelet_->how;
  if (how.dies_after) next = std::min(next, kubelet_->started + *how.dies_after);
  for (const Milliseconds after : {how.exec_after, how.healthy_after}) {
    if (kubelet_->started + after > now_) next = std::min(next, kubelet_->started + after);
  }
  return next;
}

void FakeServices::advance(TimePoint until) {
  for (TimePoint event = next_event(); event <= until; event = next_event()) {
    now_ = std::max(now_, event);
    if (restart_at_ && *restart_at_ <= now_) {
      restart_at_.reset();
      start_again();
    } else if (child_at_ && *child_at_ <= now_) {
      start_child();
    } else if (kubelet_->how.dies_after && kubelet_->started + *kubelet_->how.dies_after <= now_) {
      die();
    } else {
      show_process();
    }
  }
  now_ = std::max(now_, until);
}

void FakeServices::start_again() {
  ++state_.restarts;
  if (is_over_limit()) {
    stop(true);
    return;
  }
  if (start()) return;
  state_.result = "resources";
  restart_at_ = now_ + restart_delay;
}

bool FakeServices::wait_until(TimePoint until, std::int64_t pid) {
  constexpr int kMostWaits = 100000;
  if (++waits_ > kMostWaits) bug("a wait without an end");
  const auto ended = [&] { return pid != 0 && pid != this->pid() && pid != kubelet_pid(); };
  if (ended()) return true;
  while (next_event() <= until) {
    advance(next_event());
    if (ended()) return true;
  }
  advance(until);
  return false;
}

Result<std::vector<std::string>> FakeServices::last_words(const std::string&,
                                                          const std::string& invocation,
                                                          std::int64_t, int lines) {
  std::vector<std::string> words;
  for (const Line& line : journal_) {
    if (line.readable <= now_ && (invocation.empty() || invocation == line.invocation)) {
      words.push_back(line.text);
    }
  }
  while (words.size() > static_cast<std::size_t>(lines)) words.erase(words.begin());
  return words;
}

Result<ports::HealthAnswer> FakeServices::get(const std::string&, int port, const std::string& path,
                                              Milliseconds) {
  if (!kubelet_ || !kubelet_->answers(now_) || port != kubelet_->health_port) {
    return Error{.kind = ErrorKind::kIo, .message = "nobody answers: Connection refused"};
  }
  const Misbehaviour& how = kubelet_->how;
  if (path != "/healthz") return ports::HealthAnswer{.status = 404, .body = "404 page not found"};
  const bool failing = how.unhealthy_after && now_ >= kubelet_->started + *how.unhealthy_after;
  if (failing) return ports::HealthAnswer{.status = 500, .body = "internal server error"};
  return ports::HealthAnswer{.status = how.health_status, .body = "ok"};
}

Result<ports::HealthAnswer> FakeServices::get_whole(const std::string& address, int port,
                                                    const std::string& path, std::size_t most,
                                                    Milliseconds deadline) {
  const auto list = pod_lists.find(port);
  if (list == pod_lists.end() || path != "/pods" || list->second.size() > most) {
    return get(address, port, path, deadline);
  }
  return ports::HealthAnswer{.status = 200, .body = list->second};
}

}  // namespace kubelet_sysctl
