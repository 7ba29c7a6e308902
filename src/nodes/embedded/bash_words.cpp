// SPDX-License-Identifier: Apache-2.0
// The words that bash makes of a file of arguments, as far as that is known without running it.
#include "embedded/bash_words.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::nodes {
namespace {

constexpr std::string_view kFlag = "--allowed-unsafe-sysctls";

bool is_name_byte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '_';
}

/// Why an unquoted byte is the shell's business; nothing for an ordinary one.
std::optional<std::string_view> special(char byte) {
  if (std::string_view("*?[").find(byte) != std::string_view::npos) {
    return "the shell searches for files that fit this pattern";
  }
  if (byte == '{') return "the shell may make several words of these braces";
  if (byte == '~') return "the shell substitutes a home directory here";
  if (byte == '`') return "the shell runs a command here";
  if (byte == '\\' || byte == '\r') return "this character has a special meaning in the shell";
  if (std::string_view(";&|<>()").find(byte) != std::string_view::npos) {
    return "this character ends the arguments in the shell";
  }
  return std::nullopt;
}

class Shell {
 public:
  Shell(const SourceFile& file, std::int32_t source, const KnownVariables& known)
      : file_(file), text_(file.bytes), source_(source), known_(known) {}

  Result<std::vector<systemd::Word>> run() {
    while (at_ < text_.size()) {
      const char byte = text_[at_];
      if (byte == ' ' || byte == '\t' || byte == '\n') {
        ++at_;
      } else if (byte == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        if (auto status = word(); !status) return std::move(status).error();
      }
    }
    return std::move(words_);
  }

 private:
  Error unknown(std::size_t begin, std::size_t end, std::string_view why) const {
    return error_at(ErrorKind::kUnsupported, file_, {begin, end},
                    fmt::format("cannot determine the arguments: {}", why),
                    "write the value out, in single quotes");
  }

  [[nodiscard]] CharOrigin from(std::size_t begin, std::size_t end) const {
    return {source_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  }

  Status word() {
    systemd::Word made;
    const std::size_t begin = at_;
    while (at_ < text_.size()) {
      const char byte = text_[at_];
      if (byte == ' ' || byte == '\t' || byte == '\n') break;
      Status status;
      if (byte == '\'') {
        status = single(made);
      } else if (byte == '"') {
        status = in_quotes(made);
      } else if (byte == '$') {
        status = variable(made, false);
      } else if (const auto why = special(byte)) {
        status = unknown(at_, at_ + 1, *why);
      } else {
        made.text.push(byte, from(at_, at_ + 1));
        ++at_;
      }
      if (!status) return status;
    }
    made.raw = from(begin, at_);
    words_.push_back(std::move(made));
    return {};
  }

  Status single(systemd::Word& made) {
    const std::size_t end = text_.find('\'', at_ + 1);
    if (end == std::string_view::npos) return unknown(at_, at_ + 1, "this quote is never closed");
    for (std::size_t i = at_ + 1; i < end; ++i) made.text.push(text_[i], from(i, i + 1));
    at_ = end + 1;
    return {};
  }

  Status in_quotes(systemd::Word& made) {
    const std::size_t open = at_++;
    while (at_ < text_.size() && text_[at_] != '"') {
      const char byte = text_[at_];
      Status status;
      if (byte == '$') {
        status = variable(made, true);
      } else if (byte == '`' || byte == '\\') {
        status = unknown(at_, at_ + 1, *special(byte));
      } else {
        made.text.push(byte, from(at_, at_ + 1));
        ++at_;
      }
      if (!status) return status;
    }
    if (at_ == text_.size()) return unknown(open, open + 1, "this quote is never closed");
    ++at_;
    return {};
  }

  /// "$NAME" or "${NAME}", and within quotes "$(COMMAND)" where its end is plain to see.
  Status variable(systemd::Word& made, bool quoted) {
    const std::size_t begin = at_;
    std::size_t end = begin + 1;
    std::string name;
    const char next = end < text_.size() ? text_[end] : ' ';
    if (next == '{') {
      const std::size_t close = std::min(text_.find('}', end), text_.size());
      name = text_.substr(end + 1, close - std::min(close, end + 1));
      end = close + 1;
    } else if (next == '(') {
      end = text_.find_first_of("()\"'\n", end + 1);
      if (end == std::string_view::npos || text_[end] != ')') end = begin + 1;
      if (end != begin + 1) ++end;
    } else {
      while (end < text_.size() && is_name_byte(text_[end])) ++end;
      name = text_.substr(begin + 1, end - begin - 1);
    }
    end = std::min(end, text_.size());
    const auto value = known_.find(name);
    if (!name.empty() && value != known_.end()) {
      made.text.append(value->second, from(begin, end));
      at_ = end;
      return {};
    }
    const bool harmless =
        quoted && end > begin + 1 && made.inner.empty() && begins_harmless_flag(made.text.text);
    if (!harmless) return unknown(begin, end, "the shell substitutes something here");
    const std::string_view written = text_.substr(begin, end - begin);
    made.text.append(written, from(begin, end));
    made.inner.emplace_back(name.empty() ? written : std::string_view(name));
    at_ = end;
    return {};
  }

  const SourceFile& file_;
  std::string_view text_;
  std::int32_t source_;
  const KnownVariables& known_;
  std::size_t at_ = 0;
  std::vector<systemd::Word> words_;
};

bool is_blank(char byte) { return byte == ' ' || byte == '\t' || byte == '\r'; }

}  // namespace

KnownVariables snap_variables(std::string_view snap) {
  return {{"SNAP", fmt::format("/snap/{}/current", snap)},
          {"SNAP_DATA", fmt::format("/var/snap/{}/current", snap)},
          {"SNAP_COMMON", fmt::format("/var/snap/{}/common", snap)},
          {"SNAP_NAME", std::string(snap)},
          {"SNAP_INSTANCE_NAME", std::string(snap)}};
}

Result<std::vector<systemd::Word>> shell_words(const SourceFile& file, std::int32_t source,
                                               const KnownVariables& known) {
  return Shell(file, source, known).run();
}

bool begins_harmless_flag(std::string_view text) {
  constexpr std::array<std::string_view, 3> kDeciding = {"allowed-unsafe-sysctls", "config",
                                                         "config-dir"};
  const std::size_t equal = text.find('=');
  if (!text.starts_with("--") || equal == std::string_view::npos) return false;
  std::string name(text.substr(2, equal - 2));
  std::replace(name.begin(), name.end(), '_', '-');
  return !name.empty() && std::find(kDeciding.begin(), kDeciding.end(), name) == kDeciding.end();
}

std::string shell_flag(std::string_view list) {
  const bool quoted = list.find('*') != std::string_view::npos;
  return fmt::format("{}={}{}{}", kFlag, quoted ? "'" : "", list, quoted ? "'" : "");
}

Splice line_at_end(const SourceFile& file, std::string_view text) {
  const std::string& bytes = file.bytes;
  const std::string_view end = bytes.find("\r\n") == std::string::npos ? "\n" : "\r\n";
  const Span at{bytes.size(), bytes.size()};
  if (bytes.empty() || bytes.back() == '\n')
    return {.at = at, .text = fmt::format("{}{}", text, end)};
  return {.at = at, .text = fmt::format("{}{}", end, text)};
}

Splice without_word(const SourceFile& file, Span word) {
  const std::string& bytes = file.bytes;
  std::size_t begin = word.begin;
  std::size_t end = word.end;
  while (begin > 0 && is_blank(bytes[begin - 1])) --begin;
  while (end < bytes.size() && is_blank(bytes[end])) ++end;
  const bool first = begin == 0 || bytes[begin - 1] == '\n';
  const bool last = end == bytes.size() || bytes[end] == '\n';
  if (first && last) {
    // The last line without an end of its own takes the one before it along.
    const bool open = end == bytes.size();
    if (!open) return {.at = {begin, end + 1}, .text = {}};
    if (begin > 0) --begin;
    if (begin > 0 && bytes[begin] == '\n' && bytes[begin - 1] == '\r') --begin;
    return {.at = {begin, end}, .text = {}};
  }
  if (!first) return {.at = {word.begin - 1, word.end}, .text = {}};
  return {.at = {word.begin, std::min(word.end + 1, end)}, .text = {}};
}

}  // namespace kubelet_sysctl::nodes
