// SPDX-License-Identifier: Apache-2.0
// Lays text out in columns and keeps it safe on a terminal.
#include "kubelet_sysctl/base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/printable.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/time.hpp"

namespace kubelet_sysctl {
inline namespace base {
namespace {

/// Whether a character shows nothing itself and changes how others are read: zero-width characters,
/// line and paragraph separators, the controls of text direction, the byte order mark.
/// Source: Unicode 15, general categories Zl, Zp and Cf; UAX #9 for the directions.
bool is_invisible(std::string_view character) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kRanges = {{
      {"\u00AD", "\u00AD"},  // soft hyphen
      {"\u061C", "\u061C"},  // Arabic letter mark
      {"\u200B", "\u200F"},  // zero widths, left-to-right and right-to-left mark
      {"\u2028", "\u202E"},  // separators, embeddings and overrides
      {"\u2060", "\u206F"},  // word joiner, isolates
      {"\uFEFF", "\uFEFF"},  // byte order mark
      {"\uFFF9", "\uFFFB"},  // annotations
  }};
  // The bytes of UTF-8 sort as the characters do.
  return std::any_of(kRanges.begin(), kRanges.end(), [&](const auto& range) {
    return range.first <= character && character <= range.second;
  });
}

/// Bytes of the printable UTF-8 character at the start of `text`; 0 for a control character (C0,
/// DEL, C1), for an invisible one and for what is not UTF-8. Source: ECMA-48 for the control ranges.
std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x20 || lead == 0x7F) return 0;
  if (lead < 0x80) return 1;
  if (lead == 0xC2 && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xA0) return 0;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (length > text.size() || !is_utf8(text.substr(0, length))) return 0;
  return is_invisible(text.substr(0, length)) ? 0 : length;
}

bool is_plain(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') ||
         std::string_view("-_./,:=@%+").find(byte) != std::string_view::npos;
}

/// A word with control characters, which stand for nothing once they were printed: "$(printf %b 'a\0012b')".
std::string printf_word(std::string_view word) {
  std::string out = "\"$(printf %b '";
  for (const char byte : word) {
    const auto code = static_cast<unsigned>(static_cast<unsigned char>(byte));
    if (code < 0x20 || byte == '\\' || byte == '\'') {
      out += fmt::format("\\0{:03o}", code);
    } else {
      out += byte;
    }
  }
  return out + "')\"";
}

constexpr std::size_t kWindow = 96;       ///< columns of a file's line that an error shows at most
constexpr std::size_t kShown = 194;       ///< bytes of it, and two marks of three each
constexpr std::string_view kCut = "...";  ///< in ASCII, which every locale shows

}  // namespace

std::string painted(const TextStyle& style, Paint paint, std::string_view text) {
  if (!style.colour) return std::string(text);
  const auto code = [&]() -> std::string_view {
    switch (paint) {
      case Paint::kBold:
        return "1";
      case Paint::kDim:
        return "2";
      case Paint::kRed:
        return "1;31";
      case Paint::kGreen:
        return "32";
      case Paint::kYellow:
        return "33";
    }
    bug("a Paint without a code");
  }();
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::string time_text(const TextStyle& style, std::int64_t ms_since_epoch) {
  return style.local_time == nullptr ? rfc3339(ms_since_epoch) : style.local_time(ms_since_epoch);
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(text[0])));
      text.remove_prefix(1);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return out;
}

Cells cells_of(std::string_view text) {
  Cells made;
  made.cell_of.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    made.cell_of.insert(made.cell_of.end(), std::max<std::size_t>(length, 1), made.cells.size());
    if (length > 0) {
      made.cells.emplace_back(text.substr(0, length));
    } else {
      made.cells.emplace_back(text.front() == '\t' ? " " : printable(text.substr(0, 1)));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return made;
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {  // of painted(): printable() let none of the data's own through
      i = std::min(text.find('m', i), text.size() - 1);
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) {
      ++width;
    }
  }
  return width;
}

void widen(std::vector<std::size_t>& widths, const std::vector<std::string>& row) {
  if (row.size() > widths.size()) widths.resize(row.size());
  // The last cell of a row is followed by nothing, so it may be as long as it likes.
  for (std::size_t i = 0; i + 1 < row.size(); ++i) {
    widths[i] = std::max(widths[i], width_of(row[i]));
  }
}

std::string aligned_row(const std::vector<std::string>& row, const std::vector<std::size_t>& widths,
                        std::string_view indent) {
  std::string line(indent);
  for (std::size_t i = 0; i < row.size(); ++i) {
    line += row[i];
    if (i + 1 < row.size()) line.append(widths[i] - width_of(row[i]) + 2, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::string aligned(const std::vector<std::vector<std::string>>& rows, std::string_view indent) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) widen(widths, row);
  std::string out;
  for (const auto& row : rows) out += aligned_row(row, widths, indent);
  return out;
}

std::string indented(std::string_view lines, std::string_view indent) {
  std::string out;
  for (const std::string_view line : lines_of(lines)) out += fmt::format("{}{}\n", indent, line);
  return out;
}

std::string place_text(std::string_view path, std::size_t line) {
  if (path.empty()) return "-";
  if (line == 0) return printable(path);
  return fmt::format("{}:{}", printable(path), line);
}

std::string count_text(std::size_t count, std::string_view one, std::string_view many) {
  if (count == 0) return fmt::format("no {}", many);
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string shell_word(std::string_view word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return std::string(word);
  const auto is_control = [](char byte) { return static_cast<unsigned char>(byte) < 0x20; };
  if (std::any_of(word.begin(), word.end(), is_control)) return printf_word(word);
  std::string out = "'";
  for (const char byte : word) {
    if (byte == '\'') {
      out += "'\\''";
    } else {
      out += byte;
    }
  }
  return out + '\'';
}

std::string duration_text(std::int64_t milliseconds) {
  if (milliseconds < 1000) return fmt::format("{} ms", milliseconds);
  return fmt::format("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100);
}

ListChange change_between(const EntryList& before, const EntryList& after) {
  std::vector<std::string_view> old_names(before.begin(), before.end());
  std::vector<std::string_view> new_names(after.begin(), after.end());
  std::sort(old_names.begin(), old_names.end());
  std::sort(new_names.begin(), new_names.end());
  const auto is_in = [](const std::vector<std::string_view>& names, std::string_view entry) {
    return std::binary_search(names.begin(), names.end(), entry);
  };
  ListChange change;
  for (const std::string_view entry : before) {
    if (!is_in(new_names, entry)) change.removed.push_back(entry);
  }
  for (const std::string_view entry : after) {
    if (!is_in(old_names, entry)) change.added.push_back(entry);
  }
  if (change.removed.empty()) {
    change.kept = before;  // the same memory: the list may be long
  } else {
    change.kept.reserve(before.size(), before.bytes());
    for (const std::string_view entry : before) {
      if (is_in(new_names, entry)) change.kept.push_back(entry);
    }
  }
  change.reordered = change.added.empty() && change.removed.empty() && before != after;
  return change;
}

std::string finding_lines(const Finding& finding, const TextStyle& style, std::string_view indent) {
  const Paint paint = finding.severity == Severity::kError     ? Paint::kRed
                      : finding.severity == Severity::kWarning ? Paint::kYellow
                                                               : Paint::kBold;
  std::string out(indent);
  out += painted(style, paint, fmt::format("{}:", name_of(finding.severity))) + ' ';
  if (!finding.path.empty()) {
    out += place_text(finding.path, finding.line);
    if (finding.line > 0 && finding.column > 0) out += fmt::format(":{}", finding.column);
    out += ": ";
  }
  out += fmt::format("{} [{}]\n", printable(finding.message), finding.id);
  if (!finding.excerpt.empty() && finding.column > 0) {
    const Error place{.column = finding.column, .excerpt = finding.excerpt, .width = finding.width};
    out += indented(excerpt_text(place, style), indent);
  }
  if (!finding.hint.empty()) out += fmt::format("{}hint: {}\n", indent, printable(finding.hint));
  return out;
}

namespace {

/// What the cells from `begin` on to before `end` take of a terminal's line.
std::size_t columns_of(const std::vector<std::string>& cells, std::size_t begin, std::size_t end) {
  std::size_t columns = 0;
  for (std::size_t i = begin; i < end; ++i) columns += width_of(cells[i]);
  return columns;
}

/// The cells around one that fit into so many columns and kShown bytes. A third of them before it: what leads to
/// a place says more than what follows.
Span window_around(const std::vector<std::string>& cells, std::size_t place, std::size_t room) {
  Span window = {place, place};
  std::size_t columns = 0;
  std::size_t bytes = 0;
  const auto take = [&](std::size_t cell, std::size_t most) {
    const std::size_t width = width_of(cells[cell]);
    if (columns + width > most || bytes + cells[cell].size() > kShown) return false;
    columns += width;
    bytes += cells[cell].size();
    return true;
  };
  while (window.begin > 0 && bytes < kShown / 3 && take(window.begin - 1, room / 3)) --window.begin;
  while (window.end < cells.size() && take(window.end, room)) ++window.end;
  while (window.begin > 0 && take(window.begin - 1, room)) --window.begin;
  return window;
}

}  // namespace

std::string excerpt_text(const Error& error, const TextStyle& style) {
  // A line may have megabytes: no more of it is laid out than the window can hold.
  constexpr std::size_t kMostBytes = 4 * kWindow;  // of a character in UTF-8, each of them
  const std::size_t at = std::min(error.column - 1, error.excerpt.size());
  std::size_t from = at - std::min(at, kMostBytes);
  while (from < at && (static_cast<unsigned char>(error.excerpt[from]) & 0xC0U) == 0x80U) ++from;
  const std::string_view near =
      std::string_view(error.excerpt).substr(from, at - from + kMostBytes);
  const Cells line = cells_of(near);
  const std::size_t size = line.cells.size();
  const auto cell_at = [&](std::size_t byte) {
    return byte < line.cell_of.size() ? line.cell_of[byte] : size;
  };
  const std::size_t caret = cell_at(at - from);
  const std::size_t caret_end = std::max(caret + 1, cell_at(at - from + error.width));
  const bool more = from + near.size() < error.excerpt.size();

  const std::size_t room =
      std::min(kWindow, std::max<std::size_t>(style.columns, 20) - 2 - 2 * kCut.size());
  const auto [begin, end] = window_around(line.cells, caret, room);
  std::string text = "  ";
  const bool cut = begin > 0 || from > 0;
  if (cut) text += kCut;
  for (std::size_t i = begin; i < end; ++i) text += line.cells[i];
  if (end < size || more) text += kCut;

  std::string under(2 + (cut ? kCut.size() : 0) + columns_of(line.cells, begin, caret), ' ');
  const std::size_t wide =
      std::max<std::size_t>(1, columns_of(line.cells, caret, std::min(caret_end, end)));
  return text + '\n' + under + painted(style, Paint::kGreen, '^' + std::string(wide - 1, '~')) +
         '\n';
}

std::string some_of(const EntryList& entries) {
  constexpr std::size_t kShown = 6;
  std::string out;
  for (std::size_t i = 0; i < std::min(entries.size(), kShown); ++i) {
    out += fmt::format("{}'{}'", i == 0 ? "" : ", ", entries[i]);
  }
  if (entries.size() > kShown) out += fmt::format(" and {} more", entries.size() - kShown);
  return out;
}

}  // namespace base
}  // namespace kubelet_sysctl
