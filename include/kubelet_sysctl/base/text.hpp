// SPDX-License-Identifier: Apache-2.0
// The small change of text output: colour, columns, places, and text that is safe on a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/entry_list.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"

namespace kubelet_sysctl {
inline namespace base {

/// How text is laid out.
struct TextStyle {
  bool colour = false;
  std::size_t columns = 100;  ///< that a layout with a choice keeps to
  std::size_t wrap = 0;  ///< columns of the terminal, where longer lines are broken; 0: it is none
  bool verbose = false;
  /// A time since the epoch, in milliseconds, as the clock on the wall shows it. nullptr: in UTC.
  std::string (*local_time)(std::int64_t) = nullptr;
};

/// A time for a person: "2026-11-20T23:57:26+01:00".
std::string time_text(const TextStyle& style, std::int64_t ms_since_epoch);

enum class Paint { kBold, kDim, kRed, kGreen, kYellow };

/// `text` in a colour, or as it is when the style has none.
std::string painted(const TextStyle& style, Paint paint, std::string_view text);

/// One string for each column a terminal needs for `text`: a code point, a tab as one blank, what
/// printable() would escape as '?'. `cell_of` says the cell that holds a byte.
struct Cells {
  std::vector<std::string> cells;
  std::vector<std::size_t> cell_of;  ///< one for each byte of the text
};
Cells cells_of(std::string_view text);

/// Columns a terminal needs for printable or painted text, one for each code point.
std::size_t width_of(std::string_view text);

/// Rows as lines: each column as wide as its widest cell, two blanks between, no blanks at the end.
/// A row may be shorter than others. Each line begins with `indent` and ends with a newline.
std::string aligned(const std::vector<std::vector<std::string>>& rows, std::string_view indent);

/// The same a row at a time, for those with thousands: first widen() with each, then each aligned_row().
void widen(std::vector<std::size_t>& widths, const std::vector<std::string>& row);
std::string aligned_row(const std::vector<std::string>& row, const std::vector<std::size_t>& widths,
                        std::string_view indent);

/// Each line of `lines` with `indent` before it and a line end after it.
std::string indented(std::string_view lines, std::string_view indent);

/// "PATH:LINE", "PATH" or "-".
std::string place_text(std::string_view path, std::size_t line);

/// "'a', 'b' and 4 more"
std::string some_of(const EntryList& entries);
/// "1 entry", "2 entries", "no entries".
std::string count_text(std::size_t count, std::string_view one, std::string_view many);

/// A word as a POSIX shell would need it: in single quotes where it holds more than plain letters.
std::string shell_word(std::string_view word);

/// "10.0 s" or "41 ms".
std::string duration_text(std::int64_t milliseconds);

/// How one list becomes another, in order: what is kept or removed, then what is added.
struct ListChange {
  EntryList removed;
  EntryList added;
  EntryList kept;
  bool reordered = false;  ///< nothing added or removed, and yet not equal
};
ListChange change_between(const EntryList& before, const EntryList& after);

/// The line of a file in a window around the place, and the caret under it.
std::string excerpt_text(const Error& error, const TextStyle& style);

/// "PATH:LINE: message" and its hint as report lines, without the program's name.
std::string finding_lines(const Finding& finding, const TextStyle& style, std::string_view indent);

}  // namespace base
}  // namespace kubelet_sysctl
