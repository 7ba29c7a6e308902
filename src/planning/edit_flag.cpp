// SPDX-License-Identifier: Apache-2.0
// Changing the flag where it is: in a variable, in the command, in one word or two.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
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
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "parts.hpp"

namespace kubelet_sysctl::planning {
namespace {

/// One occurrence of the flag with what it holds and what it shall hold.
struct Occurrence {
  const kubelet::ListFlag* flag = nullptr;
  const systemd::Word* name = nullptr;   // the word with the flag
  const systemd::Word* value = nullptr;  // the word with the value; the same for the = form
  const SourceFile* file = nullptr;      // nullptr when no single file holds flag and value
  Span raw = {};                         // their bytes in it
  bool is_variable = false;  // all that one assignment says: the word is "${NAME}" alone
  bool assembled = false;    // part of the value comes from another place than the word
  bool of_launcher = false;  // is in a file of the program that runs the kubelet
  bool built_in = false;     // that program adds it by itself
  std::vector<std::string> now;
  std::vector<std::string> then;
};

using SplicesOfFiles = std::map<const SourceFile*, std::vector<Splice>>;

const SourceFile* file_of(const nodes::NodeSnapshot& snapshot, const systemd::Word& word) {
  if (word.raw.source == kNoSource) return nullptr;
  return &snapshot.files[static_cast<std::size_t>(word.raw.source)];
}

/// A word that is "${NAME}" and nothing else is edited where the variable is assigned. It stays a word even when
/// the variable is empty, so the flag is emptied there and not taken out.
void take_variable(const nodes::NodeSnapshot& snapshot, Occurrence& one) {
  const std::int32_t source = variable_source(*one.value);
  if (one.name != one.value || source == kNoSource) return;
  const auto& at = one.value->text.at;
  one.file = &snapshot.files[static_cast<std::size_t>(source)];
  one.raw = {at.front().begin, at.back().end};
  one.assembled = false;
  one.is_variable = true;
}

std::vector<Occurrence> occurrences_of(const nodes::NodeSnapshot& snapshot,
                                       const model::NodeModel& model) {
  std::vector<Occurrence> found;
  for (const kubelet::ListFlag& flag : model.flags.lists) {
    Occurrence one;
    one.flag = &flag;
    one.name = &model.command.words[flag.word];
    one.value = &model.command.words[flag.value_word];
    const SourceFile* file = file_of(snapshot, *one.value);
    if (file == file_of(snapshot, *one.name)) one.file = file;
    const OriginKind kind = model.command.origins[flag.value_word].kind;
    one.of_launcher = kind == OriginKind::kLauncherFile;
    one.built_in = kind == OriginKind::kHost;
    const auto& at = one.value->text.at;
    one.assembled = std::any_of(
        std::next(at.begin(), static_cast<std::ptrdiff_t>(flag.value_begin)), at.end(),
        [&one](const CharOrigin& from) { return from.source != one.value->raw.source; });
    one.raw = {one.name->raw.begin, one.value->raw.end};
    take_variable(snapshot, one);
    for (const kubelet::ListFlag::Item& item : flag.items) one.now.push_back(item.text);
    one.then = one.now;
    found.push_back(std::move(one));
  }
  return found;
}

bool is_kept_in_order(const std::vector<std::string>& kept, const EntryList& list) {
  return kept.size() <= list.size() && std::equal(kept.begin(), kept.end(), list.begin());
}

/// Shares the wanted list out over the occurrences: entries that go leave theirs, new ones join the
/// last that may be edited; another order puts everything into that one.
void share_out(std::vector<Occurrence>& all, const EntryList& wanted) {
  std::vector<std::string> left = wanted;
  std::vector<std::string> kept;
  for (Occurrence& one : all) {
    std::vector<std::string> items;
    for (const std::string& entry : one.now) {
      const auto found = std::find(left.begin(), left.end(), entry);
      if (found == left.end()) continue;
      items.push_back(entry);
      left.erase(found);
    }
    one.then = items;
    kept.insert(kept.end(), items.begin(), items.end());
  }
  Occurrence* target = nullptr;
  for (Occurrence& one : all) {
    if (one.file != nullptr && is_editable(*one.file)) target = &one;
  }
  const bool last_is_target = target == &all.back();
  if (is_kept_in_order(kept, wanted) && (left.empty() || last_is_target)) {
    if (!left.empty()) target->then.insert(target->then.end(), left.begin(), left.end());
    return;
  }
  if (target == nullptr) target = &all.back();
  for (Occurrence& one : all)
    one.then = &one == target ? std::vector<std::string>(wanted) : std::vector<std::string>();
}

/// True when the bytes of the file are the value's own text, one for one.
bool is_plain(const Occurrence& one, std::size_t begin, std::size_t end) {
  const auto& at = one.value->text.at;
  for (std::size_t i = begin; i < end; ++i) {
    if (at[i].source != at[begin].source || at[i].end != at[i].begin + 1) return false;
    if (i > begin && at[i].begin != at[i - 1].end) return false;
  }
  return true;
}

/// The smallest splice that turns `before`, standing at `at`, into `after`.
Splice smallest(std::size_t at, std::string_view before, std::string_view after) {
  std::size_t head = 0;
  while (head < before.size() && head < after.size() && before[head] == after[head]) ++head;
  std::size_t tail = 0;
  while (tail < before.size() - head && tail < after.size() - head &&
         before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
    ++tail;
  }
  return {.at = {at + head, at + before.size() - tail},
          .text = std::string(after.substr(head, after.size() - head - tail))};
}

/// Replaces the value of one occurrence that stays.
Splice value_splice(const Occurrence& one) {
  const std::size_t begin = one.flag->value_begin;
  const std::size_t end = one.value->text.text.size();
  const auto& at = one.value->text.at;
  const std::string after = joined(one.then);
  if (begin == end && one.name == one.value) {
    const std::size_t place = at[begin - 1].end;  // right after the '='
    return {.at = {place, place}, .text = after};
  }
  if (begin == end) {
    return {.at = {one.value->raw.begin, one.value->raw.end}, .text = after};
  }
  // An addition goes behind the last entry, whatever quotes and escapes stand around those before
  // it.
  if (!one.now.empty() && is_kept_in_order(one.now, one.then)) {
    const std::vector<std::string> added(
        one.then.begin() + static_cast<std::ptrdiff_t>(one.now.size()), one.then.end());
    const std::size_t place = at[end - 1].end;
    return {.at = {place, place}, .text = "," + joined(added)};
  }
  if (is_plain(one, begin, end)) {
    return smallest(at[begin].begin, std::string_view(one.value->text.text).substr(begin), after);
  }
  return {.at = {at[begin].begin, at[end - 1].end}, .text = after};
}

bool is_gap(char byte) { return byte == ' ' || byte == '\t'; }

/// Removes the flag's word or words with the blanks that set them apart.
Splice removal_splice(const Occurrence& one) {
  const std::string& bytes = one.file->bytes;
  std::size_t begin = one.raw.begin;
  std::size_t end = one.raw.end;
  const std::size_t start = begin;
  while (begin > 0 && is_gap(bytes[begin - 1])) --begin;
  // At the start of a value or a continued line nothing is there before: take the blanks behind
  // instead.
  const bool first = begin == start || begin == 0 || bytes[begin - 1] == '\n';
  if (first) {
    begin = start;
    while (end < bytes.size() && is_gap(bytes[end])) ++end;
  }
  return {.at = {begin, end}, .text = {}};
}

/// An empty flag in one word, which still hides the lists below it.
Splice emptied_splice(const Occurrence& one) {
  return {.at = one.raw, .text = fmt::format("{}=", kubelet::kListFlag)};
}

bool lower_list_exists(const model::NodeModel& model) {
  return std::any_of(model.layers.begin(), model.layers.end(), [](const model::Layer& layer) {
    return layer.kind != model::LayerKind::kFlag && layer.sets && !layer.entries.empty();
  });
}

Finding kept_empty(const model::NodeModel& model) {
  Finding finding = {.id = "empty-flag-kept", .severity = Severity::kNote};
  for (const model::Layer& layer : model.layers) {
    if (layer.kind == model::LayerKind::kFlag || layer.entries.empty()) continue;
    finding.path = layer.at.path;
    finding.line = layer.at.line;
  }
  finding.message =
      "an empty flag stays, since without it the list in this file would come into force";
  return finding;
}

/// Splices of every occurrence that changes, by file. `hide` keeps an empty flag on the last one.
/// `again` writes the words of a launcher's own files as a whole.
SplicesOfFiles splices_of(const std::vector<Occurrence>& all, bool hide, bool whole_words,
                          const nodes::KubeletLauncher* launcher) {
  const auto whole = [](const Occurrence& one) {
    return Span{one.name->raw.begin, one.value->raw.end};
  };
  const auto removal = [&](const Occurrence& one) {
    if (launcher != nullptr && !one.of_launcher && launcher->unit_removal != nullptr) {
      return launcher->unit_removal(*one.file, whole(one));
    }
    if (!one.of_launcher || launcher->removal == nullptr) return removal_splice(one);
    return launcher->removal(*one.file, whole(one));
  };
  SplicesOfFiles splices;
  for (const Occurrence& one : all) {
    const bool keeps_hiding = one.is_variable || (hide && &one == &all.back());
    if (one.then == one.now) continue;
    const bool rewritten = whole_words && one.of_launcher && launcher->rewrite != nullptr;
    if (rewritten && (keeps_hiding || !one.then.empty())) {
      splices[one.file].push_back(launcher->rewrite(*one.file, whole(one), joined(one.then)));
    } else if (!one.then.empty()) {
      splices[one.file].push_back(value_splice(one));
    } else {
      splices[one.file].push_back(keeps_hiding ? emptied_splice(one) : removal(one));
    }
  }
  return splices;
}

/// The bytes of "${NAME}" in the command, or of all of it.
Span place_of_variable(const systemd::UnitSetting& command, const std::string& name) {
  const std::string text = fmt::format("${{{}}}", name);
  const std::size_t found = command.value.text.find(text);
  if (name.empty() || found == std::string::npos) return command.line_at;
  return {command.value.at[found].begin, command.value.at[found + text.size() - 1].end};
}

/// What its launcher adds cannot be changed where nothing is there.
Error built_in(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
               const Occurrence& one) {
  return {.kind = ErrorKind::kUnsupported,
          .message = fmt::format("will not change this list: {} itself adds '{}'",
                                 model.kind->title, joined(one.now)),
          .path = snapshot.unit.fragment_path,
          .hint = "its own options decide that part; see docs/node-kinds.md"};
}

Error assembled(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                const Occurrence& one) {
  if (one.built_in) return built_in(snapshot, model, one);
  const systemd::CommandLine& command = model.command;
  const SourceFile& file = snapshot.files[static_cast<std::size_t>(command.exec_source)];
  const std::string name = one.value->inner.empty() ? std::string() : one.value->inner.front();
  std::string message = "will not edit this list: it is put together from several places";
  std::string hint;
  if (!name.empty()) {
    message = fmt::format("will not edit this list: part of it comes from '${{{}}}'", name);
    const auto variable = command.environment.find(name);
    if (variable != command.environment.end() && variable->second.raw.source != kNoSource) {
      const auto source = static_cast<std::size_t>(variable->second.raw.source);
      hint = fmt::format("set {} in '{}' by hand, or ", name, snapshot.files[source].path);
    }
  }
  hint += fmt::format("move the whole list to '{}'",
                      model.config_path.empty() ? "one variable" : model.config_path);
  return error_at(ErrorKind::kUnsupported, file, place_of_variable(command.exec_setting, name),
                  message, hint);
}

/// The files as they are, edited in place.
Result<Candidate> in_place(const SplicesOfFiles& splices, const nodes::NodeSnapshot& snapshot) {
  Candidate candidate;
  for (const auto& [file, list] : splices) {
    const std::int32_t source = nodes::find_source(snapshot, file->path);
    const auto& drop_ins = snapshot.unit.drop_ins;
    const bool is_unit = source == snapshot.unit.fragment ||
                         std::find(drop_ins.begin(), drop_ins.end(), source) != drop_ins.end();
    auto edit = edit_of(*file, list, is_unit ? nodes::Route::kUnit : nodes::Route::kArgs);
    if (!edit) return std::move(edit).error();
    candidate.edits.push_back(std::move(*edit));
  }
  return candidate;
}

/// True when our own drop-in holds nothing but what this program writes: then it may go whole.
bool is_all_ours(const SourceFile& own, std::int32_t source, const model::NodeModel& model) {
  if (!own.exists() || !own.bytes.starts_with("# Made by kubelet-sysctl")) return false;
  const auto& files = model.unit.files;
  const auto file =
      std::find_if(files.begin(), files.end(),
                   [source](const systemd::ParsedUnitFile& one) { return one.source == source; });
  if (file == files.end()) return false;
  const auto& settings = file->written.settings;
  return std::all_of(settings.begin(), settings.end(), [](const systemd::UnitSetting& one) {
    return one.section == "Service" && (one.key == "ExecStart" || one.key == "Environment");
  });
}

Candidate removed_whole(const SourceFile& file, nodes::Route route) {
  FileEdit edit;
  edit.before = file;
  edit.removes = true;
  edit.daemon_reload = route == nodes::Route::kUnit;
  edit.route = route;
  Candidate candidate;
  candidate.edits.push_back(std::move(edit));
  return candidate;
}

/// True when the one flag that goes is all that a file of our own beside the launcher's holds.
bool wanted_of_own_is_gone(const SplicesOfFiles& splices, const std::vector<Occurrence>& all) {
  if (splices.size() != 1) return false;
  const SourceFile& file = *splices.begin()->first;
  constexpr std::string_view kMade = "# Made by kubelet-sysctl; its 'undo' takes this file away";
  // The marker, a key and one item: as the launcher's insertions() write it.
  constexpr std::ptrdiff_t kLines = 3;
  const std::string& bytes = file.bytes;
  if (!bytes.starts_with(kMade) || std::count(bytes.begin(), bytes.end(), '\n') != kLines)
    return false;
  return std::any_of(all.begin(), all.end(), [&](const Occurrence& one) {
    return one.file == &file && one.of_launcher && one.then.empty() && !one.now.empty();
  });
}

/// The command of a package's unit said again in our own drop-in; all other files in place.
Result<Candidate> beside_package(SplicesOfFiles splices, const nodes::NodeSnapshot& snapshot,
                                 const model::NodeModel& model) {
  std::vector<Splice> of_package;
  for (auto one = splices.begin(); one != splices.end();) {
    if (is_editable(*one->first)) {
      ++one;
      continue;
    }
    of_package.insert(of_package.end(), one->second.begin(), one->second.end());
    one = splices.erase(one);
  }
  auto candidate = in_place(splices, snapshot);
  if (!candidate) return candidate;
  auto text = restated_command(model, std::move(of_package), {});
  if (!text) return std::move(text).error();
  candidate->edits.push_back(
      creation_of(own_drop_in(snapshot), std::move(*text), nodes::Route::kUnit));
  return candidate;
}

}  // namespace

std::int32_t variable_source(const systemd::Word& word) {
  const auto& at = word.text.at;
  if (word.inner.size() != 1 || at.empty()) return kNoSource;
  const std::int32_t source = at.front().source;
  const bool one = std::all_of(at.begin(), at.end(),
                               [source](const CharOrigin& from) { return from.source == source; });
  return one && source != word.raw.source ? source : kNoSource;
}

Result<std::vector<Candidate>> change_flag(const nodes::NodeSnapshot& snapshot,
                                           const model::NodeModel& model, const EntryList& wanted) {
  std::vector<Occurrence> all = occurrences_of(snapshot, model);
  share_out(all, wanted);
  const bool hide = wanted.empty() && lower_list_exists(model);
  for (const Occurrence& one : all) {
    if (one.then == one.now) continue;
    const bool partly = one.assembled && !one.then.empty();
    if (one.file == nullptr || partly) return assembled(snapshot, model, one);
  }
  const nodes::KubeletLauncher* launcher = model::launcher_of(snapshot);
  const auto splices = splices_of(all, hide, false, launcher);
  std::vector<Candidate> candidates;
  if (launcher != nullptr && wanted_of_own_is_gone(splices, all)) {
    candidates.push_back(removed_whole(*splices.begin()->first, nodes::Route::kArgs));
  }
  const bool vendor = std::any_of(splices.begin(), splices.end(),
                                  [](const auto& of_file) { return !is_editable(*of_file.first); });
  const SourceFile own = own_drop_in(snapshot);
  const bool only_own = splices.size() == 1 && splices.begin()->first->path == own.path;
  if (only_own && wanted.empty() && !hide &&
      is_all_ours(own, nodes::find_source(snapshot, own.path), model)) {
    // What our own drop-in was made for is gone, and so may the drop-in be.
    candidates.push_back(removed_whole(own, nodes::Route::kUnit));
  }
  auto candidate = vendor ? beside_package(splices, snapshot, model) : in_place(splices, snapshot);
  if (!candidate) return std::move(candidate).error();
  candidates.push_back(std::move(*candidate));
  if (launcher != nullptr && launcher->rewrite != nullptr && !vendor) {
    auto rewritten = in_place(splices_of(all, hide, true, launcher), snapshot);
    if (rewritten) candidates.push_back(std::move(*rewritten));
  }
  if (hide) {
    for (Candidate& one : candidates) one.findings.push_back(kept_empty(model));
  }
  return candidates;
}

}  // namespace kubelet_sysctl::planning
