// SPDX-License-Identifier: Apache-2.0
// Finding flags inside values, and the quote, the braces or the missing value that put them there.
#include "kubelet_sysctl/checks/swallowed.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::checks {
namespace {

constexpr std::string_view kList = "allowed-unsafe-sysctls";
constexpr std::string_view kOldList = "experimental-allowed-unsafe-sysctls";
constexpr std::string_view kBlanks = " \t\r\n";

/// The name of the flag that begins at `at`, '_' as '-'; empty where none does.
std::string name_at(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "--") return {};
  const std::string_view rest = text.substr(at + 2);
  std::string name(rest.substr(0, rest.find_first_of("= \t\r\n,\"'")));
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

bool is_flag_at(std::string_view text, std::size_t at) {
  const std::string name = name_at(text, at);
  return kubelet::is_known_flag(name) || name == kList;
}

/// Offsets of the flags inside text[begin..]. In a list anything after a blank that begins with a
/// hyphen is one, since no entry does; elsewhere a known name alone. `own` is true where the value is a
/// word of its own, which may be a flag as a whole.
std::vector<std::size_t> hidden_in(std::string_view text, std::size_t begin, bool list, bool own) {
  std::vector<std::size_t> found;
  for (std::size_t at = begin; at < text.size(); ++at) {
    if (text[at] != '-') continue;
    const bool flag = is_flag_at(text, at);
    const bool after_blank = at > begin && is_whitespace(text[at - 1]);
    const bool letter = at + 1 < text.size() && text[at + 1] != '-' && !is_whitespace(text[at + 1]);
    const bool looks = text.substr(at, 2) == "--" || letter;
    const std::size_t flag_end = flag ? at + 2 + name_at(text, at).size() : at;
    const bool has_value = flag_end < text.size() && text[flag_end] == '=';
    const bool after_comma = at > begin && text[at - 1] == ',';
    bool hidden = flag && (after_blank || (own && at == begin) || (after_comma && has_value));
    if (list && after_blank && looks) hidden = true;
    if (list && flag && !hidden && at >= begin) {
      const bool starts = at == begin || text[at - 1] == ',' || text[at - 1] == '"';
      const std::size_t end = at + 2 + name_at(text, at).size();
      // "a--v=2": a name may hold two hyphens, but no '='.
      hidden = starts || (end < text.size() && text[end] == '=');
    }
    if (hidden) found.push_back(at);
    while (at + 1 < text.size() && text[at + 1] == '-') ++at;
  }
  return found;
}

/// The flag that begins at `at`, with its value where that is attached or follows.
std::string flag_text_at(std::string_view text, std::size_t at, std::size_t next) {
  std::string_view flag = text.substr(at, next - at);
  while (!flag.empty() && (is_whitespace(flag.back()) || flag.back() == ',')) flag.remove_suffix(1);
  return std::string(flag);
}

struct Place {
  std::int32_t source = kNoSource;
  Span at;
  std::string cause;
  std::string hint;
};

constexpr std::string_view kOwnWord = "so that each flag is a word of its own";

Place place_of_braces(const model::NodeModel& model, const systemd::Word& word,
                      const CharOrigin& blank) {
  std::string name = word.inner.empty() ? std::string() : word.inner.front();
  for (const std::string& one : word.inner) {
    const auto variable = model.command.environment.find(one);
    if (variable == model.command.environment.end()) continue;
    const CharOrigin& raw = variable->second.raw;
    const bool holds =
        raw.source == blank.source && raw.begin <= blank.begin && blank.begin < raw.end;
    if (holds) name = one;
  }
  const std::string braces = fmt::format("${{{}}}", name);
  Place place{.source = word.raw.source,
              .at = {word.raw.begin, word.raw.end},
              .cause = fmt::format("'{}' is one word, whatever its value holds", braces),
              .hint = {}};
  const MappedText& command = model.command.exec_setting.value;
  for (std::size_t at = command.text.find(braces); at != std::string::npos;
       at = command.text.find(braces, at + 1)) {
    const CharOrigin& first = command.at[at];
    if (first.source != word.raw.source || first.begin < word.raw.begin) continue;
    place.at = {first.begin, command.at[at + braces.size() - 1].end};
    break;
  }
  const bool alone = place.at.size() + 2 >= word.raw.end - word.raw.begin;
  place.hint = alone ? fmt::format("write ${} instead of {}, {}", name, braces, kOwnWord)
                     : fmt::format(
                           "give the list alone to {}, and the other flags to a variable "
                           "that is as $NAME",
                           name);
  return place;
}

/// The quote or the backslash that keeps the blank at `blank` inside its word, in the text that was split.
std::optional<Place> place_of_quote(const MappedText& text, const systemd::Word& word,
                                    const CharOrigin& blank) {
  char quote = 0;
  std::size_t opened = 0;
  for (std::size_t i = 0; i < text.text.size(); ++i) {
    const CharOrigin& at = text.at[i];
    if (at.source != word.raw.source || at.begin < word.raw.begin) continue;
    const char byte = text.text[i];
    const bool reached = at.begin >= blank.begin;
    if (reached && quote != 0) {
      return Place{
          .source = text.at[opened].source,
          .at = {text.at[opened].begin, text.at[opened].end},
          .cause = "this quote makes one word of what follows",
          .hint = fmt::format("remove the quote and the one that closes it, {}", kOwnWord)};
    }
    if (reached) return std::nullopt;
    if (byte == '\\') {
      if (i + 1 < text.text.size() && text.at[i + 1].end >= blank.end) {
        return Place{.source = at.source,
                     .at = {at.begin, blank.end},
                     .cause = "this backslash makes one word of what follows",
                     .hint = fmt::format("remove the backslash, {}", kOwnWord)};
      }
      ++i;
    } else if (quote == byte) {
      quote = 0;
    } else if (quote == 0 && (byte == '"' || byte == '\'')) {
      quote = byte;
      opened = i;
    }
  }
  return std::nullopt;
}

Place place_of(const model::NodeModel& model, std::size_t index, std::size_t hidden, bool own) {
  const systemd::Word& word = model.command.words[index];
  const Span raw = {word.raw.begin, word.raw.end};
  if (own && hidden == 0) {
    return {.source = word.raw.source,
            .at = raw,
            .cause = "the flag before this has no value of its own and takes this word",
            .hint = "give that flag a value with '=', or remove it"};
  }
  const std::size_t cause =
      hidden > 0 && is_whitespace(word.text.text[hidden - 1]) ? hidden - 1 : hidden;
  const CharOrigin blank =
      cause < word.text.at.size() ? word.text.at[cause] : CharOrigin{kNoSource, 0, 0};
  const bool inside = blank.source == word.raw.source && blank.begin >= word.raw.begin &&
                      blank.begin < word.raw.end;
  if (!inside && !word.inner.empty()) return place_of_braces(model, word, blank);
  const auto variable = model.command.environment.find(word.variable);
  const bool split = !word.variable.empty() && variable != model.command.environment.end();
  const MappedText& text = split ? variable->second.value : model.command.exec_setting.value;
  if (auto quote = place_of_quote(text, word, blank)) return std::move(*quote);
  if (word.variable.empty() && word.raw.source != model.command.exec_source) {
    // An item of a file of k3s, say: each is one argument, whatever it holds.
    return {.source = word.raw.source,
            .at = raw,
            .cause = "this item is one argument, whatever it holds",
            .hint = "write each flag as an item of its own"};
  }
  return {.source = blank.source,
          .at = {blank.begin, blank.end},
          .cause = "no blank sets apart what follows",
          .hint = fmt::format("separate it, {}", kOwnWord)};
}

Swallowed swallowed_in(const model::NodeModel& model, const kubelet::FlagUse& flag,
                       const std::vector<std::size_t>& at, bool list, bool own) {
  const std::string& text = model.argv[flag.value_word];
  Swallowed found;
  found.word = flag.value_word;
  found.flag = "--" + flag.name;
  found.of_list = list;
  for (std::size_t i = 0; i < at.size(); ++i) {
    const std::size_t next = i + 1 < at.size() ? at[i + 1] : text.size();
    found.hidden.push_back(flag_text_at(text, at[i], next));
    const std::string name = name_at(text, at[i]);
    if (name == kList || name == kOldList) found.of_list = true;
  }
  Place place = place_of(model, flag.value_word, at.front(), own);
  found.cause = std::move(place.cause);
  found.hint = std::move(place.hint);
  found.source = place.source;
  found.at = place.at;
  return found;
}

std::string sentence(const Swallowed& one) {
  return fmt::format("{}: the value of '{}' swallows {}, which the kubelet does not read as {}",
                     one.cause, one.flag, some_of(one.hidden),
                     one.hidden.size() == 1 ? "a flag" : "flags");
}

Error at_place(const nodes::NodeSnapshot& snapshot, std::int32_t source, Span at,
               std::string message, std::string hint) {
  if (source == kNoSource) {
    return {.kind = ErrorKind::kRefused,
            .message = std::move(message),
            .path = snapshot.unit.fragment_path,
            .hint = std::move(hint)};
  }
  return error_at(ErrorKind::kRefused, snapshot.files[static_cast<std::size_t>(source)], at,
                  std::move(message), std::move(hint));
}

Error at_word(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model, std::size_t word,
              std::string message, std::string hint) {
  const Origin at = origin_of_word(model, word);
  return at_place(snapshot, at.source, at.span, std::move(message), std::move(hint));
}

Finding as_finding(const Check& check, Error error) {
  Finding finding = finding_of(check, std::move(error.message), std::move(error.hint));
  finding.path = std::move(error.path);
  finding.line = error.line;
  finding.column = error.column;
  finding.excerpt = std::move(error.excerpt);
  finding.width = error.width;
  return finding;
}

constexpr sysctl::KubeletVersion kRenamed{.major = 1, .minor = 11, .patch = 0};

bool is_before_rename(const nodes::NodeSnapshot& snapshot) {
  return snapshot.kubelet_version && *snapshot.kubelet_version < kRenamed;
}

/// What the kubelet makes of the old name of the flag. Source: kubernetes PR 63717.
std::string about_old_name(const nodes::NodeSnapshot& snapshot) {
  const std::string dies =
      fmt::format("exits at once: unknown flag: --{}; it is '--{}' now", kOldList, kList);
  if (!snapshot.kubelet_version) {
    return fmt::format("'--{}' is the list of a kubelet up to 1.10, and one from 1.11 on {}",
                       kOldList, dies);
  }
  const std::string version = sysctl::text_of(*snapshot.kubelet_version);
  if (!is_before_rename(snapshot)) return fmt::format("this kubelet ({}) {}", version, dies);
  return fmt::format("'--{}' is the list of this kubelet ({}), and one from 1.11 on {}", kOldList,
                     version, dies);
}

std::string hint_for_old_name(const nodes::NodeSnapshot& snapshot) {
  if (is_before_rename(snapshot)) return fmt::format("edit it there by hand up to 1.10");
  return fmt::format("rename it to '--{}' for a kubelet from 1.11 on", kList);
}

/// True where a word that has nothing to do with the list ends the kubelet.
bool is_fatal_elsewhere(const model::NodeModel& model) {
  if (!model.flags.fatal || model.wrapped || model.stopped) return false;
  const std::size_t word = model.flags.fatal_word;
  if (is_torn_list(model)) return false;
  return std::none_of(model.flags.lists.begin(), model.flags.lists.end(), [word](const auto& list) {
    return list.word == word || list.value_word == word;
  });
}

}  // namespace

std::vector<Swallowed> swallowed_flags(const nodes::NodeSnapshot&, const model::NodeModel& model) {
  std::vector<Swallowed> found;
  if (model.wrapped) return found;
  for (const kubelet::FlagUse& flag : model.flags.all) {
    if (flag.value_word >= model.command.words.size()) continue;
    const bool list = flag.name == kList || flag.name == kOldList;
    const bool own = flag.value_word != flag.word;
    const std::string& text = model.argv[flag.value_word];
    const std::size_t equals = own ? std::string::npos : text.find('=');
    if (!own && equals == std::string::npos) continue;
    const auto at = hidden_in(text, own ? 0 : equals + 1, list, own);
    if (!at.empty()) found.push_back(swallowed_in(model, flag, at, list, own));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Swallowed& a, const Swallowed& b) { return a.of_list && !b.of_list; });
  return found;
}

bool is_list_swallowed(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model) {
  const auto found = swallowed_flags(snapshot, model);
  return !found.empty() && found.front().of_list;
}

std::optional<std::size_t> old_list_flag(const model::NodeModel& model) {
  if (model.wrapped || model.stopped) return std::nullopt;
  for (const kubelet::FlagUse& flag : model.flags.all) {
    if (flag.name == kOldList) return flag.word;
  }
  return std::nullopt;
}

std::optional<Error> argument_fault(const nodes::NodeSnapshot& snapshot,
                                    const model::NodeModel& model) {
  const auto swallowed = swallowed_flags(snapshot, model);
  if (!swallowed.empty() && swallowed.front().of_list) {
    const Swallowed& one = swallowed.front();
    return at_place(snapshot, one.source, one.at,
                    fmt::format("will not edit this list: {}", sentence(one)), one.hint);
  }
  if (const auto old = old_list_flag(model)) {
    return at_word(snapshot, model, *old,
                   fmt::format("will not edit this list: {}", about_old_name(snapshot)),
                   hint_for_old_name(snapshot));
  }
  if (is_fatal_elsewhere(model)) {
    // What is behind such a word was not read, the list and the files among it.
    return at_word(
        snapshot, model, model.flags.fatal_word,
        fmt::format("will not edit this list: the kubelet exits at once because of its command "
                    "line: {}",
                    *model.flags.fatal),
        "correct that word first");
  }
  return std::nullopt;
}

Status keeps_arguments(const nodes::NodeSnapshot& snapshot, const model::NodeModel& before,
                       const model::NodeModel& after) {
  if (before.wrapped || after.wrapped) return {};
  std::vector<std::string> lost;
  auto next = after.flags.all.begin();
  for (const kubelet::FlagUse& flag : before.flags.all) {
    if (flag.name == kList || flag.name == kOldList) continue;
    const auto found =
        std::find_if(next, after.flags.all.end(), [&flag](const kubelet::FlagUse& other) {
          return other.name == flag.name && other.value == flag.value;
        });
    if (found == after.flags.all.end()) {
      lost.push_back(before.argv[flag.word]);
    } else {
      next = found + 1;
    }
  }
  std::string text;
  for (const std::string& word : after.argv) text += word + '\n';
  for (const Swallowed& one : swallowed_flags(snapshot, before)) {
    for (const std::string& flag : one.hidden) {
      if (text.find(flag) == std::string::npos) lost.push_back(flag);
    }
  }
  if (lost.empty()) return {};
  return Error{.kind = ErrorKind::kRefused,
               .message = fmt::format("will not do this: the kubelet would lose {}", some_of(lost)),
               .path = snapshot.unit.fragment_path,
               .hint = "'kubelet-sysctl explain' shows every word with its place"};
}

void swallowed_by_value(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                        const Check& check, std::vector<Finding>& found) {
  for (const Swallowed& one : swallowed_flags(snapshot, model)) {
    Finding finding =
        as_finding(check, at_place(snapshot, one.source, one.at, sentence(one), one.hint));
    if (!one.of_list) finding.severity = Severity::kWarning;
    found.push_back(std::move(finding));
  }
}

void renamed_flag(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                  const Check& check, std::vector<Finding>& found) {
  const auto old = old_list_flag(model);
  if (!old) return;
  Finding finding = as_finding(
      check, at_word(snapshot, model, *old, about_old_name(snapshot), hint_for_old_name(snapshot)));
  if (is_before_rename(snapshot)) finding.severity = Severity::kWarning;
  found.push_back(std::move(finding));
}

}  // namespace kubelet_sysctl::checks
