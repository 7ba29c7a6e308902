// SPDX-License-Identifier: Apache-2.0
// Bringing the flag into a command that does not have it: through a variable or our own drop-in.
#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/env_file.hpp"
#include "parts.hpp"

namespace kubelet_sysctl::planning {
namespace {

/// `$NAME` words of the command in force, in order.
std::vector<std::string> split_variables(const model::NodeModel& model) {
  std::vector<std::string> names;
  if (model.command.no_variables) return names;
  std::vector<systemd::FormUse> unused;
  for (const systemd::Word& word : systemd::split_value(model.command.exec_setting.value, unused)) {
    const std::string& text = word.text.text;
    if (text.size() < 2 || text[0] != '$' || !systemd::is_variable_name(text.substr(1))) continue;
    names.push_back(text.substr(1));
  }
  return names;
}

/// Where to try, best first: the variable that the node kind names, then from the last to the
/// first, since the operator's comes last in every known unit.
std::vector<std::string> ordered_variables(const model::NodeModel& model) {
  std::vector<std::string> names = split_variables(model);
  std::reverse(names.begin(), names.end());
  const std::string preferred(model.kind->variable);
  const auto found = std::find(names.begin(), names.end(), preferred);
  if (found != names.end()) std::rotate(names.begin(), found, found + 1);
  return names;
}

/// The last byte of a value that is not blank; npos for a value without any.
std::size_t last_text(const std::string& value) { return value.find_last_not_of(" \t\r\n"); }

/// True when a shell, too, reads the value without quotes as one word.
bool is_one_shell_word(std::string_view text) {
  return text.find_first_of(" \t\r\n\"'\\$`;&|<>()#") == std::string_view::npos;
}

/// Adds `flag` at the end of what a variable holds. `name` is the variable's for Environment=, where
/// quotes stand around NAME=value; it is empty in an environment file.
std::vector<Splice> splices_for(const SourceFile& file, const systemd::Variable& variable,
                                const std::string& flag, std::string_view name) {
  const Span raw{variable.raw.begin, variable.raw.end};
  const std::string_view written = std::string_view(file.bytes).substr(raw.begin, raw.size());
  const std::size_t last = last_text(variable.value.text);
  if (last == std::string::npos) {
    // Nothing there yet: one line in double quotes, which every systemd and a shell read alike.
    const std::string value =
        name.empty() ? fmt::format("\"{}\"", flag) : fmt::format("\"{}={}\"", name, flag);
    return {{.at = raw, .text = value}};
  }
  const std::size_t place = variable.value.at[last].end;
  const bool quoted = !written.empty() && (written.front() == '"' || written.front() == '\'');
  if (!quoted && is_one_shell_word(written)) {
    return {{.at = {raw.begin, raw.begin}, .text = "\""},
            {.at = {raw.end, raw.end}, .text = fmt::format(" {}\"", flag)}};
  }
  return {{.at = {place, place}, .text = fmt::format(" {}", flag)}};
}

/// The operator's file that is read last: named plainly and in /etc.
const SourceFile* operator_file(const nodes::NodeSnapshot& snapshot,
                                const model::NodeModel& model) {
  const auto& lines = model.command.environment_files;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    const SourceFile* file = nodes::find_file(snapshot, line->path);
    const bool plain = line->path.find_first_of("*?[") == std::string::npos;
    if (file == nullptr || !plain || line->path.compare(0, 5, "/etc/") != 0) continue;
    if (file->kind == FileKind::kRegular || file->kind == FileKind::kAbsent) return file;
  }
  return nullptr;
}

/// A new line at the end of an environment file, in the file's own line ends.
Result<FileEdit> new_assignment(const SourceFile& file, const std::string& name,
                                const std::string& flag) {
  const bool crlf = file.bytes.find("\r\n") != std::string::npos;
  const std::string end = crlf ? "\r\n" : "\n";
  std::string line = fmt::format("{}=\"{}\"{}", name, flag, end);
  if (!file.exists()) return creation_of(file, line, nodes::Route::kArgs);
  if (!file.bytes.empty() && file.bytes.back() != '\n') line = end + line;
  return edit_of(file, {{.at = {file.bytes.size(), file.bytes.size()}, .text = line}},
                 nodes::Route::kArgs);
}

/// Everything a candidate may be limited to.
class Inserter {
 public:
  Inserter(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model, std::string flag,
           std::string file)
      : snapshot_(snapshot), model_(model), flag_(std::move(flag)), only_(std::move(file)) {}

  Result<std::vector<Candidate>> run() {
    for (const std::string& name : ordered_variables(model_)) {
      const auto variable = model_.command.environment.find(name);
      const bool set =
          variable != model_.command.environment.end() && variable->second.raw.source != kNoSource;
      if (set) {
        into(name, variable->second);
      } else {
        unset(name);
      }
    }
    auto text = restated_command(model_, {}, flag_);
    if (text) offer(creation_of(own_drop_in(snapshot_), std::move(*text), nodes::Route::kUnit));
    return std::move(candidates_);
  }

 private:
  void offer(Result<FileEdit> edit) {
    if (!edit) return;
    const SourceFile& before = edit->before;
    const bool chosen = only_.empty() || only_ == before.path || only_ == before.real_path;
    if (!chosen || !is_editable(before)) return;
    Candidate candidate;
    candidate.edits.push_back(std::move(*edit));
    candidates_.push_back(std::move(candidate));
  }

  void into(const std::string& name, const systemd::Variable& variable) {
    const SourceFile& file = snapshot_.files[static_cast<std::size_t>(variable.raw.source)];
    const bool in_file = variable.kind == OriginKind::kEnvironmentFile;
    offer(edit_of(file, splices_for(file, variable, flag_, in_file ? "" : name),
                  in_file ? nodes::Route::kArgs : nodes::Route::kUnit));
  }

  void unset(const std::string& name) {
    const SourceFile* file = operator_file(snapshot_, model_);
    if (file != nullptr) offer(new_assignment(*file, name, flag_));
    const std::string text = fmt::format(
        "# Made by kubelet-sysctl; its 'undo' takes this file away again.\n"
        "[Service]\nEnvironment=\"{}={}\"\n",
        name, flag_);
    const SourceFile own = own_drop_in(snapshot_);
    if (!own.exists()) offer(creation_of(own, text, nodes::Route::kUnit));
  }

  const nodes::NodeSnapshot& snapshot_;
  const model::NodeModel& model_;
  std::string flag_;
  std::string only_;
  std::vector<Candidate> candidates_;
};

/// Offset in the joined command for an offset in its file; npos when it lies outside.
std::size_t offset_in_command(const MappedText& command, std::size_t file_offset) {
  for (std::size_t i = 0; i < command.at.size(); ++i) {
    if (command.at[i].begin == file_offset) return i;
  }
  if (!command.at.empty() && command.at.back().end == file_offset) return command.at.size();
  return std::string::npos;
}

/// The places that a launcher of the kubelet names.
Result<std::vector<Candidate>> hosted(const nodes::KubeletLauncher& launcher,
                                      const nodes::NodeSnapshot& snapshot,
                                      const model::NodeModel& model, const EntryList& wanted,
                                      const std::string& only) {
  auto unit = model::resolve_command(snapshot);
  if (!unit) return std::move(unit).error();
  std::vector<Candidate> candidates;
  if (launcher.insertions == nullptr) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .message = fmt::format("will not add a flag to the arguments of a kubelet of {}",
                                        model.kind->title),
                 .path = snapshot.unit.fragment_path,
                 .hint = "use '--via config'"};
  }
  for (nodes::LauncherEdit& place : launcher.insertions(snapshot, *unit, joined(wanted))) {
    if (!only.empty() && place.path != only) continue;
    const SourceFile* known = nodes::find_file(snapshot, place.path);
    SourceFile file;
    file.path = file.real_path = place.path;
    if (known != nullptr) file = *known;
    const std::int32_t source = nodes::find_source(snapshot, file.path);
    const auto& drop_ins = snapshot.unit.drop_ins;
    const bool is_unit = file.path == snapshot.unit.fragment_path ||
                         std::find(drop_ins.begin(), drop_ins.end(), source) != drop_ins.end();
    Candidate candidate;
    if (file.exists()) {
      auto edit = edit_of(file, {std::move(place.splice)},
                          is_unit ? nodes::Route::kUnit : nodes::Route::kArgs);
      if (!edit) return std::move(edit).error();
      candidate.edits.push_back(std::move(*edit));
    } else {
      candidate.edits.push_back(
          creation_of(file, std::move(place.splice.text), nodes::Route::kArgs));
    }
    candidates.push_back(std::move(candidate));
  }
  const SourceFile own = own_drop_in(snapshot);
  if (launcher.unit_option.empty() || (!only.empty() && only != own.path)) return candidates;
  for (const std::string_view sign : {"+=", "="}) {
    const std::string option = fmt::format("{}{}{}{}", launcher.unit_option,
                                           kubelet::kListFlag.substr(2), sign, joined(wanted));
    auto text = restated_command(model, {}, option);
    if (!text) break;
    Candidate candidate;
    candidate.edits.push_back(creation_of(own, std::move(*text), nodes::Route::kUnit));
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

}  // namespace

SourceFile own_drop_in(const nodes::NodeSnapshot& snapshot) {
  const std::string path =
      fmt::format("/etc/systemd/system/{}.d/{}", snapshot.unit.id, model::kOwnDropIn);
  const SourceFile* known = nodes::find_file(snapshot, path);
  if (known != nullptr) return *known;
  SourceFile file;
  file.path = path;
  file.real_path = path;
  return file;
}

Result<std::string> restated_command(const model::NodeModel& model, std::vector<Splice> splices,
                                     const std::string& appended) {
  const MappedText& command = model.command.exec_setting.value;
  for (Splice& splice : splices) {
    const std::size_t begin = offset_in_command(command, splice.at.begin);
    const std::size_t end = offset_in_command(command, splice.at.end);
    if (begin == std::string::npos || end == std::string::npos || begin > end) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .message =
                       "will not edit a package's file, and the flag is not in the "
                       "command itself"};
    }
    splice.at = {begin, end};
  }
  auto text = apply_splices(command.text, std::move(splices));
  if (!text) return std::move(text).error();
  if (!appended.empty()) *text += " " + appended;
  return fmt::format(
      "# Made by kubelet-sysctl; its 'undo' takes this file away again.\n"
      "# The command is the one of the files before, with the list in it.\n"
      "[Service]\nExecStart=\nExecStart={}\n",
      *text);
}

Result<std::vector<Candidate>> insert_flag(const nodes::NodeSnapshot& snapshot,
                                           const model::NodeModel& model, const EntryList& wanted,
                                           const std::string& file) {
  if (const nodes::KubeletLauncher* launcher = model::launcher_of(snapshot))
    return hosted(*launcher, snapshot, model, wanted, file);
  return Inserter(snapshot, model, flag_text(wanted), file).run();
}

}  // namespace kubelet_sysctl::planning
