// SPDX-License-Identifier: Apache-2.0
// Checks of what runs against what the files say, and of a kubelet that does not stay up or answer.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/down.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/checks/unknown_list.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/kubelet/last_words.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"

namespace kubelet_sysctl::checks {
namespace {

// Source: pkg/kubelet/apis/config/v1beta1/defaults.go.
constexpr int kUsualPort = 10248;
/// So many starts, the last one so short ago, are a loop even while a process happens to live.
constexpr std::int64_t kManyRestarts = 3;
constexpr std::int64_t kYoungMs = 60'000;

/// The flags of a command without the list's own, each as its name and the whole of it.
std::set<std::pair<std::string, std::string>> flags_in(const std::vector<std::string>& argv) {
  std::set<std::pair<std::string, std::string>> flags;
  const auto start = kubelet::kubelet_arguments_start(argv);
  if (!start) return flags;
  const kubelet::KubeletFlags parsed = kubelet::parse_kubelet_flags(argv, *start);
  std::string name;
  for (std::size_t i = *start; i < argv.size(); ++i) {
    const bool is_list = std::any_of(
        parsed.lists.begin(), parsed.lists.end(),
        [i](const kubelet::ListFlag& flag) { return flag.word == i || flag.value_word == i; });
    if (is_list) continue;
    // A value of its own word belongs to the flag before it.
    if (argv[i].starts_with('-')) name = argv[i].substr(0, argv[i].find('='));
    flags.emplace(name, argv[i]);
  }
  return flags;
}

bool is_down(const ports::UnitState& state) {
  return state.sub_state.starts_with("auto-restart") || state.active_state == "failed" ||
         state.result == "start-limit-hit";
}

bool is_young(const nodes::NodeSnapshot& snapshot) {
  return snapshot.doctor && snapshot.process && snapshot.process->started_at_ms > 0 &&
         snapshot.doctor->taken_at_ms - snapshot.process->started_at_ms < kYoungMs;
}

/// The file in force that changed last since the process began; nullptr when none did.
const SourceFile* newest_since(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                               std::int64_t started_at_ms) {
  const SourceFile* newest = nullptr;
  const auto look = [&](const SourceFile* file) {
    constexpr std::int64_t kNanoseconds = 1'000'000;
    if (file == nullptr || file->kind == FileKind::kAbsent) return;
    // A launcher writes its own files at every start, after its process began.
    const std::string name = file->path.substr(file->path.rfind('/'));
    const bool is_of_launcher = model::launcher_of(snapshot) != nullptr &&
                                model.kind->rewritten.find(name) != std::string_view::npos;
    if (is_of_launcher) return;
    if (file->meta.ctime_ns / kNanoseconds <= started_at_ms) return;
    if (newest == nullptr || file->meta.ctime_ns > newest->meta.ctime_ns) newest = file;
  };
  if (!model.config_path.empty()) look(nodes::find_file(snapshot, model.config_path));
  const auto walk = snapshot.config_dirs.find(model.config_dir);
  if (model.config_dir.empty() || walk == snapshot.config_dirs.end()) return newest;
  look(nodes::find_file(snapshot, model.config_dir));
  for (const nodes::WalkEntry& entry : walk->second) {
    if (entry.source != kNoSource) look(&snapshot.files[static_cast<std::size_t>(entry.source)]);
  }
  return newest;
}

}  // namespace

/// Where systemd's own word is not enough, what it has loaded is compared.
bool needs_reload(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model) {
  if (!snapshot.state->needs_reload) return false;
  return systemd::need_reload_is_reliable(snapshot.systemd_version) || !model.loaded_alike;
}

void not_reloaded(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                  const Check& check, std::vector<Finding>& found) {
  if (!snapshot.live || !snapshot.state || snapshot.unit.load != systemd::UnitLoad::kLoaded) return;
  const ports::UnitState& state = *snapshot.state;
  const std::string fix = "systemctl daemon-reload";
  const std::string fragment =
      snapshot.unit.fragment == kNoSource
          ? snapshot.unit.fragment_path
          : snapshot.files[static_cast<std::size_t>(snapshot.unit.fragment)].real_path;
  std::vector<std::string> loaded;
  for (const std::string& path : state.drop_in_paths)
    loaded.push_back(real_path_of(snapshot, path));
  std::vector<std::string> on_disk;
  for (const std::int32_t source : snapshot.unit.drop_ins) {
    on_disk.push_back(snapshot.files[static_cast<std::size_t>(source)].real_path);
  }
  const ListChange drop_ins = change_between(loaded, on_disk);
  std::string message;
  if (needs_reload(snapshot, model)) {
    message = "systemd has not read the unit files since they changed";
  } else if (!state.fragment_path.empty() && state.fragment_path != snapshot.unit.fragment_path &&
             real_path_of(snapshot, state.fragment_path) != fragment) {
    message = fmt::format("systemd has the unit from '{}'", state.fragment_path);
  } else if (!drop_ins.added.empty()) {
    message = fmt::format("systemd has not read {}", some_of(drop_ins.added));
  } else if (!drop_ins.removed.empty()) {
    message = fmt::format("systemd still uses {}", some_of(drop_ins.removed));
  } else {
    return;
  }
  Finding finding = finding_of(check, message + ": the next start would not be what the files say",
                               fmt::format("run: {}", fix));
  finding.path = snapshot.unit.fragment_path;
  found.push_back(std::move(finding));
}

void drift(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model, const Check& check,
           std::vector<Finding>& found) {
  if (!model.drift || !model.running || !model.running->entries) return;
  const ListChange change = change_between(*model.running->entries, model::configured_texts(model));
  std::string what;
  if (!change.added.empty()) what = " lacks " + some_of(change.added);
  if (!change.removed.empty()) {
    what += fmt::format("{} still allows {}", what.empty() ? "" : " and", some_of(change.removed));
  }
  if (what.empty()) what = " was started with another list";
  const model::Layer* winner = model::winner_of(model);
  found.push_back(at_origin(
      finding_of(check,
                 fmt::format("the running kubelet (pid {}){}", model.running->process.pid, what),
                 fmt::format("to make it use the files, run: systemctl restart {}",
                             shell_word(snapshot.unit.name))),
      winner == nullptr ? Origin{} : winner->at));
}

// The kubelet reads its files once, at its start. Source: cmd/kubelet/app/server.go.
void newer_file(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                const Check& check, std::vector<Finding>& found) {
  if (!model.running || model.running->entries) return;
  const Process& process = model.running->process;
  if (process.started_at_ms == 0) return;
  const SourceFile* newest = newest_since(snapshot, model, process.started_at_ms);
  if (newest == nullptr) return;
  Finding finding = finding_of(
      check,
      fmt::format(
          "this changed after the kubelet (pid {}) started: whether it uses this list is unknown",
          process.pid),
      fmt::format("to make it use the files, run: systemctl restart {}",
                  shell_word(snapshot.unit.name)));
  finding.path = newest->path;
  found.push_back(std::move(finding));
}

void other_arguments(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                     const Check& check, std::vector<Finding>& found) {
  if (!snapshot.process || model.wrapped || model.stopped) return;
  // A launcher adds flags of its own that are not known before it starts the kubelet.
  if (model::launcher_of(snapshot) != nullptr) return;
  const auto running = flags_in(snapshot.process->argv);
  const auto files = flags_in(model.argv);
  if (running.empty() || running == files) return;
  // Names alone: a value may be a secret.
  std::set<std::string> names;
  for (const auto& flag : running) {
    if (!files.contains(flag)) names.insert(flag.first);
  }
  for (const auto& flag : files) {
    if (!running.contains(flag)) names.insert(flag.first);
  }
  names.erase("");
  if (names.empty()) return;
  found.push_back(finding_of(
      check,
      fmt::format("the next start changes more than the list: {} differ{} from the running kubelet",
                  some_of({names.begin(), names.end()}), names.size() == 1 ? "s" : ""),
      "'kubelet-sysctl explain' names the file of each word; a change of the list restarts the "
      "kubelet with them"));
}

// Source: systemd.service(5), Restart=; the kubelet's log lines, pkg/kubelet and cmd/kubelet.
void restart_loop(const nodes::NodeSnapshot& snapshot, const model::NodeModel&, const Check& check,
                  std::vector<Finding>& found) {
  if (!snapshot.live || !snapshot.state) return;
  const ports::UnitState& state = *snapshot.state;
  const bool again = state.restarts >= kManyRestarts && is_young(snapshot);
  // The child of a launcher ends and is started again while the unit stays up.
  const bool childless = model::kubelet_place(snapshot) == nodes::KubeletPlace::kChild &&
                         !snapshot.process && snapshot.doctor &&
                         !snapshot.doctor->recognised.empty();
  if (!is_down(state) && !again && !childless) return;
  std::string message =
      childless
          ? std::string("the unit is active, but its kubelet does not stay up")
          : fmt::format("the kubelet does not stay up: {}/{}, {}, last exit status {}",
                        state.active_state, state.sub_state,
                        count_text(static_cast<std::size_t>(state.restarts), "restart", "restarts"),
                        state.exec_main_status);
  if (snapshot.doctor && !snapshot.doctor->recognised.empty()) {
    message += fmt::format("; its last words mean: {}", snapshot.doctor->recognised);
  } else if (snapshot.doctor && !snapshot.doctor->last_words.empty()) {
    constexpr std::size_t kMost = 300;
    const auto words = kubelet::reason_first(snapshot.doctor->last_words);
    const std::string& reason =
        kubelet::is_error_line(words.front()) ? words.front() : words.back();
    message += fmt::format("; its last words: {}", reason.substr(0, kMost));
  }
  Finding finding =
      finding_of(check, std::move(message),
                 childless ? fmt::format("for all its messages, see: {}",
                                         shell_word(model::launcher_log_file(snapshot)))
                           : fmt::format("for all its messages, run: journalctl -u {} -n 50",
                                         shell_word(snapshot.unit.name)));
  finding.path = snapshot.unit.fragment_path;
  found.push_back(std::move(finding));
}

// Source: systemd.service(5): a unit is active, reloading, inactive, failed, activating or deactivating.
void kubelet_stopped(const nodes::NodeSnapshot& snapshot, const model::NodeModel&,
                     const Check& check, std::vector<Finding>& found) {
  if (!snapshot.live || !snapshot.state || snapshot.state->load_state != "loaded") return;
  const ports::UnitState& state = *snapshot.state;
  const bool stopped = state.active_state == "inactive" || state.active_state == "deactivating";
  // What failed or waits for its next start is reported with its exit status and its last words.
  if (!stopped || is_down(state) || state.job_pending) return;
  Finding finding = finding_of(
      check,
      fmt::format("the kubelet does not run: '{}' is {}", snapshot.unit.name, state.active_state),
      fmt::format(
          "to start it, run: systemctl start {}; for its last messages, run: journalctl -u {} "
          "-n 50",
          shell_word(snapshot.unit.name), shell_word(snapshot.unit.name)));
  finding.path = snapshot.unit.fragment_path;
  found.push_back(std::move(finding));
}

namespace {

std::optional<Finding> unhealthy_finding(const nodes::NodeSnapshot& snapshot,
                                         const std::optional<nodes::HealthSeen>& health,
                                         const Check& check) {
  if (!snapshot.process || !health || health->ok) return std::nullopt;
  return finding_of(
      check,
      fmt::format("the kubelet (pid {}) is not healthy: {}", snapshot.process->pid, health->detail),
      fmt::format("run: journalctl -u {} -n 50", shell_word(snapshot.unit.name)));
}

}  // namespace

void not_healthy(const nodes::NodeSnapshot& snapshot, const model::NodeModel&, const Check& check,
                 std::vector<Finding>& found) {
  auto finding = unhealthy_finding(snapshot, snapshot.health, check);
  if (finding) found.push_back(std::move(*finding));
}

std::optional<Finding> down_finding(const nodes::NodeSnapshot& snapshot,
                                    const std::optional<nodes::HealthSeen>& health) {
  std::vector<Finding> found;
  const model::NodeModel unused;
  kubelet_stopped(snapshot, unused, check_named("kubelet-stopped"), found);
  restart_loop(snapshot, unused, check_named("restart-loop"), found);
  if (!found.empty()) return std::move(found.front());
  return unhealthy_finding(snapshot, health, check_named("not-healthy"));
}

void list_unknown(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                  const Check& check, std::vector<Finding>& found) {
  // Of a flag with its old name renamed-flag says.
  if (!is_list_unknown(model) || !model.wrapped) return;
  found.push_back(finding_of(
      check, "which list is in force is unknown: " + unknown_list_text(model),
      snapshot.live ? "let the unit start the kubelet itself, or let the wrapper end in 'exec', so "
                      "that its arguments can be seen"
                    : "run this on the running node: the kubelet's process shows its arguments"));
}

void health_off(const nodes::NodeSnapshot&, const model::NodeModel& model, const Check& check,
                std::vector<Finding>& found) {
  if (model.stopped || model.wrapped || !model.health_address.empty()) return;
  Finding finding = finding_of(
      check,
      "the health endpoint is off: after a change, only the process of the kubelet can be watched",
      fmt::format(
          "set 'healthzPort: {}' in the configuration file, and remove a flag '--healthz-port=0'",
          kUsualPort));
  finding.path = model.config_path;
  found.push_back(std::move(finding));
}

void health_moved(const nodes::NodeSnapshot&, const model::NodeModel& model, const Check& check,
                  std::vector<Finding>& found) {
  if (model.stopped || model.wrapped || model.health_address.empty()) return;
  if (model.health_port == kUsualPort &&
      (model.health_address == "127.0.0.1" || model.health_address == "::1")) {
    return;
  }
  Finding finding = finding_of(
      check,
      fmt::format("the health endpoint is at {}, port {}", model.health_address, model.health_port),
      "nothing to fix; it is asked there");
  finding.path = model.config_path;
  found.push_back(std::move(finding));
}

}  // namespace kubelet_sysctl::checks
