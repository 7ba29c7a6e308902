// SPDX-License-Identifier: Apache-2.0
// What a snapshot means: the layers that set the list, the winner, the running list, the health endpoint.
#include "kubelet_sysctl/model/model.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <fmt/format.h>

#include "kubelet_sysctl/base/counted.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/lines.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/desired/desired_list.hpp"
#include "kubelet_sysctl/kubelet/flag_fault.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/config.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::model {
namespace {

// Source: pkg/kubelet/apis/config/v1beta1/defaults.go.
constexpr int kDefaultHealthPort = 10248;
constexpr const char* kDefaultHealthAddress = "127.0.0.1";

/// The part of `word` between two offsets, as bytes of the file it came from.
Origin part_origin(const nodes::NodeSnapshot& snapshot, const systemd::Word& word, const Origin& of,
                   std::size_t begin, std::size_t end, std::map<std::int32_t, LineCounter>& lines) {
  Origin origin = of;
  origin.span = {0, 0};
  origin.source = kNoSource;
  if (begin >= end || end > word.text.at.size()) return origin;
  CharOrigin whole = word.text.at[begin];
  for (std::size_t i = begin; i < end; ++i) {
    const CharOrigin& one = word.text.at[i];
    if (one.source != whole.source) return origin;
    whole.begin = std::min(whole.begin, one.begin);
    whole.end = std::max(whole.end, one.end);
  }
  if (whole.source == kNoSource) return origin;
  const SourceFile& file = snapshot.files[static_cast<std::size_t>(whole.source)];
  origin.path = file.path;
  origin.source = whole.source;
  origin.span = {whole.begin, whole.end};
  origin.line = lines[whole.source].line_of(file.bytes, whole.begin);
  return origin;
}

bool same_set(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::set<std::string>(a.begin(), a.end()) == std::set<std::string>(b.begin(), b.end());
}

class Modeller {
 public:
  explicit Modeller(const nodes::NodeSnapshot& snapshot) : snapshot_(snapshot) {
    counted(Counted::kResolve);
  }

  Result<NodeModel> run() {
    if (auto status = go(); !status) return std::move(status).error();
    return std::move(model_);
  }

  NodeModel run_partly() {
    auto status = go();
    if (!status) {
      model_.stopped = std::move(status).error();
      model_.layers.clear();
    }
    return std::move(model_);
  }

 private:
  Status go() {
    model_.kind = &nodes::kind_of(snapshot_);
    model_.unit = nodes::parsed_unit_of(snapshot_);
    read_desired_list();
    const auto& known = snapshot_.known.command;
    auto command =
        known ? Result<systemd::CommandLine>(*known) : resolve_command(snapshot_, model_.unit);
    if (!command) return std::move(command).error();
    model_.loaded_alike = snapshot_.state && snapshot_.state->loaded == command->loaded;
    for (const systemd::Word& word : command->words) model_.unit_argv.push_back(word.text.text);
    auto kubelet = kubelet_command(snapshot_, std::move(*command));
    if (!kubelet) return std::move(kubelet).error();
    model_.command = std::move(*kubelet);
    for (const systemd::Word& word : model_.command.words) model_.argv.push_back(word.text.text);
    read_flags();
    if (auto status = check_deciding_words(); !status) return status;
    if (auto status = config_layers(); !status) return status;
    flag_layer();
    choose();
    health();
    running();
    return {};
  }

  void read_desired_list() {
    model_.desired_fault = snapshot_.desired_fault;
    if (snapshot_.desired_files.empty()) return;
    std::vector<const SourceFile*> files;
    for (const std::int32_t source : snapshot_.desired_files) {
      files.push_back(&snapshot_.files[static_cast<std::size_t>(source)]);
    }
    auto list = desired::parse_desired_list(files);
    if (list) {
      model_.desired_list = std::move(*list);
    } else {
      model_.desired_fault = std::move(list).error();
    }
  }

  /// A kubelet that a shell or an unknown program runs has flags that only its process shows.
  void read_flags() {
    const auto start = kubelet::kubelet_arguments_start(model_.argv);
    model_.wrapped = !start.has_value();
    if (start) {
      // Source: kubernetes PR 63717, in 1.11.
      constexpr sysctl::KubeletVersion kRenamed{.major = 1, .minor = 11, .patch = 0};
      const bool old = snapshot_.kubelet_version && *snapshot_.kubelet_version < kRenamed;
      model_.flags = kubelet::parse_kubelet_flags(
          model_.argv, *start, old ? kubelet::ListName::kUpTo110 : kubelet::ListName::kCurrent);
    } else if (snapshot_.process) {
      const auto live = kubelet::kubelet_arguments_start(snapshot_.process->argv);
      if (live) model_.flags = kubelet::parse_kubelet_flags(snapshot_.process->argv, *live);
    }
    find_flag_fault();
    if (model_.flags.config) {
      model_.config_path = absolute(*model_.flags.config, snapshot_.process_cwd);
    }
    if (model_.flags.config_dir) {
      model_.config_dir = absolute(*model_.flags.config_dir, snapshot_.process_cwd);
    }
  }

  /// What the release does not take of the flags ends it as a word does that is no flag.
  void find_flag_fault() {
    const bool inside = kubelet_place(snapshot_) != nodes::KubeletPlace::kMain;
    if (model_.wrapped || inside) return;
    std::vector<std::string> running;
    if (snapshot_.process) running = snapshot_.process->argv;
    auto fault = kubelet::flag_fault(model_.flags, snapshot_.kubelet_version, running,
                                     !model_.command.unset.empty());
    if (!fault) return;
    model_.flags.fatal = std::move(fault->why);
    model_.flags.fatal_word = fault->word;
  }

  /// A specifier that only the running node says may be in any word but those that decide.
  Status check_deciding_words() const {
    std::vector<std::string> words = {model_.config_path, model_.config_dir};
    for (const kubelet::ListFlag& flag : model_.flags.lists) {
      for (const kubelet::ListFlag::Item& item : flag.items) words.push_back(item.text);
    }
    for (const auto& [letter, value] : snapshot_.specifiers) {
      if (value.size() != 2 || value[0] != '%' || value[1] != letter) continue;
      for (const std::string& word : words) {
        if (word.find(value) == std::string::npos) continue;
        return Error{
            .kind = ErrorKind::kUnsupported,
            .message = fmt::format(
                "cannot determine here what systemd substitutes for '{}' in '{}'", value, word),
            .path = snapshot_.unit.fragment_path,
            .hint = "run it on the node itself"};
      }
    }
    return {};
  }

  Status config_layers() {
    if (auto hidden = other_files(snapshot_, model_)) return std::move(*hidden);
    auto made = model::config_layers(snapshot_, model_);
    if (!made) return std::move(made).error();
    // A flag hides whatever the files say.
    if (made->depends_on_release && model_.flags.lists.empty()) {
      return std::move(*made->depends_on_release);
    }
    if (made->healthz_port) port_ = *made->healthz_port;
    if (made->healthz_address) address_ = *made->healthz_address;
    model_.layers = std::move(made->layers);
    model_.config_files = std::move(made->files);
    model_.config_doubt = std::move(made->doubt);
    model_.pod_defaults = pod_defaults_of(snapshot_, model_);
    return {};
  }

  void flag_layer() {
    if (model_.flags.lists.empty()) return;
    Layer layer;
    layer.kind = LayerKind::kFlag;
    std::map<std::int32_t, LineCounter> lines;
    for (const kubelet::ListFlag& flag : model_.flags.lists) {
      layer.at = origin_of(flag.word);
      for (const kubelet::ListFlag::Item& item : flag.items) {
        Origin origin = origin_of(flag.value_word);
        if (!model_.wrapped) {
          origin = part_origin(snapshot_, model_.command.words[flag.value_word], origin, item.begin,
                               item.end, lines);
        }
        add_entry(layer, item.text, origin);
      }
    }
    model_.layers.push_back(std::move(layer));
  }

  Origin origin_of(std::size_t word) const {
    if (model_.wrapped) {
      Origin origin;
      origin.kind = OriginKind::kProcess;
      return origin;
    }
    return model_.command.origins[word];
  }

  void choose() {
    const auto winner = std::find_if(model_.layers.rbegin(), model_.layers.rend(),
                                     [](const Layer& layer) { return layer.sets; });
    if (winner == model_.layers.rend()) return;
    winner->wins = true;
  }

  void health() {
    if (model_.flags.healthz_bind_address) address_ = *model_.flags.healthz_bind_address;
    if (model_.flags.healthz_port) {
      const std::string& text = *model_.flags.healthz_port;
      int value = 0;
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
      if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) port_ = value;
    }
    if (port_ == 0) return;
    model_.health_port = port_;
    model_.health_address = address_;
    // A wildcard is bound everywhere, loopback included.
    if (address_.empty() || address_ == "0.0.0.0") model_.health_address = kDefaultHealthAddress;
    if (address_ == "::") model_.health_address = "::1";
  }

  void running() {
    if (!snapshot_.process) return;
    RunningList running;
    running.process = *snapshot_.process;
    const bool inside = kubelet_place(snapshot_) == nodes::KubeletPlace::kInside;
    const bool logged = inside && snapshot_.logged_argv.has_value();
    const auto& argv = logged ? *snapshot_.logged_argv : running.process.argv;
    const auto start = kubelet::kubelet_arguments_start(argv);
    if (start && (logged || !inside)) {
      const kubelet::KubeletFlags flags = kubelet::parse_kubelet_flags(argv, *start);
      if (!flags.lists.empty()) {
        running.evidence = inside ? RunningList::Evidence::kLog : RunningList::Evidence::kArgv;
        running.entries = kubelet::list_of(flags);
      } else if (files_prove(flags)) {
        running.evidence = RunningList::Evidence::kConfigFile;
        running.entries = file_list();
      }
    } else if (inside && launcher_files_prove() && files_prove(model_.flags)) {
      running.evidence = RunningList::Evidence::kConfigFile;
      running.entries = configured_texts(model_);
    }
    hear_configz(running);
    if (running.entries) model_.drift = !same_set(*running.entries, configured_texts(model_));
    model_.running = std::move(running);
  }

  /// The process itself knows best: its own answer is over what its start lets one conclude.
  void hear_configz(RunningList& running) const {
    if (!snapshot_.configz) return;
    const auto& said = snapshot_.configz->entries;
    running.configz = said ? Configz::kOk : Configz::kUnknown;
    if (!said || (running.entries && same_set(*running.entries, *said))) return;
    if (running.entries) running.configz = Configz::kDiffers;
    running.evidence = RunningList::Evidence::kConfigz;
    running.entries = said;
  }

  /// True when the process reads the very files that were read here and none is newer than it.
  bool files_prove(const kubelet::KubeletFlags& flags) const {
    const auto path = [this](const std::optional<std::string>& text) {
      return absolute(text.value_or(""), snapshot_.process_cwd);
    };
    if (path(flags.config) != model_.config_path) return false;
    if (path(flags.config_dir) != model_.config_dir) return false;
    if (files_read_at_ms() == 0) return false;
    const auto older = [this](const SourceFile& file) { return is_older(file); };
    if (!model_.config_path.empty()) {
      const SourceFile* file = nodes::find_file(snapshot_, model_.config_path);
      if (file == nullptr || !older(*file)) return false;
    }
    const auto walk = snapshot_.config_dirs.find(model_.config_dir);
    if (model_.config_dir.empty()) return true;
    if (walk == snapshot_.config_dirs.end()) return false;
    // A file that was taken away leaves only the directory's own time behind.
    const SourceFile* directory = nodes::find_file(snapshot_, model_.config_dir);
    if (directory == nullptr || !older(*directory)) return false;
    return std::all_of(walk->second.begin(), walk->second.end(),
                       [&](const nodes::WalkEntry& entry) {
                         if (entry.source == kNoSource) return true;
                         return older(snapshot_.files[static_cast<std::size_t>(entry.source)]) ||
                                is_of_this_start(entry);
                       });
  }

  /// When the kubelet began to read its files, at the earliest: a kubelet inside another program starts after
  /// that program, which writes some of those files first. 0: not known.
  std::int64_t files_read_at_ms() const {
    return snapshot_.logged_argv ? snapshot_.logged_at_ms : snapshot_.process->started_at_ms;
  }

  /// True for a file that its launcher writes at every start, right before its kubelet begins: as old as a clock
  /// can determine; or hidden by a later one that sets the list, so that what it says is not in force.
  bool is_of_this_start(const nodes::WalkEntry& entry) const {
    const nodes::KubeletLauncher* launcher = launcher_of(snapshot_);
    if (launcher == nullptr) return false;
    const std::string name(base_name(entry.path));
    if (model_.kind->rewritten.find("/" + name) == std::string_view::npos) return false;
    constexpr std::int64_t kJustBefore = 1000;
    const SourceFile& file = snapshot_.files[static_cast<std::size_t>(entry.source)];
    const bool known = launcher->place == nodes::KubeletPlace::kChild || snapshot_.logged_argv;
    if (known && file.meta.ctime_ns / 1000000 <= files_read_at_ms() + kJustBefore) return true;
    const Layer* winner = winner_of(model_);
    return winner != nullptr && winner->kind == LayerKind::kConfigDir &&
           winner->at.path != entry.path;
  }

  /// True for a file that was last changed before the process began. The change time, since 'cp -p' and
  /// 'mv' bring an old modification time along.
  bool is_older(const SourceFile& file) const {
    // A line of the journal is there before the kubelet reads, by more than the clocks differ.
    const std::int64_t grain = snapshot_.logged_argv ? 0 : kClockGrain.count();
    return file.kind != FileKind::kAbsent &&
           file.meta.ctime_ns / 1000000 + grain <= files_read_at_ms();
  }

  /// True when nothing that decides the words of the launcher is newer than the process. Of a file that is not there
  /// its directory says, which is among the paths of every launcher.
  bool launcher_files_prove() const {
    if (snapshot_.process->started_at_ms == 0) return false;
    std::vector<std::int32_t> sources = snapshot_.launcher_files;
    sources.push_back(snapshot_.unit.fragment);
    sources.insert(sources.end(), snapshot_.unit.drop_ins.begin(), snapshot_.unit.drop_ins.end());
    return std::all_of(sources.begin(), sources.end(), [this](std::int32_t source) {
      if (source == kNoSource) return true;
      const SourceFile& file = snapshot_.files[static_cast<std::size_t>(source)];
      const bool in_config_dir =
          !model_.config_dir.empty() && file.path.starts_with(model_.config_dir + "/");
      return file.kind == FileKind::kAbsent || in_config_dir || is_older(file);
    });
  }

  /// The list of the files alone, which is what a process without the flag runs with.
  std::vector<std::string> file_list() const {
    const auto last = std::find_if(
        model_.layers.rbegin(), model_.layers.rend(),
        [](const Layer& layer) { return layer.kind != LayerKind::kFlag && layer.sets; });
    return last == model_.layers.rend() ? std::vector<std::string>()
                                        : std::vector<std::string>(last->entries.texts());
  }

  const nodes::NodeSnapshot& snapshot_;
  NodeModel model_;
  int port_ = kDefaultHealthPort;
  std::string address_ = kDefaultHealthAddress;
};

}  // namespace

Result<NodeModel> resolve(const nodes::NodeSnapshot& snapshot) { return Modeller(snapshot).run(); }

NodeModel resolve_partly(const nodes::NodeSnapshot& snapshot) {
  return Modeller(snapshot).run_partly();
}

std::optional<std::vector<std::string>> list_in_argv(const std::vector<std::string>& argv) {
  const auto start = kubelet::kubelet_arguments_start(argv);
  if (!start) return std::nullopt;
  const kubelet::KubeletFlags flags = kubelet::parse_kubelet_flags(argv, *start);
  if (flags.lists.empty()) return std::nullopt;
  return kubelet::list_of(flags);
}

}  // namespace kubelet_sysctl::model
