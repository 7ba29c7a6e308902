// SPDX-License-Identifier: Apache-2.0
// Checks of the list itself: its files, the layers that hide one another, and its entries.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/corrected_list.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/kubelet/config_merge.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/config.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::checks {
namespace {

constexpr std::string_view kKey = "allowedUnsafeSysctls";
constexpr std::string_view kFix = "run: kubelet-sysctl doctor --fix";

std::string name_with_place(const model::Layer& layer) {
  const std::string_view name = layer.kind == model::LayerKind::kFlag        ? "the flag"
                                : layer.kind == model::LayerKind::kConfigDir ? "the drop-in"
                                                                             : "the list";
  if (layer.at.path.empty()) return fmt::format("{} of the running process", name);
  return fmt::format("{} at {}", name, place_text(layer.at.path, layer.at.line));
}

struct ParsedFile {
  const SourceFile* file = nullptr;
  kubelet::ConfigRole role = kubelet::ConfigRole::kMain;
  kubelet::KubeletConfigFile parsed;
  bool has_right_key = false;
};

/// The configuration files in force. What does not parse never comes here: resolve() stopped at it.
std::vector<ParsedFile> parsed_files(const nodes::NodeSnapshot& snapshot,
                                     const model::NodeModel& model) {
  std::vector<ParsedFile> files;
  for (model::ConfigFile& one : model::config_files_of(snapshot, model)) {
    const auto& settings = one.reading.settings;
    const bool has_right_key =
        std::any_of(settings.begin(), settings.end(),
                    [](const kubelet::ListSetting& setting) { return setting.key == kKey; });
    files.push_back({&snapshot.files[static_cast<std::size_t>(one.source)], one.role,
                     std::move(one.reading.file), has_right_key});
  }
  return files;
}

bool is_empty_flag(const model::Layer* winner) {
  return winner != nullptr && winner->kind == model::LayerKind::kFlag && winner->entries.empty();
}

/// What is wrong with the text of an entry as a value, before any rule for names; and its fix.
std::optional<std::array<std::string, 2>> value_fault(std::string_view text) {
  if (text.empty()) {
    return {{"an entry is empty: the kubelet exits",
             fmt::format("remove the comma or the item without a name: {}", kFix)}};
  }
  constexpr std::string_view kBlanks = " \t\r\n";
  constexpr std::string_view kQuotes = "'\"";
  const auto either_end = [&](std::string_view any) {
    return any.find(text.front()) != std::string_view::npos ||
           any.find(text.back()) != std::string_view::npos;
  };
  if (either_end(kBlanks)) {
    return {{fmt::format("'{}' has a blank at an end: the kubelet keeps it and exits", text),
             fmt::format("write commas without blanks, and no blanks inside quotes: {}", kFix)}};
  }
  if (either_end(kQuotes)) {
    return {{fmt::format("{} has a quote in it: the kubelet reads it as part of the name and exits",
                         text),
             fmt::format("one pair of quotes too many: {}", kFix)}};
  }
  if (text.find(',') != std::string_view::npos) {
    return {{fmt::format("'{}' is one entry with a comma in it: the kubelet exits", text),
             fmt::format("write each entry as an item of its own: {}", kFix)}};
  }
  return std::nullopt;
}

bool is_at(const model::Layer& layer, const ParsedFile& file, const kubelet::MisspeltKey& key) {
  return layer.at.path == file.file->path && layer.at.span == key.at;
}

/// Merging two lists is a manual action.
std::string fix_of_key(const model::NodeModel& model, const ParsedFile& file,
                       const kubelet::MisspeltKey& key) {
  const std::string by_hand =
      fmt::format("remove it and run: {}", command_with("kubelet-sysctl add", key.entries));
  // A key that a drop-in may have in any case keeps its list under its right name where no other is there.
  const bool is_read =
      file.role == kubelet::ConfigRole::kDropIn && kubelet::is_same_field(key.key, kKey);
  const bool others =
      std::any_of(model.layers.begin(), model.layers.end(), [&](const model::Layer& layer) {
        return layer.kind != model::LayerKind::kFlag && layer.sets && !is_at(layer, file, key);
      });
  if (file.has_right_key || file.parsed.misspelt.size() > 1 || (is_read && others)) {
    return fmt::format("the key is '{}'; {}", kKey, by_hand);
  }
  return fmt::format("the key is '{}': rename it there with 'kubelet-sysctl doctor --fix', or {}",
                     kKey, by_hand);
}

}  // namespace

std::optional<Finding> refused_entry(const nodes::NodeSnapshot& snapshot, const Check& check,
                                     std::string_view entry) {
  const auto pattern = sysctl::SysctlPattern::parse(entry);
  std::optional<Error> refusal = pattern ? sysctl::refusal_of(*pattern) : pattern.error();
  if (!refusal) return std::nullopt;
  std::string message = std::move(refusal->message);
  // What stops this kubelet is an error, what stops another one is not.
  Severity severity = Severity::kWarning;
  if (pattern && snapshot.kubelet_version) {
    const sysctl::KubeletVersion& now = *snapshot.kubelet_version;
    const auto words = sysctl::rejection_by(sysctl::rule_set_of(now), entry);
    const auto next =
        sysctl::rejection_by(sysctl::rule_set_of(sysctl::newest_known_kubelet()), entry);
    // What only older kubelets refuse is past for this node.
    if (!words && !next) return std::nullopt;
    if (words) severity = Severity::kError;
    message =
        words
            ? fmt::format("'{}' stops this kubelet ({}): {}", entry, sysctl::text_of(now), *words)
            : fmt::format(
                  "'{}' starts this kubelet ({}) and stops {}: {}", entry, sysctl::text_of(now),
                  sysctl::releases_of(sysctl::rule_set_of(sysctl::newest_known_kubelet())), *next);
  } else if (!sysctl::rejection_by(sysctl::RuleSet::kFrom129, entry)) {
    severity = Severity::kNote;  // only kubelets long out of support die of it
  } else if (sysctl::rejection_by(sysctl::RuleSet::kUpTo122, entry) &&
             sysctl::rejection_by(sysctl::RuleSet::kUpTo128, entry)) {
    severity = Severity::kError;
  }
  Finding finding = finding_of(
      check, std::move(message),
      fmt::format(
          "{}{}to remove it, run: {}", refusal->hint, refusal->hint.empty() ? "" : "; ",
          command_with("kubelet-sysctl remove", std::vector<std::string>{std::string(entry)})));
  finding.severity = severity;
  return finding;
}

namespace {

/// What the kubelet makes of a misspelt key. A drop-in ends in Go's own decoder, which matches keys in any
/// case; of several spellings the one that sorts last decides, in whatever file it is.
/// Source: encoding/json Unmarshal; cmd/kubelet/app/server.go mergeKubeletConfigurations.
std::string fate_of_key(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                        const ParsedFile& one, const kubelet::MisspeltKey& key) {
  const std::string entries = count_text(key.entries.size(), "entry", "entries");
  const bool any_case = one.role == kubelet::ConfigRole::kDropIn &&
                        kubelet::is_same_field(key.key, kKey) &&
                        model::merge_rule_of(snapshot) != kubelet::MergeRule::kNonEmpty;
  if (!any_case) return fmt::format("the kubelet ignores the key '{}' with {}", key.key, entries);
  const model::Layer* winner = model::winner_of(model);
  if (winner != nullptr && is_at(*winner, one, key)) {
    return fmt::format(
        "in a drop-in the kubelet reads the key '{}' too, and takes its {} for the list, above "
        "every '{}'",
        key.key, entries, kKey);
  }
  return fmt::format("in a drop-in the kubelet reads the key '{}' too, but {} is above its {}",
                     key.key, winner == nullptr ? "another" : name_with_place(*winner), entries);
}

}  // namespace

void misspelt_key(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                  const Check& check, std::vector<Finding>& found) {
  for (const ParsedFile& one : parsed_files(snapshot, model)) {
    for (const kubelet::MisspeltKey& key : one.parsed.misspelt) {
      found.push_back(at_span(
          finding_of(check, fate_of_key(snapshot, model, one, key), fix_of_key(model, one, key)),
          *one.file, key.at));
    }
  }
}

void second_document(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                     const Check& check, std::vector<Finding>& found) {
  for (const ParsedFile& one : parsed_files(snapshot, model)) {
    if (one.parsed.documents < 2) continue;
    found.push_back(at_span(
        finding_of(check,
                   fmt::format("there are {} YAML documents, and the kubelet reads the first alone",
                               one.parsed.documents),
                   "move what is needed to the first document and remove the others"),
        *one.file, {}));
  }
}

void repeated_key(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                  const Check& check, std::vector<Finding>& found) {
  for (const ParsedFile& one : parsed_files(snapshot, model)) {
    if (!one.parsed.repeated_key) continue;
    found.push_back(at_span(
        finding_of(check,
                   fmt::format("'{}' occurs more than once, and the kubelet takes the last", kKey),
                   "make one list of them"),
        *one.file, one.parsed.key_at));
  }
}

void empty_flag(const nodes::NodeSnapshot&, const model::NodeModel& model, const Check& check,
                std::vector<Finding>& found) {
  const model::Layer* winner = model::winner_of(model);
  if (!is_empty_flag(winner)) return;
  for (const model::Layer& layer : model.layers) {
    if (layer.wins || layer.entries.empty()) continue;
    found.push_back(at_origin(
        finding_of(check,
                   fmt::format("an empty flag sets the list to nothing and hides {} of {}",
                               count_text(layer.entries.size(), "entry", "entries"),
                               name_with_place(layer)),
                   "remove the flag, or give it the entries"),
        winner->at));
  }
}

void shadowed_list(const nodes::NodeSnapshot&, const model::NodeModel& model, const Check& check,
                   std::vector<Finding>& found) {
  const model::Layer* winner = model::winner_of(model);
  if (winner == nullptr || is_empty_flag(winner)) return;
  for (const model::Layer& layer : model.layers) {
    if (layer.wins || layer.entries.empty()) continue;
    const std::vector<std::string> lost =
        change_between(layer.entries.texts(), winner->entries.texts()).removed;
    Finding finding = finding_of(
        check,
        fmt::format("{} here {} not in force: {} replaces the list whole",
                    count_text(layer.entries.size(), "entry", "entries"),
                    layer.entries.size() == 1 ? "is" : "are", name_with_place(*winner)),
        lost.empty() ? "all of them are in the list in force too; the list here can go"
                     : fmt::format("to put what is missing into the list in force, run: {}",
                                   command_with("kubelet-sysctl add", lost)));
    if (lost.empty()) finding.severity = Severity::kNote;
    found.push_back(at_origin(std::move(finding), layer.at));
  }
}

namespace {

/// Findings of one check, of which the first few dozen are reported and the rest are counted: a list of thousands of
/// faults is read by nobody, and each may name all the others in its hint.
class FewFindings {
 public:
  FewFindings(const Check& check, std::vector<Finding>& found) : check_(check), found_(found) {}

  /// Two items with the same fault at the same place, as "," has them, are one finding.
  void push_once(Finding finding) {
    constexpr std::size_t kMost = 50;
    const bool reported = std::any_of(found_.begin(), found_.end(), [&](const Finding& other) {
      return other.id == finding.id && other.message == finding.message &&
             other.path == finding.path && other.line == finding.line;
    });
    if (reported) return;
    if (reported_ < kMost) {
      ++reported_;
      found_.push_back(std::move(finding));
      return;
    }
    ++more_;
  }

  void say_more() {
    if (more_ == 0) return;
    Finding last = finding_of(check_, fmt::format("and {} more like these", more_), {});
    last.severity = found_.back().severity;
    last.path = found_.back().path;
    found_.push_back(std::move(last));
  }

 private:
  const Check& check_;
  std::vector<Finding>& found_;
  std::size_t reported_ = 0;
  std::size_t more_ = 0;
};

}  // namespace

void bad_value(const nodes::NodeSnapshot&, const model::NodeModel& model, const Check& check,
               std::vector<Finding>& found) {
  const std::string command = command_for_malformed(model::configured_texts(model));
  FewFindings few(check, found);
  for (const model::Entry& entry : model::configured_entries(model)) {
    if (auto fault = value_fault(entry.text)) {
      const std::size_t fix = (*fault)[1].find(kFix);
      if (fix != std::string::npos && !command.empty()) {
        (*fault)[1].replace(fix, kFix.size(), "run: " + command);
      }
      few.push_once(at_origin(finding_of(check, std::move((*fault)[0]), std::move((*fault)[1])),
                              model::origin_of(model, entry)));
    }
  }
  few.say_more();
  for (const kubelet::ListFlag& flag : model.flags.lists) {
    if (!flag.lost_lines) continue;
    const bool known = !model.wrapped && flag.value_word < model.command.origins.size();
    found.push_back(at_origin(
        finding_of(check, "the list goes on after a line end: the kubelet drops that part",
                   "write the list on one line, with commas"),
        known ? model.command.origins[flag.value_word] : Origin{}));
    found.back().severity = Severity::kWarning;
  }
}

void entry_refused(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                   const Check& check, std::vector<Finding>& found) {
  const std::string command = command_for_malformed(model::configured_texts(model));
  FewFindings few(check, found);
  for (const model::Entry& entry : model::configured_entries(model)) {
    if (value_fault(entry.text)) continue;  // bad-value says it better
    auto finding = refused_entry(snapshot, check, entry.text);
    const bool stops = finding && finding->severity == Severity::kError;
    if (stops && !command.empty()) {
      // One that is left would stop the kubelet all the same: one command for all of them.
      constexpr std::string_view kTakeOut = "to remove it, ";
      const std::size_t take = std::min(finding->hint.find(kTakeOut), finding->hint.size());
      finding->hint.resize(take);
      if (command.starts_with("kubelet-sysctl remove")) finding->hint += kTakeOut;
      finding->hint += "run: " + command;
    }
    if (finding) few.push_once(at_origin(std::move(*finding), model::origin_of(model, entry)));
  }
  few.say_more();
}

void duplicate_entry(const nodes::NodeSnapshot&, const model::NodeModel& model, const Check& check,
                     std::vector<Finding>& found) {
  std::unordered_map<std::string_view, std::size_t> seen;
  const model::Entries& entries = model::configured_entries(model);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const model::Entry entry = entries[i];
    if (value_fault(entry.text)) continue;  // more is wrong with it than that
    const auto [first, fresh] = seen.emplace(entry.text, i);
    if (fresh) continue;
    const Origin other = model::origin_of(model, entries[first->second]);
    found.push_back(
        at_origin(finding_of(check,
                             fmt::format("'{}' is in the list already, from {}", entry.text,
                                         place_text(other.path, other.line)),
                             fmt::format("harmless; one of the two can go: {}", kFix)),
                  model::origin_of(model, entry)));
  }
}

/// Linear in the list: each entry is looked up by those of its beginnings that have the length of
/// some pattern's stem, and there are few lengths.
void covered_entry(const nodes::NodeSnapshot&, const model::NodeModel& model, const Check& check,
                   std::vector<Finding>& found) {
  std::map<std::size_t, std::unordered_map<std::string, std::string>> stems;  // by length
  const model::Entries& entries = model::configured_entries(model);
  for (const model::Entry& entry : entries) {
    const auto pattern = sysctl::SysctlPattern::parse(entry.text);
    if (!pattern || !pattern->is_prefix()) continue;
    std::string stem = pattern->dotted().substr(0, pattern->dotted().size() - 1);
    stems[stem.size()].emplace(std::move(stem), pattern->text());
  }
  if (stems.empty()) return;
  for (const model::Entry& entry : entries) {
    const auto entered = sysctl::SysctlPattern::parse(entry.text);
    if (!entered) continue;
    const bool prefix = entered->is_prefix();
    const std::string_view name =
        std::string_view(entered->dotted()).substr(0, entered->dotted().size() - prefix);
    for (const auto& [length, patterns] : stems) {
      if (length > name.size() || (prefix && length == name.size())) break;
      const auto pattern = patterns.find(std::string(name.substr(0, length)));
      if (pattern == patterns.end()) continue;
      found.push_back(at_origin(
          finding_of(check, fmt::format("'{}' is covered by '{}'", entry.text, pattern->second),

                     fmt::format("harmless; it would stay allowed without its "
                                 "own entry: {}",
                                 kFix)),
          model::origin_of(model, entry)));
      break;
    }
  }
}

}  // namespace kubelet_sysctl::checks
