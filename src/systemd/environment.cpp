// SPDX-License-Identifier: Apache-2.0
// The environment of a service and the replacement of variables in its command.
#include <algorithm>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/env_file.hpp"
#include "kubelet_sysctl/systemd/extract_word.hpp"
#include "kubelet_sysctl/systemd/newer_forms.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"

namespace kubelet_sysctl::systemd {
namespace {

constexpr Rules kValueRules{.c_escapes = false, .keep_unknown = false, .open_quotes = true};
constexpr Rules kEnvironmentRules{.c_escapes = true, .keep_unknown = false, .open_quotes = false};

/// Replaces `${NAME}` and `$$` inside a word. Source: replace_env_n() in src/basic/env-util.c, without
/// the extended forms: a colon in the braces makes the text literal.
class Replacer {
 public:
  Replacer(const Word& word, const Environment& environment, std::vector<FormUse>& forms)
      : in_(word.text), environment_(environment), forms_(forms) {
    out_.raw = word.raw;
  }

  Word run() {
    enum class Reading { kText, kDollar, kName } state = Reading::kText;
    std::size_t name = 0;
    for (std::size_t at = 0; at < in_.text.size(); ++at) {
      const char byte = in_.text[at];
      if (state == Reading::kText) {
        if (byte == '$') state = Reading::kDollar;
      } else if (state == Reading::kDollar) {
        if (byte == '{') {
          copy_to(at - 1);
          name = at + 1;
          state = Reading::kName;
        } else if (byte == '$') {
          if (at == 1) forms_.push_back({Form::kDollarDollarFirst, in_.at[at]});
          copy_to(at);
          done_ = at + 1;
          state = Reading::kText;
        } else {
          state = Reading::kText;
        }
      } else if (byte == '}') {
        put(in_.text.substr(name, at - name));
        done_ = at + 1;
        state = Reading::kText;
      } else if (byte == ':') {
        forms_.push_back({Form::kColonInBraces, in_.at[at]});
        state = Reading::kText;
      }
    }
    copy_to(in_.text.size());
    return std::move(out_);
  }

 private:
  void copy_to(std::size_t end) {
    out_.text.append(in_.sub(done_, end));
    done_ = end;
  }

  void put(const std::string& name) {
    out_.inner.push_back(name);
    const auto variable = environment_.find(name);
    if (variable != environment_.end()) out_.text.append(variable->second.value);
  }

  const MappedText& in_;
  const Environment& environment_;
  std::vector<FormUse>& forms_;
  Word out_;
  std::size_t done_ = 0;  // everything before it is copied or replaced
};

}  // namespace

std::vector<Word> split_value(const MappedText& value, std::vector<FormUse>& forms) {
  std::vector<Word> result;
  std::size_t at = 0;
  for (;;) {
    auto taken = take(value, at, kValueRules, forms);
    if (taken.got != Got::kWord) return result;
    result.push_back(std::move(taken.word));
  }
}

std::vector<Word> expand_command(const StoredCommand& command, const Environment& environment,
                                 std::vector<FormUse>& forms) {
  if (command.no_variables) return command.words;
  std::vector<Word> result;
  for (const Word& word : command.words) {
    const std::string& text = word.text.text;
    const bool whole =
        !text.empty() && text[0] == '$' && (text.size() == 1 || (text[1] != '{' && text[1] != '$'));
    if (!whole) {
      result.push_back(Replacer(word, environment, forms).run());
      continue;
    }
    const std::string name = text.substr(1);
    const auto variable = environment.find(name);
    if (variable == environment.end()) continue;
    for (Word& piece : split_value(variable->second.value, forms)) {
      piece.variable = name;
      result.push_back(std::move(piece));
    }
  }
  return result;
}

std::size_t apply_environment(const MappedText& value, const Specifiers& specifiers,
                              OriginKind kind, Environment& environment,
                              std::vector<FormUse>& forms, int version) {
  Rules rules = kEnvironmentRules;
  rules.half_surrogates = !reads_as_newest(newer::kHalfSurrogate, version);
  std::size_t dropped = 0;
  std::size_t at = 0;
  for (;;) {
    auto taken = take(value, at, rules, forms);
    if (taken.got == Got::kEnd) return dropped;
    if (taken.got == Got::kBad) return dropped + 1;  // this word and all after it are lost
    auto text = expand_specifiers(taken.word.text, specifiers, version, forms);
    const std::size_t equals = text ? text->text.find('=') : std::string::npos;
    if (equals == std::string::npos || !is_utf8(text->text) ||
        !is_variable_name(std::string_view(text->text).substr(0, equals))) {
      ++dropped;
      continue;
    }
    const auto control = [](char byte) { return static_cast<unsigned char>(byte) < 0x20; };
    if (std::any_of(text->text.begin(), text->text.end(), control)) {
      forms.push_back({Form::kControlInValue, taken.word.raw});
    }
    environment[text->text.substr(0, equals)] = Variable{
        .value = text->sub(equals + 1, text->text.size()), .kind = kind, .raw = taken.word.raw};
  }
}

std::size_t apply_environment(const MappedText& value, const Specifiers& specifiers,
                              OriginKind kind, Environment& environment,
                              std::vector<FormUse>& forms) {
  return apply_environment(value, specifiers, kind, environment, forms, kReferenceSystemd);
}

Result<std::optional<EnvironmentFileLine>> parse_environment_file_line(
    const MappedText& value, const Specifiers& specifiers, std::vector<FormUse>& forms) {
  return parse_environment_file_line(value, specifiers, forms, kReferenceSystemd);
}

Result<std::optional<EnvironmentFileLine>> parse_environment_file_line(const MappedText& value,
                                                                       const Specifiers& specifiers,
                                                                       std::vector<FormUse>& forms,
                                                                       int version) {
  auto text = expand_specifiers(value, specifiers, version, forms);
  if (!text) {
    // systemd drops a line with a specifier that does not exist; one unknown here cannot be resolved.
    if (text.error().kind == ErrorKind::kUnsupported) return std::move(text).error();
    return std::optional<EnvironmentFileLine>();
  }
  EnvironmentFileLine line;
  line.path = text->text;
  if (!line.path.empty() && line.path.front() == '-') {
    line.optional = true;
    line.path.erase(0, 1);
  }
  if (line.path.empty() || line.path.front() != '/') return std::optional<EnvironmentFileLine>();
  std::string simple;
  for (std::size_t at = 0; at < line.path.size();) {
    std::size_t end = line.path.find('/', at);
    if (end == std::string::npos) end = line.path.size();
    const std::string part = line.path.substr(at, end - at);
    if (part == "..") {
      forms.push_back({Form::kDotDotEnvFile, covering_range(value, 0, value.text.size())});
      return std::optional<EnvironmentFileLine>();
    }
    if (!part.empty() && part != ".") simple += "/" + part;
    at = end + 1;
  }
  line.path = simple.empty() ? "/" : simple;
  return std::optional<EnvironmentFileLine>(std::move(line));
}

std::vector<std::string> parse_name_list(const MappedText& value, const Specifiers& specifiers) {
  return parse_name_list(value, specifiers, kReferenceSystemd);
}

std::vector<std::string> parse_name_list(const MappedText& value, const Specifiers& specifiers,
                                         int version) {
  std::vector<std::string> names;
  std::vector<FormUse> unused;
  std::size_t at = 0;
  for (;;) {
    auto taken = take(value, at, kEnvironmentRules, unused);
    if (taken.got != Got::kWord) return names;
    auto text = expand_specifiers(taken.word.text, specifiers, version, unused);
    if (text) names.push_back(text->text);
  }
}

}  // namespace kubelet_sysctl::systemd
