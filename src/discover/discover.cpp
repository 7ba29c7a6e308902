// SPDX-License-Identifier: Apache-2.0
// Reading a node once: from the machine to a NodeSnapshot.
#include "kubelet_sysctl/discover/discover.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "ask_configz.hpp"
#include "config_files.hpp"
#include "desired_files.hpp"
#include "kubelet_sysctl/base/counted.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/discover/kubelet_version.hpp"
#include "kubelet_sysctl/discover/launcher_files.hpp"
#include "kubelet_sysctl/discover/process.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/paths.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/glob.hpp"
#include "kubelet_sysctl/systemd/specifiers.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"
#include "passed_environment.hpp"
#include "programs.hpp"
#include "tree_systemd.hpp"
#include "unit_hints.hpp"

namespace kubelet_sysctl::discover {
namespace {

/// Collects the facts; a class because ports, options and the snapshot go through every step.
class Discovery {
 public:
  Discovery(ports::Ports& ports, const DiscoverOptions& options)
      : ports_(ports), options_(options) {}

  Result<nodes::NodeSnapshot> run() {
    snapshot_.root = options_.root;
    snapshot_.process_cwd = "/";
    // The manager was asked at the start and is heard as late as can be. What is before needs no
    // answer of it in all but odd cases, for which the same steps are behind it once more.
    for (auto step :
         {&Discovery::choose, &Discovery::ask_manager, &Discovery::find_markers,
          &Discovery::read_unit, &Discovery::read_environment_files, &Discovery::find_programs,
          &Discovery::read_lists, &Discovery::hear_manager, &Discovery::read_process_facts,
          &Discovery::ask_manager_environment, &Discovery::read_lists}) {
      Status status = (this->*step)();
      if (!status) return std::move(status).error();
    }
    ask_configz(ports_, options_.configz, snapshot_);
    if (options_.need_process) read_desired_files(ports_.files, snapshot_);
    snapshot_.read_at_ms = ports_.clock.wall_ms();
    if (!release_asked_) learn_kubelet_version(ports_, options_, snapshot_);
    return std::move(snapshot_);
  }

 private:
  Status choose();
  Status ask_manager();
  Status hear_manager();
  Status find_markers();
  Status read_unit();
  void find_directory();
  const systemd::CommandLine* command();
  Status read_environment_files();
  Status read_environment_file(const std::string& path, const systemd::UnitSetting& declared);
  Status find_programs() { return discover::find_programs(ports_.files, snapshot_); }
  Status read_process_facts();
  Status ask_manager_environment();
  void set_manager_environment(std::vector<std::string> variables);
  Result<bool> may_hold(std::int64_t pid, const std::vector<std::string>& names);
  Status read_lists();
  void learn_release_of_launcher();

  [[nodiscard]] bool is_loaded() const { return snapshot_.unit.load == systemd::UnitLoad::kLoaded; }

  ports::Ports& ports_;
  const DiscoverOptions& options_;
  std::string unit_;  // that of the options, or the one that was chosen
  nodes::NodeSnapshot snapshot_;
  std::map<std::string, std::string> os_release_;
  bool command_failed_ = false;
  bool lists_read_ = false;
  bool release_asked_ = false;
};

Status Discovery::choose() {
  unit_ = options_.unit;
  if (!unit_.empty()) return {};
  auto chosen =
      choose_unit(ports_.files, options_.systemd_version.value_or(systemd::kReferenceSystemd));
  if (!chosen) return std::move(chosen).error();
  unit_ = std::move(*chosen);
  return {};
}

Status Discovery::ask_manager() {
  snapshot_.systemd_version = options_.systemd_version.value_or(systemd::kReferenceSystemd);
  snapshot_.systemd_version_known = options_.systemd_version.has_value();
  if (!options_.live && !snapshot_.systemd_version_known) {
    auto version = systemd_of_tree(ports_.files);
    if (!version) return std::move(version).error();
    snapshot_.systemd_version = version->value_or(systemd::kReferenceSystemd);
    snapshot_.systemd_version_known = version->has_value();
  }
  if (!options_.live) return {};
  if (!ports_.services.booted()) {
    // The files alone are enough to explain a command line.
    if (!options_.need_process) return {};
    // Talos has no systemd, and a way of its own to say what to do.
    if (auto status = find_markers(); !status) return status;
    if (nodes::kind_of(snapshot_).refuse) return {};
    return Error{.kind = ErrorKind::kNoSystemd,
                 .message = "this machine was not booted with systemd",
                 .hint =
                     "name the root directory of a node that does not run with '--root DIR'; "
                     "in a container on a node, '--host' leads there"};
  }
  // The manager answers while the files are read: the two take about as long as each other.
  if (options_.need_process) ports_.services.begin_show(unit_);
  if (!snapshot_.systemd_version_known) {
    if (const auto version = ports_.services.version()) {
      snapshot_.systemd_version = *version;
      snapshot_.systemd_version_known = true;
    }
  }
  snapshot_.live = true;
  return {};
}

Status Discovery::hear_manager() {
  if (!snapshot_.live || !options_.need_process) return {};
  auto state = ports_.services.show(unit_);
  if (!state) return std::move(state).error();
  snapshot_.state = std::move(*state);
  return {};
}

Status Discovery::find_markers() {
  for (const std::string& path : nodes::kind_markers()) {
    auto target = ports::target_of(ports_.files, path);
    // Who may not look into root's directory does not learn what is in it.
    const bool hidden = !target && target.error().kind == ErrorKind::kPermission;
    if (!target && !hidden) return std::move(target).error();
    snapshot_.markers[path] = !hidden && target->entry.has_value();
  }
  auto fields = systemd::os_release(ports_.files, snapshot_.systemd_version);
  if (!fields) return std::move(fields).error();
  os_release_ = std::move(*fields);
  const auto id = os_release_.find("ID");
  if (id != os_release_.end()) snapshot_.os_id = id->second;
  return {};
}

Status Discovery::read_unit() {
  auto unit = systemd::find_unit(ports_.files, unit_, snapshot_.systemd_version, snapshot_.files);
  if (!unit) return std::move(unit).error();
  snapshot_.unit = std::move(*unit);
  auto specifiers = systemd::specifiers_of(ports_.files, snapshot_.unit, snapshot_.systemd_version,
                                           os_release_, snapshot_.live);
  if (!specifiers) return std::move(specifiers).error();
  snapshot_.specifiers = std::move(*specifiers);
  if (snapshot_.unit.load == systemd::UnitLoad::kNotFound) {
    if (snapshot_.live) snapshot_.kubelet_elsewhere = find_kubelet_process(ports_.files);
    return find_other_units(ports_.files, snapshot_.systemd_version, snapshot_);
  }
  if (!is_loaded()) return {};
  std::vector<std::int32_t> sources = snapshot_.unit.drop_ins;
  sources.insert(sources.begin(), snapshot_.unit.fragment);
  auto few = ports::check_lines(snapshot_.files, sources, "a unit with drop-ins");
  if (!few) return few;
  snapshot_.known.unit = nodes::parsed_unit_of(snapshot_);
  snapshot_.known.kind = &nodes::kind_of(snapshot_);
  find_directory();
  // Where a setting of the unit may be written that has no file yet.
  const std::string directory = "/etc/systemd/system/" + snapshot_.unit.id + ".d";
  auto own =
      ports::add_file(ports_.files, ports::joined(directory, model::kOwnDropIn), snapshot_.files);
  if (!own) return std::move(own).error();
  const std::string persistent(nodes::kind_of(snapshot_).persistent_file);
  if (persistent.empty()) return {};
  auto source = ports::add_file(ports_.files, persistent, snapshot_.files);
  return source ? Status() : Status(std::move(source).error());
}

void Discovery::find_directory() {
  for (const systemd::ParsedUnitFile& file : snapshot_.known.unit.files) {
    for (const systemd::UnitSetting& setting : file.accepted) {
      if (setting.section != "Service" || setting.key != "WorkingDirectory") continue;
      std::string path = setting.value.text;
      if (path.starts_with('-')) path.erase(0, 1);
      if (path == "~") path = "/root";
      snapshot_.process_cwd = path.starts_with('/') ? path : "/";
    }
  }
}

/// What the unit runs; nullptr where it is unknown: resolve() says why.
const systemd::CommandLine* Discovery::command() {
  auto& known = snapshot_.known;
  if (!known.command && !command_failed_) {
    auto made = model::resolve_command(snapshot_, known.unit);
    command_failed_ = !made;
    if (made) known.command = std::move(*made);
  }
  return known.command ? &*known.command : nullptr;
}

Status Discovery::read_environment_files() {
  const std::size_t first = snapshot_.files.size();
  for (const systemd::UnitSetting& setting : snapshot_.known.unit.settings.environment_files) {
    std::vector<systemd::FormUse> unused;
    const auto line = systemd::parse_environment_file_line(setting.value, snapshot_.specifiers,
                                                           unused, snapshot_.systemd_version);
    if (!line || !*line) continue;
    std::vector<std::string> paths = {(*line)->path};
    if (systemd::is_pattern(paths.front())) {
      auto found = systemd::glob_paths(ports_.files, (*line)->path);
      if (!found) return std::move(found).error();
      paths = *found;
      snapshot_.globs[(*line)->path] = std::move(*found);
    }
    for (const std::string& path : paths) {
      const Status status = read_environment_file(path, setting);
      if (!status) return status;
    }
  }
  std::vector<std::int32_t> sources(snapshot_.files.size() - first);
  std::iota(sources.begin(), sources.end(), static_cast<std::int32_t>(first));
  return ports::check_lines(snapshot_.files, sources, "environment files");
}

Status Discovery::read_environment_file(const std::string& path,
                                        const systemd::UnitSetting& declared) {
  const auto refusal = [&](const std::string& why) {
    const auto source = static_cast<std::size_t>(declared.value.at.front().source);
    return error_at(ErrorKind::kUnsupported, snapshot_.files[source], declared.line_at,
                    fmt::format("will not read the environment file '{}': {}", path, why));
  };
  auto target = ports::target_of(ports_.files, path);
  if (!target) return std::move(target).error();
  const bool is_null = target->path == "/dev/null";
  const bool is_file = !target->entry || target->entry->kind == ports::EntryKind::kFile ||
                       target->entry->kind == ports::EntryKind::kDirectory;
  // A pipe would give its bytes to us or to systemd, not to both; a device has no end.
  if (!is_file && !is_null) return refusal("it is a pipe or a device");
  auto source = ports::add_file(ports_.files, path, snapshot_.files);
  if (!source && source.error().kind == ErrorKind::kUnsupported) {
    return refusal(source.error().message);
  }
  if (!source) return std::move(source).error();
  // systemd reads /dev/null as an empty file; a tree on disk has no such device.
  if (is_null) snapshot_.files[static_cast<std::size_t>(*source)].real_path = target->path;
  return {};
}

Status Discovery::read_process_facts() {
  if (!snapshot_.state) return {};
  auto process = read_kubelet_process(ports_, *snapshot_.state, model::kubelet_place(snapshot_));
  if (!process) return std::move(process).error();
  snapshot_.process = std::move(*process);
  if (!snapshot_.process) return {};
  const bool is_named = kubelet::kubelet_arguments_start(snapshot_.process->argv).has_value();
  if (!is_named && model::kubelet_place(snapshot_) == nodes::KubeletPlace::kMain) {
    if (const systemd::CommandLine* unit = command()) {
      std::vector<std::string> argv;
      for (const systemd::Word& word : unit->words) argv.push_back(word.text.text);
      take_by_arguments(*snapshot_.process, argv);
    }
  }
  if (const nodes::KubeletLauncher* launcher = model::launcher_of(snapshot_)) {
    snapshot_.process->started_at_ms = read_not_before_ms(ports_, *launcher, *snapshot_.process);
  }
  if (options_.ask_journal) {
    if (auto status = read_logged_argv(ports_, snapshot_); !status) return status;
  }
  auto root = ports_.files.stat(fmt::format("/proc/{}/root", snapshot_.process->pid));
  const bool elsewhere =
      root && *root && (*root)->target.starts_with('/') && (*root)->target != "/";
  if (elsewhere && model::kubelet_place(snapshot_) == nodes::KubeletPlace::kMain) {
    return Error{
        .kind = ErrorKind::kUnsupported,
        .message = fmt::format("the kubelet (pid {}) runs in another root directory, '{}': "
                               "the files that it names are there",
                               snapshot_.process->pid, (*root)->target),
        .hint = "edit its files there by hand: this program follows names from '/' alone"};
  }
  auto cwd = ports_.files.stat(fmt::format("/proc/{}/cwd", snapshot_.process->pid));
  // Only its owner may see it; then the directory of the unit applies.
  if (!cwd && cwd.error().kind == ErrorKind::kPermission) return {};
  if (!cwd) return std::move(cwd).error();
  if (*cwd && (*cwd)->target.starts_with('/')) snapshot_.process_cwd = (*cwd)->target;
  return {};
}

/// The manager's own variables reach $VAR too, but asking for them takes a child process. Nearly
/// always it is not needed: a variable that no file sets and that the process does not have either
/// was not set by the manager.
Status Discovery::ask_manager_environment() {
  if (!is_loaded()) return {};
  const systemd::CommandLine* unit = command();
  if (unit == nullptr || unit->unset.empty()) return {};
  if (!snapshot_.live) {
    auto given = default_environment(ports_.files, snapshot_.systemd_version);
    if (!given) return std::move(given).error();
    if (!given->empty()) set_manager_environment(std::move(*given));
    return {};
  }
  auto passed = passed_variables(ports_, snapshot_, snapshot_.known.unit.settings, unit->unset);
  if (!passed) return std::move(passed).error();
  if (snapshot_.process && passed->empty()) {
    auto asked = may_hold(snapshot_.process->pid, unit->unset);
    if (!asked) return std::move(asked).error();
    if (!*asked) return {};
  }
  auto variables = ports_.services.environment();
  if (!variables) return std::move(variables).error();
  // A passed variable is over one of the same name that the manager gives every unit.
  variables->insert(variables->end(), passed->begin(), passed->end());
  set_manager_environment(std::move(*variables));
  return {};
}

/// The command may be another one now.
void Discovery::set_manager_environment(std::vector<std::string> variables) {
  snapshot_.manager_environment = std::move(variables);
  snapshot_.known.command.reset();
  command_failed_ = lists_read_ = false;
}

/// True when the environment that process `pid` was started with has one of `names`.
Result<bool> Discovery::may_hold(std::int64_t pid, const std::vector<std::string>& names) {
  auto file = ports_.files.read(fmt::format("/proc/{}/environ", pid));
  // Who may not see the process's own asks the manager.
  if (!file && file.error().kind == ErrorKind::kPermission) return true;
  if (!file) return std::move(file).error();
  // Source: proc(5): NAME=value strings, each ended by a NUL.
  const std::string strings = '\0' + file->bytes.str();
  return std::any_of(names.begin(), names.end(), [&strings](const std::string& name) {
    return strings.find('\0' + name + '=') != std::string::npos;
  });
}

Status Discovery::read_lists() {
  if (!is_loaded() || lists_read_) return {};
  if (!options_.need_process && model::launcher_of(snapshot_) == nullptr) return {};
  const systemd::CommandLine* unit = command();
  if (unit == nullptr) return {};
  learn_release_of_launcher();
  if (auto status = read_launcher_files(ports_.files, *unit, snapshot_); !status) return status;
  if (!options_.need_process) return {};
  const auto made = model::kubelet_command(snapshot_, *unit);
  if (!made) return {};
  std::vector<std::string> argv;
  for (const systemd::Word& word : made->words) argv.push_back(word.text.text);
  auto start = kubelet::kubelet_arguments_start(argv);
  if (!start && snapshot_.process) {
    // Behind a wrapper only the process itself shows the kubelet's words.
    argv = snapshot_.process->argv;
    start = kubelet::kubelet_arguments_start(argv);
  }
  if (!start) return {};
  const kubelet::KubeletFlags flags = kubelet::parse_kubelet_flags(argv, *start);
  const auto is_relative = [](const std::optional<std::string>& path) {
    return path && !path->empty() && path->front() != '/';
  };
  const bool needs_directory = is_relative(flags.config) || is_relative(flags.config_dir);
  if (needs_directory && snapshot_.live && !snapshot_.state) return {};  // its process says
  lists_read_ = true;
  return read_kubelet_files(ports_.files, flags, snapshot_);
}

/// What a launcher gives its kubelet may depend on its release, which then must be known before.
void Discovery::learn_release_of_launcher() {
  const nodes::KubeletLauncher* launcher = model::launcher_of(snapshot_);
  if (launcher == nullptr || launcher->version_argument.empty() || release_asked_) return;
  release_asked_ = true;
  DiscoverOptions options = options_;
  const bool may_run =
      options.version_from == VersionFrom::kCache || options.version_from == VersionFrom::kProgram;
  options.version_from = may_run ? VersionFrom::kProgram : VersionFrom::kFile;
  learn_kubelet_version(ports_, options, snapshot_);
}

}  // namespace

Result<nodes::NodeSnapshot> discover(ports::Ports& ports, const DiscoverOptions& options) {
  counted(Counted::kDiscover);
  return Discovery(ports, options).run();
}

}  // namespace kubelet_sysctl::discover
