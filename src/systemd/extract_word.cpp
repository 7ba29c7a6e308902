// SPDX-License-Identifier: Apache-2.0
// Splitting text into words with quotes and escapes, and replacing specifiers, as systemd does.
#include "kubelet_sysctl/systemd/extract_word.hpp"

#include <array>
#include <optional>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/newer_forms.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"

namespace kubelet_sysctl::systemd {
namespace {

int hex_value(char byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

std::string utf8(std::uint32_t code) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xc0 | (code >> 6)), byte(0x80 | (code & 0x3f))};
  if (code < 0x10000) {
    return {byte(0xe0 | (code >> 12)), byte(0x80 | ((code >> 6) & 0x3f)),
            byte(0x80 | (code & 0x3f))};
  }
  return {byte(0xf0 | (code >> 18)), byte(0x80 | ((code >> 12) & 0x3f)),
          byte(0x80 | ((code >> 6) & 0x3f)), byte(0x80 | (code & 0x3f))};
}

/// A decoded escape: what it stands for and how many bytes after the backslash it took.
struct Escape {
  std::string text;
  std::size_t length = 0;
};

std::optional<Escape> number(std::string_view rest, std::size_t digits, std::uint32_t base) {
  const std::size_t begin = base == 16 ? 1 : 0;
  if (rest.size() < begin + digits) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const int digit = hex_value(rest[begin + i]);
    if (digit < 0 || static_cast<std::uint32_t>(digit) >= base) return std::nullopt;
    value = value * base + static_cast<std::uint32_t>(digit);
  }
  if (value == 0) return std::nullopt;
  const bool is_byte = digits <= 3;
  if (is_byte && value > 255) return std::nullopt;
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (digits == 8 && (value > 0x10ffff || surrogate)) return std::nullopt;
  std::string text = is_byte ? std::string(1, static_cast<char>(value)) : utf8(value);
  return Escape{.text = std::move(text), .length = begin + digits};
}

/// One escape after its backslash, or nothing when systemd does not know it. Source: cunescape_one() in
/// src/basic/escape.c; a NUL is refused there.
std::optional<Escape> unescape(std::string_view rest) {
  constexpr std::string_view kLetters = "abfnrtv\\\"'s";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"' ";
  if (rest.empty()) return std::nullopt;
  const std::size_t letter = kLetters.find(rest[0]);
  if (letter != std::string_view::npos) return Escape{std::string(1, kMeanings[letter]), 1};
  if (rest[0] == 'x') return number(rest, 2, 16);
  if (rest[0] == 'u') return number(rest, 4, 16);
  if (rest[0] == 'U') return number(rest, 8, 16);
  if (rest[0] >= '0' && rest[0] <= '7') return number(rest, 3, 8);
  return std::nullopt;
}

/// Takes one word; a class because the loop carries five things along.
class Taker {
 public:
  Taker(const MappedText& text, std::size_t& position, const Rules& rules,
        std::vector<FormUse>& forms)
      : text_(text), at_(position), rules_(rules), forms_(forms) {}

  Taken run() {
    skip_blanks(text_.text, at_);
    if (at_ >= text_.text.size()) return {};
    begin_ = at_;
    while (at_ < text_.text.size()) {
      const char byte = text_.text[at_];
      if (byte == '\\') {
        if (!backslash()) return bad(fmt::format("unknown escape '\\{}'", next_text()));
      } else if (quote_ != 0) {
        if (byte == quote_) {
          quote_ = 0;
          const bool more = at_ + 1 < text_.text.size() && !is_whitespace(text_.text[at_ + 1]);
          if (more) use(inside_word());
          ++at_;
        } else {
          take_until(quote_ == '"' ? "\\\"" : "\\'");
        }
      } else if (byte == '\'' || byte == '"') {
        if (at_ != begin_) use(inside_word());
        quote_ = byte;
        ++at_;
      } else if (is_whitespace(byte)) {
        break;
      } else {
        take_until("\\'\" \t\n\r");
      }
    }
    if (quote_ != 0) {
      if (!rules_.open_quotes) return bad(fmt::format("the quote {} is never closed", quote_));
      use_at(Form::kOpenQuoteInValue, begin_);
    }
    if (!rules_.c_escapes && word_.text.text.empty()) use_at(Form::kEmptyWordInValue, begin_);
    word_.raw = covering_range(text_, begin_, at_);
    skip_blanks(text_.text, at_);
    return {.got = Got::kWord, .word = std::move(word_), .why = {}};
  }

 private:
  /// Handles the backslash at at_; false for an escape that ends the text.
  bool backslash() {
    const std::size_t start = at_++;
    const CharOrigin from = text_.at[start];
    if (at_ >= text_.text.size()) {
      if (rules_.c_escapes && !(rules_.keep_unknown && quote_ == 0)) return false;
      if (rules_.c_escapes) word_.text.push('\\', from);
      return true;
    }
    if (!rules_.c_escapes) {
      use_at(Form::kBackslashInValue, start);
      word_.text.push(text_.text[at_], joined(start, at_));
      ++at_;
      return true;
    }
    auto escape = unescape(std::string_view(text_.text).substr(at_));
    const bool half = escape && text_.text[at_] == 'u' && !is_utf8(escape->text);
    if (half) use_at(newer::kHalfSurrogate, start);
    if (half && !rules_.half_surrogates) escape.reset();
    if (escape) {
      // 219 has no \u and no \U, and refuses a line in which \x or \OOO makes text that is not UTF-8.
      const bool wide = text_.text[at_] == 'u' || text_.text[at_] == 'U';
      if (wide || !is_utf8(escape->text)) use_at(Form::kNumericEscape, start);
      word_.text.append(escape->text, joined(start, at_ + escape->length - 1));
      at_ += escape->length;
      return true;
    }
    if (!rules_.keep_unknown) {
      use_at(Form::kUnknownEscapeInEnv, start);
      return false;
    }
    word_.text.push('\\', from);
    word_.text.push(text_.text[at_], text_.at[at_]);
    ++at_;
    return true;
  }

  /// Plain bytes in one go: of a long word there is one copy.
  void take_until(std::string_view stops) {
    const std::size_t end = std::min(text_.text.find_first_of(stops, at_), text_.text.size());
    word_.text.append(text_, at_, end);
    at_ = end;
  }

  /// Commands and values learnt it with 229, Environment= with 237.
  Form inside_word() const {
    const bool environment = rules_.c_escapes && !rules_.keep_unknown;
    return environment ? Form::kQuoteInsideEnvWord : Form::kQuoteInsideWord;
  }

  std::string next_text() const {
    return at_ < text_.text.size() ? std::string(1, text_.text[at_]) : std::string();
  }
  CharOrigin joined(std::size_t first, std::size_t last) const {
    return covering_range(text_, first, last + 1);
  }
  void use(Form form) { use_at(form, at_); }
  void use_at(Form form, std::size_t where) { forms_.push_back({form, text_.at[where]}); }
  Taken bad(std::string why) { return {.got = Got::kBad, .word = {}, .why = std::move(why)}; }

  const MappedText& text_;
  std::size_t& at_;
  Rules rules_;
  std::vector<FormUse>& forms_;
  std::size_t begin_ = 0;
  char quote_ = 0;
  Word word_;
};

bool is_alphanumeric(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9');
}

/// Letters of systemd 252's table for units, src/core/unit-printf.c. %d came with 250.
bool is_specifier(char letter, int version) {
  constexpr int kCredentials = 250;
  constexpr std::string_view kLetters = "nNpPiIjJfyYcrRtSCLETVuUgGhsHlqmbvaABMowW";
  if (letter == 'd') return version >= kCredentials;
  if (letter == 'D') return reads_as_newest(newer::kSharedData, version);
  return kLetters.find(letter) != std::string_view::npos;
}

/// The letters that every measured release knows; any other may be missing before 247.
bool is_old_specifier(char letter) {
  return std::string_view("nNpPiIfcrRtuUhsHmbv").find(letter) != std::string_view::npos;
}

Error specifier_error(const MappedText& text, std::size_t at, ErrorKind kind, const char* what) {
  Error error{.kind = kind, .message = fmt::format("{} '%{}'", what, text.text[at + 1])};
  if (kind == ErrorKind::kMalformed) error.hint = "write '%%' for a percent sign";
  return error;
}

}  // namespace

void skip_blanks(std::string_view text, std::size_t& position) {
  while (position < text.size() && is_whitespace(text[position])) ++position;
}

CharOrigin covering_range(const MappedText& text, std::size_t begin, std::size_t end) {
  if (begin >= end || end > text.at.size()) return {};
  CharOrigin whole = text.at[begin];
  for (std::size_t i = begin; i < end; ++i) {
    const CharOrigin& one = text.at[i];
    if (one.source != whole.source) return {};
    if (one.begin < whole.begin) whole.begin = one.begin;
    if (one.end > whole.end) whole.end = one.end;
  }
  return whole;
}

Taken take(const MappedText& text, std::size_t& position, const Rules& rules,
           std::vector<FormUse>& forms) {
  return Taker(text, position, rules, forms).run();
}

Result<MappedText> expand_specifiers(const MappedText& text, const Specifiers& specifiers,
                                     int version, std::vector<FormUse>& forms) {
  // A long text without any is there once.
  if (text.text.find('%') == std::string::npos) return text;
  MappedText result;
  for (std::size_t at = 0; at < text.text.size(); ++at) {
    if (text.text[at] != '%') {
      result.push(text.text[at], text.at[at]);
      continue;
    }
    if (at + 1 == text.text.size()) {
      forms.push_back({Form::kPercentAtEnd, text.at[at]});
      result.push('%', text.at[at]);
      continue;
    }
    const char letter = text.text[at + 1];
    if (letter == 'D') forms.push_back({newer::kSharedData, text.at[at]});
    const CharOrigin both = covering_range(text, at, at + 2);
    if (letter == '%') {
      result.push('%', both);
    } else if (is_specifier(letter, version)) {
      const auto value = specifiers.find(letter);
      if (value == specifiers.end()) {
        return specifier_error(text, at, ErrorKind::kUnsupported,
                               "cannot determine here what systemd substitutes for");
      }
      if (value->second == kUnresolvable) {
        return specifier_error(text, at, ErrorKind::kMalformed,
                               "systemd has no value for this unit for");
      }
      if (!is_old_specifier(letter)) forms.push_back({Form::kNewSpecifier, text.at[at]});
      result.append(value->second, both);
    } else if (is_alphanumeric(letter)) {
      forms.push_back({Form::kPercentAtEnd, text.at[at]});
      return specifier_error(text, at, ErrorKind::kMalformed, "systemd knows no specifier");
    } else {
      result.push('%', text.at[at]);
      result.push(letter, text.at[at + 1]);
    }
    ++at;
  }
  return result;
}

}  // namespace kubelet_sysctl::systemd
