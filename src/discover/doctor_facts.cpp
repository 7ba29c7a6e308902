// SPDX-License-Identifier: Apache-2.0
// What only doctor reads: files that are passed over, and the last words of a kubelet that fell.
#include <array>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/discover/launcher_files.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/kubelet/last_words.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/paths.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"

namespace kubelet_sysctl::discover {
namespace {

constexpr std::size_t kLastWords = 40;
/// Of which the last words are taken: an old kubelet says its reason above its stacks.
constexpr int kJournalLines = 3000;
/// A file that a user put beside the others and that is no list; reading it would tell nothing.
constexpr std::uint64_t kLargest = 1024 * 1024;

class DoctorFactsReader {
 public:
  DoctorFactsReader(ports::Ports& ports, const model::NodeModel& model,
                    nodes::NodeSnapshot& snapshot)
      : ports_(ports), model_(model), snapshot_(snapshot) {}

  nodes::DoctorFacts run() {
    facts_.taken_at_ms = ports_.clock.wall_ms();
    note_lock_file();
    read_passed_over_drop_ins();
    for (const char* path : {"/etc/default/kubelet", "/etc/sysconfig/kubelet"}) read(path);
    read_wiped_environment_files();
    hear_last_words();
    return std::move(facts_);
  }

 private:
  /// Every name that leads to the lock file; finding them out opens nothing.
  void note_lock_file() {
    for (const auto& argv :
         {model_.argv, snapshot_.process ? snapshot_.process->argv : std::vector<std::string>()}) {
      const auto start = kubelet::kubelet_arguments_start(argv);
      if (!start) continue;
      const auto file = kubelet::parse_kubelet_flags(argv, *start).lock_file;
      if (!file || file->empty()) continue;
      const std::string path = ports::joined(snapshot_.process_cwd, *file);
      const auto real = ports_.files.real_path(path);
      locks_.push_back(path);
      if (real) locks_.push_back(*real);
    }
  }

  bool is_lock_file(const std::string& path) {
    const auto real = ports_.files.real_path(path);
    for (const std::string& lock : locks_) {
      if (path == lock || !real || *real == lock) return true;
    }
    return false;
  }

  void read(const std::string& path) {
    if (nodes::find_file(snapshot_, path) != nullptr || is_lock_file(path)) return;
    const auto target = ports::target_of(ports_.files, path);
    const bool is_file = target && target->entry && target->entry->kind == ports::EntryKind::kFile;
    if (target && (!is_file || target->entry->size > kLargest)) return;
    auto source = target ? ports::add_file(ports_.files, path, snapshot_.files)
                         : Result<std::int32_t>(target.error());
    if (!source) {
      facts_.not_inspected.push_back(fmt::format("{}: {}", path, source.error().message));
    }
  }

  void read_passed_over_drop_ins() {
    const auto walk = snapshot_.config_dirs.find(model_.config_dir);
    if (model_.config_dir.empty() || walk == snapshot_.config_dirs.end()) return;
    for (const nodes::WalkEntry& entry : walk->second) {
      if (entry.source == kNoSource) read(entry.path);
    }
  }

  /// Those too that a later empty EnvironmentFile= takes back.
  void read_wiped_environment_files() {
    for (const systemd::ParsedUnitFile& file : model_.unit.files) {
      for (const systemd::UnitSetting& setting : file.written.settings) {
        if (setting.section != "Service" || setting.key != "EnvironmentFile") continue;
        std::vector<systemd::FormUse> unused;
        const auto line =
            systemd::parse_environment_file_line(setting.value, snapshot_.specifiers, unused);
        if (line && *line) read((*line)->path);
      }
    }
  }

  void hear_last_words() {
    if (!snapshot_.live || !snapshot_.state) return;
    const ports::UnitState& state = *snapshot_.state;
    // A launcher stays up while its kubelet ends again and again.
    if (!snapshot_.process && state.active_state == "active") {
      const auto logged = last_words_in_file(ports_.files, snapshot_, 0, kJournalLines);
      if (logged) facts_.last_words = kubelet::said_last(*logged, kLastWords);
      facts_.recognised = kubelet::recognise(facts_.last_words);
      return;
    }
    const bool fell = state.restarts > 0 || state.active_state == "failed" ||
                      state.sub_state.starts_with("auto-restart");
    if (!fell) return;
    // By the unit alone: the invocation that runs now is not the one that fell.
    auto words = ports_.services.last_words(snapshot_.unit.id, {}, 0, kJournalLines);
    if (!words) {
      facts_.not_inspected.push_back(
          fmt::format("the last words of '{}': {}", snapshot_.unit.id, words.error().message));
      return;
    }
    facts_.last_words = kubelet::said_last(std::move(*words), kLastWords);
    facts_.recognised = kubelet::recognise(facts_.last_words);
  }

  ports::Ports& ports_;
  const model::NodeModel& model_;
  nodes::NodeSnapshot& snapshot_;
  std::vector<std::string> locks_;
  nodes::DoctorFacts facts_;
};

}  // namespace

void read_doctor_facts(ports::Ports& ports, const model::NodeModel& model,
                       nodes::NodeSnapshot& snapshot) {
  snapshot.doctor = DoctorFactsReader(ports, model, snapshot).run();
}

}  // namespace kubelet_sysctl::discover
