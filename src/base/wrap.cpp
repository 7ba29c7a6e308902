// SPDX-License-Identifier: Apache-2.0
// Breaks lines that are wider than a terminal.
#include "kubelet_sysctl/base/wrap.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "kubelet_sysctl/base/text.hpp"

namespace kubelet_sysctl {
inline namespace base {
namespace {

constexpr std::size_t kHang = 2;  ///< columns by which a continued line is further in
constexpr std::string_view kCommands = "type these:";

/// Words of prose and, whole, what is not to be broken.
struct Piece {
  std::size_t blanks = 0;  ///< before it
  std::string_view text;
};

bool opens_quote(std::string_view line, std::size_t at) {
  if (line[at] != '\'') return false;
  return at == 0 || std::string_view(" (=:,[").find(line[at - 1]) != std::string_view::npos;
}

/// The end of the quoted text that begins at `at`; `at` where nothing closes it.
std::size_t quote_end(std::string_view line, std::size_t at) {
  for (std::size_t end = line.find('\'', at + 1); end != std::string_view::npos;
       end = line.find('\'', end + 1)) {
    const bool inside = end + 1 < line.size() &&
                        std::string_view(" .,;:?)]").find(line[end + 1]) == std::string_view::npos;
    if (!inside) return end + 1;
  }
  return at;
}

bool announces_command(std::string_view word) {
  constexpr std::array<std::string_view, 3> kWords = {"run:", "type:", "with:"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

/// True for a number, with what may be in front of it: "10.0", "(12".
bool is_number(std::string_view word) {
  while (!word.empty() && (word.front() == '(' || word.front() == '~')) word.remove_prefix(1);
  return !word.empty() && word.find_first_not_of("0123456789.") == std::string_view::npos &&
         word.front() != '.' && word.back() != '.';
}

/// True for the unit of a number, whatever punctuation is behind it.
bool is_unit(std::string_view word) {
  constexpr std::array<std::string_view, 19> kUnits = {
      "s",    "ms",    "us",  "min",  "h",     "d",   "second", "seconds", "minute", "minutes",
      "hour", "hours", "day", "days", "bytes", "KiB", "MiB",    "GiB",     "MB"};
  const std::size_t end = word.find_first_of(",.;:)");
  return std::find(kUnits.begin(), kUnits.end(), word.substr(0, end)) != kUnits.end();
}

std::string_view word_at(std::string_view line, std::size_t at) {
  return line.substr(at, std::min(line.find(' ', at), line.size()) - at);
}

std::vector<Piece> pieces_of(std::string_view line) {
  std::vector<Piece> pieces;
  bool is_command = false;
  std::size_t at = 0;
  while (at < line.size()) {
    const std::size_t begin = std::min(line.find_first_not_of(' ', at), line.size());
    std::size_t end = begin;
    if (is_command) {
      end = std::min(line.find(';', begin), line.size());
    }
    while (end < line.size() && line[end] != ' ') {
      end = opens_quote(line, end) ? std::max(quote_end(line, end), end + 1) : end + 1;
    }
    if (begin == line.size()) break;
    if (!is_command && end + 1 < line.size() && is_number(line.substr(begin, end - begin)) &&
        is_unit(word_at(line, end + 1))) {
      end += 1 + word_at(line, end + 1).size();
    }
    pieces.push_back({.blanks = begin - at, .text = line.substr(begin, end - begin)});
    is_command = announces_command(pieces.back().text);
    at = end;
  }
  return pieces;
}

void append_wrapped(std::string& out, std::string_view line, std::size_t columns) {
  const std::vector<Piece> pieces = pieces_of(line);
  const std::size_t leading = pieces.empty() ? 0 : pieces.front().blanks;
  const std::size_t hang = leading + kHang < columns / 2 ? leading + kHang : kHang;
  std::size_t used = 0;
  for (const Piece& piece : pieces) {
    const std::size_t width = width_of(piece.text);
    const bool fits = used == 0 || used + piece.blanks + width <= columns;
    const std::size_t blanks = fits ? piece.blanks : hang;
    if (!fits) {
      out += '\n';
      used = 0;
    }
    out.append(blanks, ' ');
    out += piece.text;
    used += blanks + width;
  }
}

bool is_caret(std::string_view line) {
  // The codes of a colour hold digits, a bracket and an m.
  return line.find('^') != std::string_view::npos &&
         line.find_first_not_of(" ^~\x1b[0123456789;m") == std::string_view::npos;
}

std::string_view text_line(std::string_view text, std::size_t at) {
  return text.substr(at, std::min(text.find('\n', at), text.size()) - at);
}

}  // namespace

std::vector<std::string> filled(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines;
  std::string flat(text);
  std::replace(flat.begin(), flat.end(), '\n', ' ');
  for (const Piece& piece : pieces_of(flat)) {
    const bool fits =
        !lines.empty() && width_of(lines.back()) + 1 + width_of(piece.text) <= columns;
    if (fits) {
      lines.back() += ' ';
      lines.back() += piece.text;
    } else {
      lines.emplace_back(piece.text);
    }
  }
  return lines;
}

std::string wrapped(std::string_view text, std::size_t columns) {
  if (columns == 0) return std::string(text);
  std::string out;
  out.reserve(text.size());
  bool commands = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view line = text_line(text, at);
    at += line.size() + 1;
    commands = line == kCommands || (commands && line.starts_with("  "));
    const bool is_excerpt = at < text.size() && is_caret(text_line(text, at));
    if (commands || is_excerpt || is_caret(line) || width_of(line) <= columns) {
      out += line;
    } else {
      append_wrapped(out, line, columns);
    }
    if (at <= text.size()) out += '\n';
  }
  return out;
}

}  // namespace base
}  // namespace kubelet_sysctl
