// SPDX-License-Identifier: Apache-2.0
// From the files of a unit to the one command line that systemd would run now.
#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/counted.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/env_file.hpp"
#include "kubelet_sysctl/systemd/extract_word.hpp"
#include "kubelet_sysctl/systemd/newer_forms.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"
#include "unit_state.hpp"
#include "word_origins.hpp"

namespace kubelet_sysctl::model {
namespace {

Error not_loadable(const nodes::NodeSnapshot& snapshot, const systemd::UnitSetting& setting,
                   const Error& why) {
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

/// The letter of a specifier in `text` that stands for itself, since only the running node says its value.
std::optional<char> opaque_in(const systemd::Specifiers& specifiers, std::string_view text) {
  for (const auto& [letter, value] : specifiers) {
    const bool opaque = value.size() == 2 && value[0] == '%' && value[1] == letter;
    if (opaque && text.find(value) != std::string_view::npos) return letter;
  }
  return std::nullopt;
}

class Resolver {
 public:
  Resolver(const nodes::NodeSnapshot& snapshot, systemd::ParsedUnit& unit)
      : snapshot_(snapshot), unit_(unit), settings_(unit.settings) {}

  Result<systemd::CommandLine> run() {
    if (auto status = check_unit(snapshot_); !status) return std::move(status).error();
    if (auto status = check_files(); !status) return std::move(status).error();
    if (auto status = choose_command(); !status) return std::move(status).error();
    base_environment();
    for (const systemd::UnitSetting& setting : settings_.environment) {
      std::vector<systemd::FormUse> unused;
      const auto expanded = systemd::expand_specifiers(setting.value, snapshot_.specifiers,
                                                       snapshot_.systemd_version, unused);
      // A value that cannot be known here is no value that systemd drops.
      if (!expanded && expanded.error().kind == ErrorKind::kUnsupported) {
        return not_loadable(snapshot_, setting, expanded.error());
      }
      result_.dropped_assignments +=
          systemd::apply_environment(setting.value, snapshot_.specifiers, kind_of_setting(setting),
                                     result_.environment, forms_, snapshot_.systemd_version);
    }
    for (const auto& [name, variable] : result_.environment) {
      if (variable.kind == OriginKind::kManager) continue;
      result_.loaded.environment.push_back(name + "=" + variable.value.text.str());
    }
    if (auto status = environment_files(); !status) return std::move(status).error();
    note_loaded();
    result_.program = command_.program;
    result_.no_variables = command_.no_variables;
    if (auto status = check_words(); !status) return std::move(status).error();
    expand();
    note_login_variables();
    note_unset();
    if (auto status = check_passed(); !status) return std::move(status).error();
    note_origins();
    if (auto status = check_version(); !status) return std::move(status).error();
    return std::move(result_);
  }

 private:
  /// What in the files stops the load.
  Status check_files() {
    for (const systemd::ParsedUnitFile& file : unit_.files) {
      forms_.insert(forms_.end(), file.written.forms.begin(), file.written.forms.end());
      const bool is_fragment = file.source == snapshot_.unit.fragment;
      if (is_fragment && file.written.broken) return *file.written.broken;
      forms_.insert(forms_.end(), file.forms.begin(), file.forms.end());
      // In the unit's own file it stops the load, even where a later line resets it.
      if (file.refusal && is_fragment) {
        return not_loadable(snapshot_, file.refusal->setting, file.refusal->why);
      }
      if (!is_fragment) continue;
      if (auto status = check_known(file); !status) return status;
    }
    return {};
  }

  /// A command of the unit itself whose specifiers cannot be known here may stop the load.
  Status check_known(const systemd::ParsedUnitFile& file) const {
    for (const systemd::UnitSetting& setting : file.accepted) {
      if (setting.section != "Service" || setting.key != "ExecStart") continue;
      if (setting.value.text.empty()) continue;
      const auto& fault = systemd::commands_of(unit_, setting).fault;
      const bool unknown = fault && fault->kind == ErrorKind::kUnsupported;
      if (unknown) return not_loadable(snapshot_, setting, *fault);
    }
    return {};
  }

  Status choose_command() {
    struct Candidate {
      systemd::StoredCommand command;
      const systemd::UnitSetting* setting = nullptr;
    };
    std::vector<Candidate> all;
    for (const systemd::UnitSetting& setting : settings_.exec_start) {
      const systemd::ReadCommands& read = systemd::commands_of(unit_, setting);
      forms_.insert(forms_.end(), read.forms.begin(), read.forms.end());
      const bool unknown = read.fault && read.fault->kind == ErrorKind::kUnsupported;
      if (unknown) return not_loadable(snapshot_, setting, *read.fault);
      for (const systemd::StoredCommand& command : read.commands)
        all.push_back({command, &setting});
    }
    const bool oneshot = settings_.type == "oneshot";
    if (all.empty() || (all.size() > 1 && !oneshot)) return bad_count(all.size());
    if (all.size() > 1) {
      std::erase_if(all, [](const Candidate& one) {
        return one.command.program.find("kubelet") == std::string::npos;
      });
      if (all.size() != 1) {
        return Error{
            .kind = ErrorKind::kUnsupported,
            .message = fmt::format("'{}' runs several commands, and it is unknown which is "
                                   "the kubelet",
                                   snapshot_.unit.id)};
      }
    }
    command_ = std::move(all.front().command);
    result_.exec_setting = *all.front().setting;
    result_.exec_source = result_.exec_setting.value.at.front().source;
    result_.mounts = settings_.mounts;
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

  OriginKind kind_of_setting(const systemd::UnitSetting& setting) const {
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
      for (const systemd::UnitSetting& setting : settings_.exec_search_path) {
        path += (path.empty() ? "" : ":") + setting.value.text.str();
      }
      set("PATH", path);
    }
    if (settings_.user.empty() &&
        systemd::reads_as_newest(systemd::newer::kLoginVariable, snapshot_.systemd_version)) {
      set("USER", "root");
      from_login_ = true;
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

  /// A text of blanks without end would be a hundred times its bytes in words.
  Status check_words() const {
    constexpr std::ptrdiff_t kMostWords = 5000;
    const auto blanks_in = [](const std::string& text) {
      return std::count_if(text.begin(), text.end(), is_whitespace);
    };
    std::ptrdiff_t count = static_cast<std::ptrdiff_t>(command_.words.size());
    for (const systemd::Word& word : command_.words) {
      if (command_.no_variables || !word.text.text.starts_with('$')) continue;
      const auto found = result_.environment.find(word.text.text.substr(1));
      if (found != result_.environment.end()) count += blanks_in(found->second.value.text);
    }
    if (count <= kMostWords) return {};
    return Error{
        .kind = ErrorKind::kUnsupported,
        .message = fmt::format("will not read a command line of more than {} words", kMostWords),
        .path = snapshot_.unit.fragment_path};
  }

  /// UnsetEnvironment= comes before the variables of the command are replaced, from 262 on behind it.
  void expand() {
    std::vector<systemd::Word> with =
        systemd::expand_command(command_, result_.environment, forms_);
    std::vector<std::string> all;
    for (const auto& [name, variable] : result_.environment) all.push_back(name);
    unset_environment();
    if (result_.environment.size() == all.size()) {
      result_.words = std::move(with);
      return;
    }
    std::vector<systemd::Word> without =
        systemd::expand_command(command_, result_.environment, forms_);
    const bool same = std::equal(with.begin(), with.end(), without.begin(), without.end(),
                                 [](const systemd::Word& one, const systemd::Word& other) {
                                   return one.text.text == other.text.text;
                                 });
    if (!same) {
      forms_.push_back(
          {systemd::newer::kUnsetOfUsed, settings_.unset_environment.front().value.at.front()});
    }
    const bool late =
        systemd::reads_as_newest(systemd::newer::kUnsetOfUsed, snapshot_.systemd_version);
    result_.words = late ? std::move(with) : std::move(without);
    for (const std::string& name : all) {
      if (late && !result_.environment.contains(name)) unset_late_.insert(name);
    }
  }

  /// Without User= the variables of the user are set from some release on; of which of them was
  /// measured for $USER alone.
  void note_login_variables() {
    if (!settings_.user.empty() || command_.no_variables) return;
    const bool is_set =
        systemd::reads_as_newest(systemd::newer::kLoginVariable, snapshot_.systemd_version);
    const auto note = [&](const std::string& name, const CharOrigin& at) {
      if (result_.environment.contains(name) && !(name == "USER" && from_login_)) return;
      const bool of_login = name == "HOME" || name == "LOGNAME" || name == "SHELL";
      if (name == "USER" || (of_login && is_set))
        forms_.push_back({systemd::newer::kLoginVariable, at});
      if (of_login && is_set && !unknown_login_) unknown_login_ = {name, at};
    };
    for (const systemd::Word& word : command_.words) {
      if (word.text.text.starts_with('$')) note(word.text.text.substr(1), word.raw);
    }
    for (const systemd::Word& word : result_.words) {
      for (const std::string& name : word.inner) note(name, word.raw);
    }
  }

  void set(const std::string& name, const std::string& value) {
    systemd::Variable variable;
    variable.value.append(value, CharOrigin{});
    variable.kind = OriginKind::kManager;
    result_.environment[name] = std::move(variable);
  }

  /// In the form of `systemctl show`.
  void note_loaded() {
    for (const systemd::Word& word : command_.words) {
      result_.loaded.command += (result_.loaded.command.empty() ? "" : " ") + word.text.text.str();
    }
    for (const systemd::EnvironmentFileLine& line : result_.environment_files) {
      result_.loaded.environment_files.push_back(
          fmt::format("{} (ignore_errors={})", line.path, line.optional ? "yes" : "no"));
    }
    std::sort(result_.loaded.environment.begin(), result_.loaded.environment.end());
  }

  Status environment_files() {
    for (const systemd::UnitSetting& setting : settings_.environment_files) {
      auto line = systemd::parse_environment_file_line(setting.value, snapshot_.specifiers, forms_,
                                                       snapshot_.systemd_version);
      if (!line) return not_loadable(snapshot_, setting, line.error());
      if (!*line) continue;
      if (const auto letter = opaque_in(snapshot_.specifiers, (*line)->path)) {
        return not_loadable(
            snapshot_, setting,
            {.kind = ErrorKind::kUnsupported,
             .message = fmt::format("cannot determine here which file this is: what systemd "
                                    "substitutes for '%{}' is not known",
                                    *letter)});
      }
      result_.environment_files.push_back(**line);
      if (auto status = read_pattern(**line, setting); !status) return status;
    }
    return {};
  }

  Status read_pattern(const systemd::EnvironmentFileLine& line,
                      const systemd::UnitSetting& setting) {
    const auto glob = snapshot_.globs.find(line.path);
    std::vector<std::string> paths = {line.path};
    if (glob != snapshot_.globs.end()) paths = glob->second;
    if (paths.empty() && !line.optional)
      return will_not_start(setting, line.path, "nothing matches");
    for (const std::string& path : paths) {
      const std::int32_t source = nodes::find_source(snapshot_, path);
      if (source == kNoSource) continue;  // nobody looked: only in models built by hand
      const SourceFile& file = snapshot_.files[static_cast<std::size_t>(source)];
      const bool readable = file.exists() || file.real_path == "/dev/null";
      if (!readable) {
        if (line.optional) continue;
        return will_not_start(
            setting, path,
            file.kind == FileKind::kAbsent ? "it does not exist" : "it is not a regular file");
      }
      const auto& parsed =
          systemd::environment_file_of(unit_, file, source, snapshot_.systemd_version);
      if (!parsed) {
        const std::size_t nul = file.bytes.find('\0');
        if (nul != std::string::npos) {
          const auto at = static_cast<std::uint32_t>(nul);
          forms_.push_back({systemd::Form::kNulInEnvFile, {source, at, at + 1}});
        }
        if (line.optional) continue;
        Error error = parsed.error();
        error.path = file.path;
        return error;
      }
      take(*parsed, source);
    }
    return {};
  }

  void take(const systemd::EnvFile& file, std::int32_t source) {
    forms_.insert(forms_.end(), file.forms.begin(), file.forms.end());
    for (const systemd::EnvAssignment& assignment : file.assignments) {
      systemd::Variable variable;
      variable.kind = OriginKind::kEnvironmentFile;
      variable.raw = {.source = source,
                      .begin = static_cast<std::uint32_t>(assignment.value_at.begin),
                      .end = static_cast<std::uint32_t>(assignment.value_at.end)};
      variable.value = assignment.value;
      result_.environment[assignment.name] = std::move(variable);
    }
  }

  Error will_not_start(const systemd::UnitSetting& setting, const std::string& path,
                       const std::string& why) const {
    Error error = not_loadable(snapshot_, setting, {.kind = ErrorKind::kMalformed});
    error.message = fmt::format("systemd does not start '{}': it cannot read '{}': {}",
                                snapshot_.unit.id, path, why);
    return error;
  }

  void unset_environment() {
    for (const systemd::UnitSetting& setting : settings_.unset_environment) {
      forms_.push_back({systemd::Form::kUnsetEnvironment, setting.value.at.front()});
      for (const std::string& name : systemd::parse_name_list(setting.value, snapshot_.specifiers,
                                                              snapshot_.systemd_version)) {
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
      if (result_.environment.contains(name) || unset_late_.contains(name)) return;
      if (!systemd::is_variable_name(name)) return;
      if (noted.insert(name).second) result_.unset.push_back(name);
    };
    for (const systemd::Word& word : command_.words) {
      if (word.text.text.starts_with('$')) note(word.text.text.substr(1));
    }
    for (const systemd::Word& word : result_.words) {
      for (const std::string& name : word.inner) note(name);
    }
  }

  /// PassEnvironment= of a variable that nothing else sets: its value is in process 1 alone, and a tree of
  /// files has none.
  Status check_passed() const {
    if (snapshot_.live) return {};
    for (const systemd::UnitSetting& setting : settings_.pass_environment) {
      for (const std::string& name :
           systemd::parse_name_list(setting.value, snapshot_.specifiers)) {
        const auto& unset = result_.unset;
        if (std::find(unset.begin(), unset.end(), name) == unset.end()) continue;
        const auto source = static_cast<std::size_t>(setting.value.at.front().source);
        return error_at(
            ErrorKind::kUnsupported, snapshot_.files[source], setting.line_at,
            fmt::format("cannot determine the value of '{}', which is passed on from process 1",
                        name),
            "run it on the node itself, or set the variable with 'Environment='");
      }
    }
    return {};
  }

  void note_origins() {
    result_.origins = word_origins(snapshot_, result_.words, [this](const systemd::Word& word) {
      const auto variable = result_.environment.find(word.variable);
      if (variable != result_.environment.end()) return variable->second.kind;
      return word.raw.source == snapshot_.unit.fragment ? OriginKind::kUnit : OriginKind::kDropIn;
    });
  }

  Status check_version() {
    forms_.insert(forms_.end(), snapshot_.unit.forms.begin(), snapshot_.unit.forms.end());
    if (unknown_login_) {
      return at_use(
          {systemd::newer::kLoginVariable, unknown_login_->second},
          fmt::format("cannot determine whether systemd {} sets '${}' in a service without "
                      "User=",
                      snapshot_.systemd_version, unknown_login_->first));
    }
    if (const systemd::FormUse* use =
            systemd::first_unmeasured(forms_, snapshot_.systemd_version)) {
      const auto& table = systemd::newer_form_table();
      const auto row =
          std::find_if(table.begin(), table.end(),
                       [use](const systemd::NewerForm& one) { return one.form == use->form; });
      return at_use(
          *use, fmt::format("will not resolve this for systemd {}: it is not known how it reads "
                            "{}, which changed between {} and {}",
                            snapshot_.systemd_version, row->what, row->old_until, row->new_since));
    }
    const systemd::FormUse* use = systemd::first_differing(forms_, snapshot_.systemd_version);
    if (use == nullptr) return {};
    const auto& table = systemd::form_table();
    const auto facts =
        std::find_if(table.begin(), table.end(),
                     [use](const systemd::FormFacts& row) { return row.form == use->form; });
    const std::string message = fmt::format(
        "will not resolve this for systemd {}: it reads {} differently from {} and later",
        snapshot_.systemd_version, facts->what, facts->alike_since);
    return at_use(*use, message);
  }

  Error at_use(const systemd::FormUse& use, const std::string& message) const {
    if (use.at.source == kNoSource) {
      return Error{.kind = ErrorKind::kUnsupported, .message = message};
    }
    return error_at(ErrorKind::kUnsupported,
                    snapshot_.files[static_cast<std::size_t>(use.at.source)],
                    {use.at.begin, use.at.end}, message);
  }

  const nodes::NodeSnapshot& snapshot_;
  systemd::ParsedUnit& unit_;
  const systemd::ServiceSettings& settings_;
  systemd::StoredCommand command_;
  systemd::CommandLine result_;
  std::vector<systemd::FormUse> forms_;
  std::set<std::string> unset_late_;  // variables that the command still saw
  bool from_login_ = false;           // $USER is root's without User=
  std::optional<std::pair<std::string, CharOrigin>> unknown_login_;
};

}  // namespace

Result<systemd::CommandLine> resolve_command(const nodes::NodeSnapshot& snapshot,
                                             systemd::ParsedUnit& unit) {
  counted(Counted::kResolveCommand);
  return Resolver(snapshot, unit).run();
}

Result<systemd::CommandLine> resolve_command(const nodes::NodeSnapshot& snapshot) {
  if (snapshot.known.command) return *snapshot.known.command;
  systemd::ParsedUnit unit = nodes::parsed_unit_of(snapshot);
  return resolve_command(snapshot, unit);
}

}  // namespace kubelet_sysctl::model
