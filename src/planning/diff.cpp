// SPDX-License-Identifier: Apache-2.0
// The change of one file: lines of a configuration, single words of arguments, which may be secret.
#include "kubelet_sysctl/planning/diff.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/printable.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/systemd/env_file.hpp"

namespace kubelet_sysctl::planning {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kContext = 3;  ///< unchanged lines around a change, as diff -u has them

using Texts = std::vector<std::string_view>;

/// A splice less the bytes that it replaces by themselves.
struct Region {
  Span at;                ///< in the old bytes
  std::string_view text;  ///< the new bytes
};

/// A stretch of the old file that begins and ends where a reader of it wants, and what it became.
struct Window {
  Span old;
  std::string now;
  std::size_t old_line = 0;  ///< of its first byte, from 0
  std::size_t new_line = 0;
};

std::vector<Region> regions_of(const FileEdit& edit) {
  const std::string_view before = edit.before.bytes;
  if (edit.removes) return {{{0, before.size()}, {}}};
  std::vector<Region> regions;
  for (const Splice& splice : edit.splices) {
    Region region{splice.at, splice.text};
    const std::string_view old = before.substr(splice.at.begin, splice.at.size());
    const auto same =
        std::mismatch(old.begin(), old.end(), region.text.begin(), region.text.end()).first;
    region.at.begin += static_cast<std::size_t>(same - old.begin());
    region.text.remove_prefix(static_cast<std::size_t>(same - old.begin()));
    while (region.at.size() > 0 && region.text.ends_with(before[region.at.end - 1])) {
      --region.at.end;
      region.text.remove_suffix(1);
    }
    if (region.at.size() > 0 || !region.text.empty()) regions.push_back(region);
  }
  std::stable_sort(regions.begin(), regions.end(),
                   [](const Region& a, const Region& b) { return a.at.begin < b.at.begin; });
  return regions;
}

std::size_t newlines(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// The regions of an edit, each widened by `widen`; those that meet then are one window.
template <typename Widen>
std::vector<Window> windows_of(const FileEdit& edit, Widen widen) {
  const std::string_view before = edit.before.bytes;
  std::vector<Window> windows;
  std::size_t copied = 0;  // old bytes up to here are in the last window, or before it
  const auto close = [&] {
    if (windows.empty()) return;
    windows.back().now += before.substr(copied, windows.back().old.end - copied);
  };
  for (const Region& region : regions_of(edit)) {
    const Span wide = widen(before, region);
    if (windows.empty() || wide.begin > windows.back().old.end) {
      close();
      windows.push_back({.old = wide, .now = {}});
      copied = wide.begin;
    }
    Window& window = windows.back();
    window.old.end = std::max(window.old.end, wide.end);
    window.now += before.substr(copied, region.at.begin - copied);
    window.now += region.text;
    copied = region.at.end;
  }
  close();
  std::size_t counted = 0;
  std::size_t old_line = 0;
  std::size_t shift = 0;  // lines that came minus lines that went; wraps, and comes out right
  for (Window& window : windows) {
    old_line += newlines(before.substr(counted, window.old.begin - counted));
    counted = window.old.begin;
    window.old_line = old_line;
    window.new_line = old_line + shift;
    shift += newlines(window.now) - newlines(before.substr(window.old.begin, window.old.size()));
  }
  return windows;
}

/// Removes what both begin with and what both end with; returns how many they began with.
std::size_t trim_common(Texts& old_texts, Texts& new_texts) {
  const auto [a, b] =
      std::mismatch(old_texts.begin(), old_texts.end(), new_texts.begin(), new_texts.end());
  const auto head = static_cast<std::size_t>(a - old_texts.begin());
  old_texts.erase(old_texts.begin(), a);
  new_texts.erase(new_texts.begin(), b);
  while (!old_texts.empty() && !new_texts.empty() && old_texts.back() == new_texts.back()) {
    old_texts.pop_back();
    new_texts.pop_back();
  }
  return head;
}

// ---- lines -------------------------------------------------------------------------------------

/// Old lines from `first` on, and the new ones in their place.
struct LineChange {
  std::size_t first = 0;
  std::size_t new_first = 0;
  Texts removed;
  Texts added;
};

Texts lines_of(std::string_view text) {
  Texts lines;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

Span whole_lines(std::string_view before, const Region& region) {
  const std::size_t previous =
      region.at.begin == 0 ? std::string_view::npos : before.rfind('\n', region.at.begin - 1);
  const std::size_t next = before.find('\n', region.at.end);
  return {previous == std::string_view::npos ? 0 : previous + 1,
          next == std::string_view::npos ? before.size() : next + 1};
}

std::vector<LineChange> line_changes(std::string_view before, const std::vector<Window>& windows) {
  std::vector<LineChange> changes;
  for (const Window& window : windows) {
    LineChange change;
    change.removed = lines_of(before.substr(window.old.begin, window.old.size()));
    change.added = lines_of(window.now);
    const std::size_t head = trim_common(change.removed, change.added);
    change.first = window.old_line + head;
    change.new_first = window.new_line + head;
    if (!change.removed.empty() || !change.added.empty()) changes.push_back(std::move(change));
  }
  return changes;
}

/// One line with its mark. A tab stays, since it is the file's own, and so does the CR of a CRLF: patch(1) finds
/// the lines of the file by it.
void put_line(std::string& out, const TextStyle& style, char mark, std::string_view line) {
  const bool ended = line.ends_with('\n');
  if (ended) line.remove_suffix(1);
  const bool crlf = ended && line.ends_with('\r');
  if (crlf) line.remove_suffix(1);
  std::string shown(1, mark);
  // The mark of a file's first line is a part of it for patch(1), as the CR is.
  if (line.starts_with(kByteOrderMark)) {
    shown += kByteOrderMark;
    line.remove_prefix(kByteOrderMark.size());
  }
  for (std::size_t tab = line.find('\t'); tab != std::string_view::npos; tab = line.find('\t')) {
    shown += printable(line.substr(0, tab)) + '\t';
    line.remove_prefix(tab + 1);
  }
  shown += printable(line);
  if (mark != ' ') shown = painted(style, mark == '-' ? Paint::kRed : Paint::kGreen, shown);
  out += shown + (crlf ? "\r\n" : ended ? "\n" : "\n\\ No newline at end of file\n");
}

/// "12,3" as diff -u counts: an empty range names the line before it.
std::string range_text(std::size_t first, std::size_t count) {
  if (count == 1) return fmt::format("{}", first + 1);
  return fmt::format("{},{}", count == 0 ? first : first + 1, count);
}

std::string hunk_text(const Texts& lines, const LineChange* begin, const LineChange* end,
                      const TextStyle& style) {
  const std::size_t lead = std::min(kContext, begin->first);
  std::size_t at = begin->first - lead;
  const std::size_t last =
      std::min((end - 1)->first + (end - 1)->removed.size() + kContext, lines.size());
  std::size_t new_size = last - at;
  for (const LineChange* change = begin; change != end; ++change) {
    new_size += change->added.size() - change->removed.size();
  }
  std::string out = painted(style, Paint::kDim,
                            fmt::format("@@ -{} +{} @@", range_text(at, last - at),
                                        range_text(begin->new_first - lead, new_size))) +
                    '\n';
  for (const LineChange* change = begin; change != end; ++change) {
    for (; at < change->first; ++at) put_line(out, style, ' ', lines[at]);
    for (const std::string_view line : change->removed) put_line(out, style, '-', line);
    for (const std::string_view line : change->added) put_line(out, style, '+', line);
    at += change->removed.size();
  }
  for (; at < last; ++at) put_line(out, style, ' ', lines[at]);
  return out;
}

std::string line_diff(const FileEdit& edit, const TextStyle& style) {
  const std::string path = printable(edit.before.path);
  std::string out = fmt::format("--- {}\n+++ {}\n", edit.before.exists() ? path : "/dev/null",
                                edit.removes ? "/dev/null" : path);
  const Texts lines = lines_of(edit.before.bytes);
  const std::vector<Window> windows = windows_of(edit, whole_lines);
  const std::vector<LineChange> changes = line_changes(edit.before.bytes, windows);
  for (std::size_t i = 0; i < changes.size();) {
    std::size_t j = i + 1;
    const auto reach = [&](const LineChange& c) {
      return c.first + c.removed.size() + 2 * kContext;
    };
    while (j < changes.size() && changes[j].first <= reach(changes[j - 1])) ++j;
    out += hunk_text(lines, changes.data() + i, changes.data() + j, style);
    i = j;
  }
  return out;
}

// ---- words -------------------------------------------------------------------------------------

/// Bytes that a flag and its list are made of. Anything else ends a word here, so that a word never
/// grows into a neighbour that may hold a secret.
bool is_word_byte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') ||
         std::string_view("-_./*,=").find(byte) != std::string_view::npos;
}

/// True for such a byte at `at`, and for the plus of the list's own "allowed-unsafe-sysctls+=" of k3s.
bool is_in_word(std::string_view text, std::size_t at) {
  if (is_word_byte(text[at])) return true;
  const std::string_view before = text.substr(0, at);
  return text.substr(at).starts_with("+=") &&
         (before.ends_with("allowed-unsafe-sysctls") || before.ends_with("allowed_unsafe_sysctls"));
}

/// The region and what is left of the words that it cuts. A region that begins with a blank cuts
/// none before it.
Span whole_words(std::string_view before, const Region& region) {
  const std::string_view old = before.substr(region.at.begin, region.at.size());
  const auto starts = [](std::string_view text) {
    return !text.empty() && is_word_byte(text.front());
  };
  const auto ends = [](std::string_view text) {
    return !text.empty() && is_word_byte(text.back());
  };
  Span wide = region.at;
  if (starts(old) || starts(region.text)) {
    while (wide.begin > 0 && is_in_word(before, wide.begin - 1)) --wide.begin;
  }
  if (ends(old) || ends(region.text)) {
    while (wide.end < before.size() && is_in_word(before, wide.end)) ++wide.end;
  }
  return wide;
}

Texts words_of(std::string_view text) {
  Texts words;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    while (i < text.size() && is_in_word(text, i)) ++i;
    if (i > begin) words.push_back(text.substr(begin, i - begin));
    if (i == begin) ++i;
  }
  return words;
}

bool names_list(std::string_view word) {
  return word.find("allowed-unsafe-sysctls") != std::string_view::npos ||
         word.find("allowed_unsafe_sysctls") != std::string_view::npos;
}

/// The words that a person may see: the only one that changed, or of several those of the list.
std::string shown_words(const Texts& words) {
  std::string out;
  bool cut = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    const bool value = i > 0 && names_list(words[i - 1]) && !words[i - 1].ends_with('=') &&
                       words[i - 1].find('=') == std::string_view::npos;
    if (words.size() > 1 && !value && !names_list(word)) {
      cut = true;
      continue;
    }
    // A blank inside a word of a unit is written \x20, and the backslash ended the word before.
    if (word.starts_with("x20--")) word.remove_prefix(std::string_view("x20").size());
    // Of NAME=--flag=value the name is shown as the variable.
    if (const std::size_t flag = word.find("=--"); flag != std::string_view::npos) {
      word.remove_prefix(flag + 1);
    }
    if (cut) out += out.empty() ? "... " : " ...";
    if (!out.empty() && !out.ends_with(' ')) out += ' ';
    out += printable(word);
    cut = false;
  }
  return out;
}

/// The variable whose assignment holds `offset` of `text`, or empty where that is not plain to see.
std::string_view variable_at(std::string_view text, std::size_t offset) {
  std::size_t begin = offset;
  do {  // to the start of the line, over lines that end in a backslash
    begin = begin == 0 ? 0 : text.rfind('\n', begin - 1) + 1;
    if (begin < 2 || text[begin - 2] != '\\') break;
    --begin;
  } while (true);
  std::string_view line = text.substr(begin, offset - begin);
  constexpr std::string_view kUnitKey = "Environment=";
  if (line.starts_with(kUnitKey)) {
    line.remove_prefix(kUnitKey.size());
    const char quote = line.empty() ? '\0' : line.front();
    const bool quoted = quote == '\'' || quote == '"';
    if (quoted) line.remove_prefix(1);
    // Once the first assignment has ended, another one may hold the place.
    if (line.find_first_of(quoted ? std::string_view(&quote, 1) : " \t") !=
        std::string_view::npos) {
      return {};
    }
  }
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const std::string_view name = line.substr(0, line.find('='));
  const bool found =
      name.size() < line.size() && systemd::is_variable_name(name) && name != "ExecStart";
  return found ? name : std::string_view{};
}

std::string word_diff(const FileEdit& edit, const TextStyle& style) {
  std::string out;
  const std::string_view before = edit.before.bytes;
  const std::string_view after = edit.removes ? std::string_view{} : std::string_view(edit.after);
  std::size_t shift = 0;  // bytes that came minus bytes that went; wraps, and comes out right
  for (const Window& window : windows_of(edit, whole_words)) {
    const std::string_view old = before.substr(window.old.begin, window.old.size());
    Texts removed = words_of(old);
    Texts added = words_of(window.now);
    const std::size_t new_begin = window.old.begin + shift;
    shift += window.now.size() - old.size();
    trim_common(removed, added);

    std::size_t line = window.old_line;
    std::string_view variable;
    if (!added.empty()) {
      const auto in = static_cast<std::size_t>(added.front().data() - window.now.data());
      line = window.new_line + newlines(std::string_view(window.now).substr(0, in));
      variable = variable_at(after, new_begin + in + added.front().size());
    } else if (!removed.empty()) {
      const auto in = static_cast<std::size_t>(removed.front().data() - old.data());
      line += newlines(old.substr(0, in));
      variable = variable_at(before, window.old.begin + in + removed.front().size());
    }
    out += place_text(edit.before.path, line + 1);
    if (!variable.empty()) out += fmt::format("  ${}", variable);
    out += edit.removes ? "  (file removed)\n" : edit.before.exists() ? "\n" : "  (new file)\n";
    if (const std::string words = shown_words(removed); !words.empty()) {
      out += painted(style, Paint::kRed, "- " + words) + '\n';
    }
    if (const std::string words = shown_words(added); !words.empty()) {
      out += painted(style, Paint::kGreen, "+ " + words) + '\n';
    }
  }
  return out;
}

}  // namespace

std::string diff_text(const FileEdit& edit, const TextStyle& style) {
  const bool lines = edit.route == nodes::Route::kConfig ||
                     edit.route == nodes::Route::kConfigDir || edit.route == nodes::Route::kPersist;
  return lines ? line_diff(edit, style) : word_diff(edit, style);
}

}  // namespace kubelet_sysctl::planning
