// SPDX-License-Identifier: Apache-2.0
// ExecStart= lines: prefixes, the program, the stored words.
#include <optional>

#include <fmt/format.h>

#include "kubelet_sysctl/base/counted.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/extract_word.hpp"
#include "kubelet_sysctl/systemd/newer_forms.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"

namespace kubelet_sysctl::systemd {
namespace {

Rules command_rules(int version) {
  return {.c_escapes = true,
          .keep_unknown = true,
          .open_quotes = false,
          .half_surrogates = !reads_as_newest(newer::kHalfSurrogate, version)};
}

/// Releases 249 and 250 refuse a long word with the limit for specifiers (131072 bytes was too long;
/// the exact limit is not known, so that anything above a path's length is not vouched for).
constexpr std::size_t kVouchedFor249 = 4096;

/// The caller adds the place: it knows the file.
Error malformed(std::string what) {
  return Error{.kind = ErrorKind::kMalformed, .message = std::move(what)};
}

/// systemd's string_is_safe(): no control characters, quotes or backslashes.
bool is_safe(std::string_view text) {
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (code < 0x20 || code == 0x7f) return false;
    if (byte == '"' || byte == '\'' || byte == '\\') return false;
  }
  return true;
}

/// `//` and `/./` removed, as path_simplify() does; `..` stays.
std::string simplified(std::string_view path) {
  std::string result;
  std::size_t at = 0;
  const bool absolute = !path.empty() && path.front() == '/';
  while (at < path.size()) {
    while (at < path.size() && path[at] == '/') ++at;
    std::size_t end = path.find('/', at);
    if (end == std::string_view::npos) end = path.size();
    const std::string_view part = path.substr(at, end - at);
    if (!part.empty() && part != ".") {
      if (absolute || !result.empty()) result += '/';
      result += part;
    }
    at = end;
  }
  return result.empty() && absolute ? "/" : result;
}

struct Prefixes {
  std::size_t length = 0;
  bool ignore_failure = false;
  bool own_name = false;      // @
  bool no_variables = false;  // :
  bool privileged = false;    // + ! !!
  bool shell = false;         // |
};

/// Each prefix counts once; + and ! exclude each other. Source: config_parse_exec().
Prefixes prefixes_of(std::string_view word, bool knows_shell) {
  Prefixes found;
  int bangs = 0;
  bool plus = false;
  for (; found.length < word.size(); ++found.length) {
    const char byte = word[found.length];
    if (byte == '-' && !found.ignore_failure) {
      found.ignore_failure = true;
    } else if (byte == '@' && !found.own_name) {
      found.own_name = true;
    } else if (byte == ':' && !found.no_variables) {
      found.no_variables = true;
    } else if (byte == '|' && knows_shell && !found.shell) {
      found.shell = true;
    } else if (byte == '+' && !plus && bangs == 0) {
      plus = true;
    } else if (byte == '!' && !plus && bangs < 2) {
      ++bangs;
    } else {
      break;
    }
  }
  found.privileged = plus || bangs > 0;
  return found;
}

std::optional<std::string> fault_of_program(std::string_view path) {
  if (path.empty()) return "the program has no name";
  if (!is_safe(path)) return "the program's path holds a quote, a backslash or a control character";
  const bool bare = path.find('/') == std::string_view::npos && path != "." && path != "..";
  if (path.front() != '/' && !bare)
    return "the program is neither an absolute path nor a bare name";
  if (path.back() == '/') return "the program's path ends in '/'";
  return std::nullopt;
}

/// Reads one line; a class because commands, position and forms go through every step.
class ExecParser {
 public:
  ExecParser(const MappedText& value, const Specifiers& specifiers, int version,
             std::vector<FormUse>& forms)
      : value_(value),
        specifiers_(specifiers),
        version_(version),
        rules_(command_rules(version)),
        forms_(forms) {}

  ReadCommands run() {
    for (bool more = true; more;) {
      auto first = take(value_, at_, rules_, forms_);
      // The first word alone costs the line alone, for systemd has not seen yet whose fault it is.
      if (first.got == Got::kBad) return stopped(malformed(first.why), false);
      if (first.got == Got::kEnd) break;
      if (first.word.text.text == ";") {
        forms_.push_back({Form::kStraySemicolon, first.word.raw});
        continue;
      }
      const Prefixes prefixes =
          prefixes_of(first.word.text.text, reads_as_newest(newer::kShellPrefix, version_));
      auto next = command(first.word, prefixes);
      if (!next) return stopped(std::move(next).error(), !prefixes.ignore_failure);
      more = *next;
    }
    return {.commands = std::move(commands_), .fault = std::nullopt, .ends_file = false};
  }

 private:
  ReadCommands stopped(Error why, bool ends_file) {
    const bool refused = why.kind == ErrorKind::kMalformed;
    return {.commands = std::move(commands_),
            .fault = std::move(why),
            .ends_file = ends_file && refused};
  }

  /// True when a semicolon follows that may begin another command.
  Result<bool> command(const Word& first, const Prefixes& prefixes) {
    StoredCommand command;
    if (first.text.text.substr(0, prefixes.length + 1).find('|') != std::string::npos) {
      forms_.push_back({newer::kShellPrefix, first.raw});
    }
    if (prefixes.shell) {
      return Error{
          .kind = ErrorKind::kUnsupported,
          .message = "a shell runs this command ('|'), and what it makes of it is unknown"};
    }
    command.ignore_failure = prefixes.ignore_failure;
    command.no_variables = prefixes.no_variables;
    if (prefixes.no_variables) forms_.push_back({Form::kColonPrefix, first.raw});
    if (prefixes.privileged) forms_.push_back({Form::kPrivilegePrefix, first.raw});
    Word program = first;
    program.text = first.text.sub(prefixes.length, first.text.text.size());
    if (program.text.text.find('%') != std::string::npos) {
      forms_.push_back({Form::kPercentInProgram, first.raw});
    }
    auto path = expand(program.text);
    if (!path) return std::move(path).error();
    program.text = std::move(*path);
    if (const auto fault = fault_of_program(program.text.text)) {
      return malformed(*fault);
    }
    if (program.text.text.find_first_of("*?[") != std::string::npos) {
      forms_.push_back({newer::kPatternInProgram, first.raw});
      if (reads_as_newest(newer::kPatternInProgram, version_)) {
        return malformed("the program's path holds '*', '?' or '['");
      }
    }
    if (program.text.text.front() != '/') forms_.push_back({Form::kBareProgram, first.raw});
    command.program = simplified(program.text.text);
    if (!prefixes.own_name) command.words.push_back(std::move(program));
    auto more = arguments(command);
    if (!more) return std::move(more).error();
    if (command.words.empty()) return malformed("'@' needs a word for the name");
    commands_.push_back(std::move(command));
    return *more;
  }

  Result<bool> arguments(StoredCommand& command) {
    const std::string& text = value_.text;
    while (at_ < text.size()) {
      if (semicolon_at(at_)) {
        ++at_;
        skip_blanks(text, at_);
        return true;
      }
      if (text[at_] == '\\' && semicolon_at(at_ + 1)) {
        Word word;
        word.raw = covering_range(value_, at_, at_ + 2);
        word.text.push(';', word.raw);
        command.words.push_back(std::move(word));
        at_ += 2;
        skip_blanks(text, at_);
        continue;
      }
      auto taken = take(value_, at_, rules_, forms_);
      if (taken.got == Got::kBad) return malformed(taken.why);
      if (taken.got == Got::kEnd) break;
      if (taken.word.text.text == ";") forms_.push_back({Form::kQuotedSemicolon, taken.word.raw});
      auto expanded = expand(taken.word.text);
      if (!expanded) return std::move(expanded).error();
      taken.word.text = std::move(*expanded);
      command.words.push_back(std::move(taken.word));
    }
    return false;
  }

  bool semicolon_at(std::size_t at) const {
    const std::string& text = value_.text;
    return at < text.size() && text[at] == ';' &&
           (at + 1 == text.size() || is_whitespace(text[at + 1]));
  }

  Result<MappedText> expand(const MappedText& text) {
    auto expanded = expand_specifiers(text, specifiers_, version_, forms_);
    const bool limited = version_ == 249 || version_ == 250;
    if (expanded && limited && expanded->text.size() >= kVouchedFor249) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .message = "a word is so long that this release of systemd may refuse it"};
    }
    return expanded;
  }

  const MappedText& value_;
  const Specifiers& specifiers_;
  int version_;
  Rules rules_;
  std::vector<FormUse>& forms_;
  std::size_t at_ = 0;
  std::vector<StoredCommand> commands_;
};

}  // namespace

ReadCommands read_commands(const MappedText& value, const Specifiers& specifiers, int version) {
  counted(Counted::kExecLine, value.text);
  std::vector<FormUse> forms;
  ReadCommands read = ExecParser(value, specifiers, version, forms).run();
  read.forms = std::move(forms);
  return read;
}

Result<std::vector<StoredCommand>> parse_exec_start(const MappedText& value,
                                                    const Specifiers& specifiers, int version,
                                                    std::vector<FormUse>& forms) {
  ReadCommands read = read_commands(value, specifiers, version);
  forms.insert(forms.end(), read.forms.begin(), read.forms.end());
  if (read.fault) return std::move(*read.fault);
  return std::move(read.commands);
}

}  // namespace kubelet_sysctl::systemd
