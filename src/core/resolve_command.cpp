// SPDX-License-Identifier: Apache-2.0
// From the files of a unit to the one command line that systemd would run now.
#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/model.hpp"
#include "word_origins.hpp"
#include "words.hpp"

namespace kubelet_sysctl {
namespace {

/// A string of argv or environ may take this many bytes with its NUL (MAX_ARG_STRLEN, execve(2)).
constexpr std::size_t kLongestString = 131072;

Error not_loadable(const NodeSnapshot& snapshot, const UnitSetting& setting, const Error& why) {
  const CharOrigin& at = setting.value.at.empty() ? CharOrigin{} : setting.value.at.front();
  if (at.source == kNoSource) return why;
  const SourceFile& file = snapshot.files[static_cast<std::size_t>(at.source)];
  const bool ours = why.kind == ErrorKind::kUnsupported;  // systemd would load it
  return error_at(
      why.kind, file, setting.line_at,
      ours ? why.message
           : fmt::format("systemd does not load '{}': {}", snapshot.unit.id, why.message),
      why.hint);
}

/// The letter of a specifier in `text` that stands for itself, since only the running node tells its value.
std::optional<char> opaque_in(const Specifiers& specifiers, std::string_view text) {
  for (const auto& [letter, value] : specifiers) {
    const bool opaque = value.size() == 2 && value[0] == '%' && value[1] == letter;
    if (opaque && text.find(value) != std::string_view::npos) return letter;
  }
  return std::nullopt;
}

bool has_path(const NodeSnapshot& snapshot, const char* path) {
  const auto marker = snapshot.markers.find(path);
  return marker != snapshot.markers.end() && marker->second;
}

/// What to do where the usual unit is not there: what was found decides, and '--unit' is said of a unit alone
/// that exists.
std::string hint_without_unit(const NodeSnapshot& snapshot) {
  for (const auto& [path, exists] : snapshot.markers) {
    if (!exists || !path.ends_with(".service")) continue;
    const std::string name = path.substr(path.rfind('/') + 1);
    if (name.find("openshift-node") != std::string::npos || name == "origin-node.service") {
      return fmt::format(
          "'{}' runs the kubelet of OpenShift 3: kubeletArguments (allowed-unsafe-sysctls) in "
          "/etc/origin/node/node-config.yaml, by way of the config maps of the project "
          "openshift-node",
          name);
    }
    return fmt::format("'{}' runs a kubelet: name it with '--unit {}'", path, name);
  }
  if (has_path(snapshot, "/etc/init.d/k3s")) {
    return "OpenRC runs k3s here (/etc/init.d/k3s), which this program does not manage: put "
           "kubelet-arg into /etc/rancher/k3s/config.yaml, then run: rc-service k3s restart";
  }
  if (has_path(snapshot, "/etc/init.d/kubelet")) {
    return "OpenRC runs the kubelet here (/etc/init.d/kubelet), which this program does not "
           "manage: "
           "edit command_args in /etc/conf.d/kubelet or the file that '--config' names there, then "
           "run: rc-service kubelet restart";
  }
  if (has_path(snapshot, "/etc/kubernetes/ssl/kubecfg-kube-node.yaml")) {
    return "this looks like RKE1, whose kubelet is a container of docker outside any unit: "
           "services.kubelet.extra_args in cluster.yml, then run: rke up";
  }
  const NodeKind& kind = kind_of(snapshot);
  if (kind.units.empty()) return "no unit here runs a kubelet: install it first";
  std::string units(kind.units);
  for (std::size_t at = units.find(' '); at != std::string::npos; at = units.find(' ', at + 6)) {
    units.replace(at, 1, "' or '");
  }
  return fmt::format("this looks like {}, whose service is '{}': install that", kind.title, units);
}

class Resolver {
 public:
  explicit Resolver(const NodeSnapshot& snapshot) : snapshot_(snapshot) {}

  Result<CommandLine> run() {
    if (auto status = check_unit(); !status) return std::move(status).error();
    if (auto status = merge(); !status) return std::move(status).error();
    if (auto status = choose_command(); !status) return std::move(status).error();
    base_environment();
    for (const UnitSetting& setting : settings_.environment) {
      std::vector<FormUse> unused;
      const auto expanded = words::expand_specifiers(setting.value, snapshot_.specifiers,
                                                     snapshot_.systemd_version, unused);
      // A value that cannot be known here is no value that systemd drops.
      if (!expanded && expanded.error().kind == ErrorKind::kUnsupported) {
        return not_loadable(snapshot_, setting, expanded.error());
      }
      result_.dropped_assignments +=
          apply_environment(setting.value, snapshot_.specifiers, kind_of_setting(setting),
                            result_.environment, forms_);
    }
    if (auto status = environment_files(); !status) return std::move(status).error();
    unset_environment();
    result_.program = command_.program;
    result_.no_variables = command_.no_variables;
    result_.words = expand_command(command_, result_.environment, forms_);
    note_unset();
    if (auto status = check_passed(); !status) return std::move(status).error();
    note_origins();
    if (auto status = check_version(); !status) return std::move(status).error();
    return std::move(result_);
  }

 private:
  /// The files of a distribution may lie here without its service: not installed whole, or run by OpenRC.
  [[nodiscard]] std::string hint_for_no_unit() const { return hint_without_unit(snapshot_); }

  Status check_unit() const {
    const UnitOnDisk& unit = snapshot_.unit;
    switch (unit.load) {
      case UnitLoad::kLoaded:
        return {};
      case UnitLoad::kNotFound:
        return Error{.kind = ErrorKind::kNotFound,
                     .message = fmt::format("there is no unit '{}'", unit.name),
                     .hint = hint_for_no_unit()};
      case UnitLoad::kMasked:
        return Error{.kind = ErrorKind::kNotFound,
                     .message = fmt::format("the unit '{}' is masked", unit.name),
                     .path = unit.fragment_path,
                     .hint = fmt::format("systemd will not start it before 'systemctl unmask {}'",
                                         unit.name)};
      case UnitLoad::kBroken:
        break;
    }
    return Error{.kind = ErrorKind::kMalformed,
                 .message = fmt::format("systemd does not load '{}'", unit.name),
                 .path = unit.fragment_path};
  }

  Status merge() {
    const std::int32_t fragment = snapshot_.unit.fragment;
    std::vector<std::int32_t> sources = {fragment};
    sources.insert(sources.end(), snapshot_.unit.drop_ins.begin(), snapshot_.unit.drop_ins.end());
    for (const std::int32_t source : sources) {
      if (source == kNoSource) continue;
      UnitFile file = parse_unit_file(snapshot_.files[static_cast<std::size_t>(source)], source);
      forms_.insert(forms_.end(), file.forms.begin(), file.forms.end());
      if (source == fragment) {
        if (file.broken) return *file.broken;
        if (auto status = check_commands(file); !status) return status;
      } else {
        drop_invalid(file);
      }
      apply_settings(file, settings_);
    }
    return {};
  }

  /// A line of the unit itself that systemd refuses stops the load, even where a later one resets it.
  Status check_commands(const UnitFile& file) {
    constexpr std::array<std::string_view, 7> kCommands = {
        "ExecStart", "ExecStartPre", "ExecStartPost", "ExecReload",
        "ExecStop",  "ExecStopPost", "ExecCondition"};
    for (const UnitSetting& setting : file.settings) {
      if (setting.section != "Service" || setting.value.text.empty()) continue;
      if (std::find(kCommands.begin(), kCommands.end(), setting.key) == kCommands.end()) continue;
      std::vector<FormUse> forms;
      auto parsed =
          parse_exec_start(setting.value, snapshot_.specifiers, snapshot_.systemd_version, forms);
      std::copy_if(forms.begin(), forms.end(), std::back_inserter(forms_), may_stop_load);
      const bool only_unknown_here =
          !parsed && setting.key != "ExecStart" && parsed.error().kind == ErrorKind::kUnsupported;
      if (!parsed && !only_unknown_here) return not_loadable(snapshot_, setting, parsed.error());
    }
    return {};
  }

  /// Forms over which some older release refuses the whole unit, whatever becomes of the line.
  static bool may_stop_load(const FormUse& use) {
    constexpr std::array<Form, 7> kFatal = {
        Form::kColonPrefix,  Form::kPrivilegePrefix,  Form::kBareProgram,  Form::kStraySemicolon,
        Form::kNewSpecifier, Form::kPercentInProgram, Form::kNumericEscape};
    return std::find(kFatal.begin(), kFatal.end(), use.form) != kFatal.end();
  }

  /// In a drop-in systemd logs a bad ExecStart= and goes on without it.
  void drop_invalid(UnitFile& file) {
    std::erase_if(file.settings, [this](const UnitSetting& setting) {
      if (setting.section != "Service" || setting.key != "ExecStart") return false;
      std::vector<FormUse> forms;
      auto parsed =
          parse_exec_start(setting.value, snapshot_.specifiers, snapshot_.systemd_version, forms);
      const bool dropped = !parsed && parsed.error().kind == ErrorKind::kMalformed;
      // A release that reads the line in another way may take it.
      if (dropped) forms_.insert(forms_.end(), forms.begin(), forms.end());
      return dropped;
    });
  }

  Status choose_command() {
    struct Candidate {
      StoredCommand command;
      const UnitSetting* setting = nullptr;
    };
    std::vector<Candidate> all;
    for (const UnitSetting& setting : settings_.exec_start) {
      auto parsed =
          parse_exec_start(setting.value, snapshot_.specifiers, snapshot_.systemd_version, forms_);
      if (!parsed) return not_loadable(snapshot_, setting, parsed.error());
      for (StoredCommand& command : *parsed) all.push_back({std::move(command), &setting});
    }
    const bool oneshot = settings_.type == "oneshot";
    if (all.empty() || (all.size() > 1 && !oneshot)) return bad_count(all.size());
    if (all.size() > 1) {
      std::erase_if(all, [](const Candidate& one) {
        return one.command.program.find("kubelet") == std::string::npos;
      });
      if (all.size() != 1) {
        return Error{.kind = ErrorKind::kUnsupported,
                     .message = fmt::format("'{}' runs several commands and which is the kubelet "
                                            "cannot be told",
                                            snapshot_.unit.id)};
      }
    }
    command_ = std::move(all.front().command);
    result_.exec_setting = *all.front().setting;
    result_.exec_source = result_.exec_setting.value.at.front().source;
    return {};
  }

  Error bad_count(std::size_t count) const {
    const std::string what =
        count == 0 ? "it has no ExecStart= in force" : "it has more than one ExecStart= in force";
    return Error{
        .kind = ErrorKind::kMalformed,
        .message = fmt::format("systemd does not load '{}': {}", snapshot_.unit.id, what),
        .path = snapshot_.unit.fragment_path,
        .hint = count == 0 ? std::string() : "begin the drop-in with an empty 'ExecStart=' line"};
  }

  OriginKind kind_of_setting(const UnitSetting& setting) const {
    const std::int32_t source =
        setting.value.at.empty() ? kNoSource : setting.value.at.front().source;
    return source == snapshot_.unit.fragment ? OriginKind::kUnit : OriginKind::kDropIn;
  }

  void base_environment() {
    for (const std::string& assignment : snapshot_.manager_environment) {
      const std::size_t equals = assignment.find('=');
      if (equals == std::string::npos) continue;
      set(assignment.substr(0, equals), assignment.substr(equals + 1));
    }
    constexpr int kSearchPathSetsPath = 250;
    if (!settings_.exec_search_path.empty() && snapshot_.systemd_version >= kSearchPathSetsPath) {
      std::string path;
      for (const UnitSetting& setting : settings_.exec_search_path) {
        path += (path.empty() ? "" : ":") + setting.value.text;
      }
      set("PATH", path);
    }
    if (settings_.user == "root") {
      const std::array<std::pair<const char*, char>, 4> facts = {
          {{"HOME", 'h'}, {"USER", 'u'}, {"LOGNAME", 'u'}, {"SHELL", 's'}}};
      for (const auto& [name, letter] : facts) {
        const auto value = snapshot_.specifiers.find(letter);
        if (value != snapshot_.specifiers.end()) set(name, value->second);
      }
    }
  }

  void set(const std::string& name, const std::string& value) {
    Variable variable;
    variable.value.append(value, CharOrigin{});
    variable.kind = OriginKind::kManager;
    result_.environment[name] = std::move(variable);
  }

  Status environment_files() {
    for (const UnitSetting& setting : settings_.environment_files) {
      auto line = parse_environment_file_line(setting.value, snapshot_.specifiers, forms_);
      if (!line) return not_loadable(snapshot_, setting, line.error());
      if (!*line) continue;
      if (const auto letter = opaque_in(snapshot_.specifiers, (*line)->path)) {
        return not_loadable(snapshot_, setting,
                            {.kind = ErrorKind::kUnsupported,
                             .message = fmt::format("cannot tell here which file this is: what "
                                                    "systemd puts for '%{}' is not known",
                                                    *letter)});
      }
      result_.environment_files.push_back(**line);
      result_.environment_file_declared.push_back(kind_of_setting(setting));
      if (auto status = read_pattern(**line, setting); !status) return status;
    }
    return {};
  }

  Status read_pattern(const EnvironmentFileLine& line, const UnitSetting& setting) {
    const auto glob = snapshot_.globs.find(line.path);
    std::vector<std::string> paths = {line.path};
    if (glob != snapshot_.globs.end()) paths = glob->second;
    if (paths.empty() && !line.optional)
      return will_not_start(setting, line.path, "nothing matches");
    for (const std::string& path : paths) {
      const std::int32_t source = find_source(snapshot_, path);
      if (source == kNoSource) continue;  // nobody looked: only in models built by hand
      const SourceFile& file = snapshot_.files[static_cast<std::size_t>(source)];
      const bool readable = file.exists() || file.real_path == "/dev/null";
      if (!readable) {
        if (line.optional) continue;
        return will_not_start(
            setting, path,
            file.kind == FileKind::kAbsent ? "it does not exist" : "it is not a regular file");
      }
      auto parsed = parse_env_file(file.bytes, source, snapshot_.systemd_version);
      if (!parsed) {
        const std::size_t nul = file.bytes.find('\0');
        if (nul != std::string::npos) {
          const auto at = static_cast<std::uint32_t>(nul);
          forms_.push_back({Form::kNulInEnvFile, {source, at, at + 1}});
        }
        if (line.optional) continue;
        Error error = std::move(parsed).error();
        error.path = file.path;
        return error;
      }
      take(*parsed, source);
    }
    return {};
  }

  void take(EnvFile& file, std::int32_t source) {
    forms_.insert(forms_.end(), file.forms.begin(), file.forms.end());
    for (EnvAssignment& assignment : file.assignments) {
      Variable variable;
      variable.kind = OriginKind::kEnvironmentFile;
      variable.quoting = assignment.quoting;
      variable.raw = {.source = source,
                      .begin = static_cast<std::uint32_t>(assignment.value_at.begin),
                      .end = static_cast<std::uint32_t>(assignment.value_at.end)};
      variable.value = std::move(assignment.value);
      result_.environment[assignment.name] = std::move(variable);
    }
  }

  Error will_not_start(const UnitSetting& setting, const std::string& path,
                       const std::string& why) const {
    Error error = not_loadable(snapshot_, setting, {.kind = ErrorKind::kMalformed});
    error.message = fmt::format("systemd does not start '{}': it cannot read '{}': {}",
                                snapshot_.unit.id, path, why);
    return error;
  }

  void unset_environment() {
    for (const UnitSetting& setting : settings_.unset_environment) {
      forms_.push_back({Form::kUnsetEnvironment, setting.value.at.front()});
      for (const std::string& name : parse_name_list(setting.value, snapshot_.specifiers)) {
        const std::size_t equals = name.find('=');
        const auto found = result_.environment.find(name.substr(0, equals));
        if (found == result_.environment.end()) continue;
        const bool same =
            equals == std::string::npos || found->second.value.text == name.substr(equals + 1);
        if (same) result_.environment.erase(found);
      }
    }
  }

  void note_unset() {
    if (command_.no_variables) return;
    std::set<std::string> noted;
    const auto note = [&](const std::string& name) {
      if (result_.environment.contains(name) || !is_variable_name(name)) return;
      if (noted.insert(name).second) result_.unset.push_back(name);
    };
    for (const Word& word : command_.words) {
      if (word.text.text.starts_with('$')) note(word.text.text.substr(1));
    }
    for (const Word& word : result_.words) {
      for (const std::string& name : word.inner) note(name);
    }
  }

  /// PassEnvironment= of a variable that nothing else sets: its value is in process 1 alone, and a tree of
  /// files has none.
  Status check_passed() const {
    if (snapshot_.live) return {};
    for (const UnitSetting& setting : settings_.pass_environment) {
      for (const std::string& name : parse_name_list(setting.value, snapshot_.specifiers)) {
        const auto& unset = result_.unset;
        if (std::find(unset.begin(), unset.end(), name) == unset.end()) continue;
        const auto source = static_cast<std::size_t>(setting.value.at.front().source);
        return error_at(
            ErrorKind::kUnsupported, snapshot_.files[source], setting.line_at,
            fmt::format("cannot tell the value of '{}', which is passed on from process 1", name),
            "run it on the node itself, or set the variable with 'Environment='");
      }
    }
    return {};
  }

  void note_origins() {
    result_.origins = word_origins(snapshot_, result_.words, [this](const Word& word) {
      const auto variable = result_.environment.find(word.variable);
      if (variable != result_.environment.end()) return variable->second.kind;
      return word.raw.source == snapshot_.unit.fragment ? OriginKind::kUnit : OriginKind::kDropIn;
    });
  }

  Status check_version() {
    forms_.insert(forms_.end(), snapshot_.unit.forms.begin(), snapshot_.unit.forms.end());
    const FormUse* use = first_differing(forms_, snapshot_.systemd_version);
    if (use == nullptr) return {};
    const auto& table = form_table();
    const auto facts = std::find_if(table.begin(), table.end(),
                                    [use](const FormFacts& row) { return row.form == use->form; });
    const std::string message = fmt::format(
        "will not resolve this for systemd {}: it reads {} in another way than {} and "
        "later",
        snapshot_.systemd_version, facts->what, facts->alike_since);
    if (use->at.source == kNoSource) {
      return Error{.kind = ErrorKind::kUnsupported, .message = message};
    }
    return error_at(ErrorKind::kUnsupported,
                    snapshot_.files[static_cast<std::size_t>(use->at.source)],
                    {use->at.begin, use->at.end}, message);
  }

  const NodeSnapshot& snapshot_;
  ServiceSettings settings_;
  StoredCommand command_;
  CommandLine result_;
  std::vector<FormUse> forms_;
};

}  // namespace

Result<CommandLine> resolve_command(const NodeSnapshot& snapshot) {
  return Resolver(snapshot).run();
}

Status check_startable(const NodeSnapshot& snapshot, const CommandLine& command) {
  const auto fail = [&snapshot](const std::string& why) {
    return Error{.kind = ErrorKind::kMalformed,
                 .message = fmt::format("systemd would not start '{}': {}", snapshot.unit.id, why)};
  };
  const auto program = snapshot.programs.find(command.program);
  if (program != snapshot.programs.end() && !program->second) {
    return fail(fmt::format("there is no program '{}' (status 203)", command.program));
  }
  for (const Word& word : command.words) {
    if (word.text.text.size() + 1 > kLongestString) {
      return fail("an argument is longer than the kernel's 128 KiB (status 203)");
    }
  }
  for (const auto& [name, variable] : command.environment) {
    if (name.size() + 1 + variable.value.text.size() + 1 > kLongestString) {
      return fail(
          fmt::format("the variable '{}' is longer than the kernel's 128 KiB (status 203)", name));
    }
  }
  return {};
}

}  // namespace kubelet_sysctl
