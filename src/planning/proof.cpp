// SPDX-License-Identifier: Apache-2.0
// Edits as data, the node as it would be with them, and the proof that nothing else changes.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/checks/swallowed.hpp"
#include "kubelet_sysctl/kubelet/config_merge.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/config.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "parts.hpp"

namespace kubelet_sysctl::planning {
namespace {

Error unprovable(std::string message) {
  return Error{.kind = ErrorKind::kUnsupported, .message = std::move(message)};
}

/// Puts a new drop-in of the unit where its name sorts.
void add_drop_in(nodes::NodeSnapshot& snapshot, std::int32_t source) {
  const std::string_view name = base_name(snapshot.files[static_cast<std::size_t>(source)].path);
  auto& list = snapshot.unit.drop_ins;
  const auto later = std::find_if(list.begin(), list.end(), [&](std::int32_t other) {
    return base_name(snapshot.files[static_cast<std::size_t>(other)].path) > name;
  });
  list.insert(later, source);
}

void add_config_drop_in(std::vector<nodes::WalkEntry>& walk, const std::string& path,
                        std::int32_t source) {
  const auto later = std::find_if(walk.begin(), walk.end(),
                                  [&](const nodes::WalkEntry& entry) { return entry.path > path; });
  walk.insert(later, {.path = path, .source = source});
}

/// Makes a file that was absent known to any process that reads its directory.
void place_new(nodes::NodeSnapshot& snapshot, std::int32_t source) {
  const std::string path = snapshot.files[static_cast<std::size_t>(source)].path;
  const std::string directory = directory_of(path);
  if (directory == fmt::format("/etc/systemd/system/{}.d", snapshot.unit.id)) {
    const auto& list = snapshot.unit.drop_ins;
    if (std::find(list.begin(), list.end(), source) == list.end()) add_drop_in(snapshot, source);
  }
  const auto listing = snapshot.listings.find(directory);
  if (listing != snapshot.listings.end()) {
    auto& names = listing->second;
    const std::string name(base_name(path));
    const auto later = std::lower_bound(names.begin(), names.end(), name);
    if (later == names.end() || *later != name) names.insert(later, name);
  }
  const auto walk = snapshot.config_dirs.find(directory);
  if (walk == snapshot.config_dirs.end()) return;
  const auto known =
      std::find_if(walk->second.begin(), walk->second.end(),
                   [&](const nodes::WalkEntry& entry) { return entry.path == path; });
  if (known == walk->second.end()) add_config_drop_in(walk->second, path, source);
}

/// The words of a command without the list's flag.
std::vector<std::string> other_words(const model::NodeModel& model) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < model.argv.size(); ++i) {
    const bool is_list = std::any_of(
        model.flags.lists.begin(), model.flags.lists.end(),
        [i](const kubelet::ListFlag& flag) { return flag.word == i || flag.value_word == i; });
    if (!is_list) words.push_back(model.argv[i]);
  }
  return words;
}

/// The flags as pflag takes them, but for the list's: a word may be the same and not a flag any more.
std::vector<std::pair<std::string, std::string>> other_flags(const model::NodeModel& model) {
  std::vector<std::pair<std::string, std::string>> flags;
  for (const kubelet::FlagUse& flag : model.flags.all) {
    if (flag.name != kubelet::kListFlag.substr(2)) flags.emplace_back(flag.name, flag.value);
  }
  return flags;
}

/// A list that ended the kubelet hides the flags behind it; those come to light with its correction.
bool keeps_flags(const model::NodeModel& before, const model::NodeModel& after) {
  const auto old = other_flags(before);
  const auto now = other_flags(after);
  if (!before.flags.fatal) return old == now;
  return old.size() <= now.size() && std::equal(old.begin(), old.end(), now.begin());
}

/// True when the words of a program that runs the kubelet differ in those alone that hold the flag.
bool same_but_list(std::vector<std::string> before, std::vector<std::string> after) {
  const auto holds_flag = [](const std::string& word) {
    return word.find(kubelet::kListFlag.substr(2)) != std::string::npos;
  };
  if (before.size() == after.size()) {
    return std::equal(before.begin(), before.end(), after.begin(),
                      [&](const std::string& one, const std::string& other) {
                        return one == other || holds_flag(one) || holds_flag(other);
                      });
  }
  std::erase_if(before, holds_flag);
  std::erase_if(after, holds_flag);
  return before == after;
}

/// Variables whose value differs, by name.
std::vector<std::string> changed_variables(const systemd::Environment& before,
                                           const systemd::Environment& after) {
  std::vector<std::string> names;
  for (const auto& [name, variable] : before) {
    const auto other = after.find(name);
    if (other == after.end() || other->second.value.text != variable.value.text) {
      names.push_back(name);
    }
  }
  for (const auto& [name, variable] : after) {
    if (!before.contains(name)) names.push_back(name);
  }
  return names;
}

/// A changed variable must be one that holds the flag now or held it before.
bool carries_list(const model::NodeModel& model, const std::string& name) {
  if (model.wrapped) return false;
  return std::any_of(
      model.flags.lists.begin(), model.flags.lists.end(), [&](const kubelet::ListFlag& flag) {
        const systemd::Word& word = model.command.words[flag.word];
        const bool alone = variable_source(word) != kNoSource && word.inner.front() == name;
        return word.variable == name || alone;
      });
}

/// Why the list is not the wanted one, where the layers say so.
Error other_list(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                 const EntryList& wanted) {
  const model::Layer* winner = model::winner_of(model);
  const bool in_file = winner != nullptr && winner->kind != model::LayerKind::kFlag;
  const SourceFile* file = in_file ? nodes::find_file(snapshot, winner->at.path) : nullptr;
  if (file != nullptr && winner->kind == model::LayerKind::kConfigDir) {
    const std::string key = file->bytes.substr(winner->at.span.begin, winner->at.span.size());
    if (key.find("allowedUnsafeSysctls") == std::string::npos) {
      return error_at(ErrorKind::kUnsupported, *file, winner->at.span,
                      fmt::format("will not write this list: a kubelet would not use it, since the "
                                  "key {} overrides every 'allowedUnsafeSysctls'",
                                  key),
                      "give that key its right name first, and put both lists together");
    }
  }
  if (file != nullptr && wanted.empty() &&
      model::merge_rule_of(snapshot) != kubelet::MergeRule::kApiNames) {
    const std::string release =
        snapshot.kubelet_version ? sysctl::text_of(*snapshot.kubelet_version) : "";
    return error_at(
        ErrorKind::kUnsupported, *file, winner->at.span,
        fmt::format("will not empty the list in a drop-in: this kubelet ({}) takes nothing from an "
                    "empty one, and the list here would be in force",
                    release),
        "empty the list here, or give the drop-in the entries that shall stay");
  }
  if (std::any_of(model.flags.lists.begin(), model.flags.lists.end(),
                  [](const kubelet::ListFlag& flag) { return flag.lost_lines; })) {
    Error error = unprovable(
        "will not edit this list: its value goes on after a line end, and the kubelet "
        "drops what is there");
    error.hint = "write the list on one line, with commas";
    return error;
  }
  return unprovable(fmt::format("after the edit the list would be '{}' and not '{}'",
                                joined(model::configured_texts(model)), joined(wanted)));
}

}  // namespace

std::string flag_text(const EntryList& list) {
  return fmt::format("{}={}", kubelet::kListFlag, joined(list));
}

bool is_editable(const SourceFile& file) {
  return !systemd::is_vendor_path(file.path) && !systemd::is_vendor_path(file.real_path);
}

Result<FileEdit> edit_of(const SourceFile& file, std::vector<Splice> splices, nodes::Route route) {
  auto after = apply_splices(file.bytes, splices);
  if (!after) return std::move(after).error();
  FileEdit edit;
  edit.before = file;
  edit.splices = std::move(splices);
  edit.after = std::move(*after);
  edit.daemon_reload = route == nodes::Route::kUnit;
  edit.route = route;
  return edit;
}

FileEdit creation_of(const SourceFile& looked_for, std::string bytes, nodes::Route route) {
  FileEdit edit;
  edit.before = looked_for;
  edit.splices = {{.at = {0, 0}, .text = bytes}};
  edit.after = std::move(bytes);
  edit.daemon_reload = route == nodes::Route::kUnit;
  edit.route = route;
  return edit;
}

Result<nodes::NodeSnapshot> with_edits(const nodes::NodeSnapshot& snapshot,
                                       const std::vector<FileEdit>& edits) {
  nodes::NodeSnapshot after = snapshot;
  for (const FileEdit& edit : edits) {
    std::int32_t source = nodes::find_source(after, edit.before.path);
    if (source == kNoSource) {
      source = static_cast<std::int32_t>(after.files.size());
      after.files.push_back(edit.before);
    }
    nodes::forget_text(after, source);
    SourceFile& file = after.files[static_cast<std::size_t>(source)];
    if (edit.removes) {
      file.bytes.clear();
      file.kind = FileKind::kAbsent;
      std::erase(after.unit.drop_ins, source);
      const auto listing = after.listings.find(directory_of(edit.before.path));
      if (listing != after.listings.end()) {
        std::erase(listing->second, base_name(edit.before.path));
      }
      for (auto& [directory, walk] : after.config_dirs) {
        std::erase_if(walk,
                      [source](const nodes::WalkEntry& entry) { return entry.source == source; });
      }
      continue;
    }
    const bool is_new = !file.exists();
    file.bytes = edit.after;
    file.kind = FileKind::kRegular;
    if (is_new) place_new(after, source);
  }
  after.known.unit = nodes::parsed_unit_of(after);
  after.known.kind = &nodes::kind_of(after);
  return after;
}

Result<model::NodeModel> prove(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                               const std::vector<FileEdit>& edits, const EntryList& wanted) {
  for (const FileEdit& edit : edits) {
    if (!edit.removes && !only_spliced(edit.before.bytes, edit.after, edit.splices)) {
      return unprovable("the edit would touch bytes outside its place");
    }
  }
  auto after = with_edits(snapshot, edits);
  if (!after) return std::move(after).error();
  auto result = model::resolve(*after);
  if (!result) {
    return unprovable(
        fmt::format("after the edit the node could not be read: {}", result.error().message));
  }
  if (!model::is_configured(*result, wanted)) return other_list(*after, *result, wanted);
  if (result->flags.fatal && !model.flags.fatal) {
    return unprovable(
        fmt::format("the kubelet would exit because of its arguments: {}", *result->flags.fatal));
  }
  if (model::launcher_of(snapshot) != nullptr &&
      !same_but_list(model.unit_argv, result->unit_argv)) {
    return unprovable("the edit would change other arguments of the unit's program");
  }
  if (!model.wrapped && other_words(*result) != other_words(model)) {
    return unprovable("the edit would change other arguments of the kubelet");
  }
  if (!model.wrapped && !keeps_flags(model, *result)) {
    return unprovable("the edit would change what the kubelet takes for its other flags");
  }
  if (checks::is_list_swallowed(*after, *result)) {
    return unprovable("after the edit the list would hold other flags");
  }
  for (const std::string& name :
       changed_variables(model.command.environment, result->command.environment)) {
    if (!carries_list(model, name) && !carries_list(*result, name)) {
      return unprovable(fmt::format("the edit would change the variable '{}'", name));
    }
    // A quote left open makes systemd drop the whole assignment; only a file that goes may do that.
    const bool goes =
        std::any_of(edits.begin(), edits.end(), [](const FileEdit& edit) { return edit.removes; });
    if (!result->command.environment.contains(name) && !goes) {
      return unprovable(fmt::format("the edit would lose the variable '{}'", name));
    }
  }
  return result;
}

}  // namespace kubelet_sysctl::planning
