// SPDX-License-Identifier: Apache-2.0
// systemd's reader of environment files: one stream of characters through one state machine.
#include "kubelet_sysctl/systemd/env_file.hpp"

#include <algorithm>

#include "kubelet_sysctl/base/counted.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"

namespace kubelet_sysctl::systemd {
namespace {

bool is_newline(char byte) { return byte == '\n' || byte == '\r'; }
/// The states of systemd's parser, src/basic/env-file.c.
enum class State {
  kPreName,
  kName,
  kPreValue,
  kText,
  kTextEscape,
  kSingle,
  kDouble,
  kDoubleEscape,
  kComment,
  kCommentEscape,
};

class Parser {
 public:
  Parser(std::string_view text, std::int32_t source, int version)
      : text_(text), source_(source), version_(version) {}

  Result<EnvFile> run() {
    for (std::size_t at = 0; at < text_.size(); ++at) {
      if (text_[at] == '\0') return refuse(at, "a NUL byte");
      step(at, text_[at]);
      if (bad_utf8_) return refuse(name_at_.begin, "bytes that are not UTF-8");
    }
    const bool in_value = state_ != State::kPreName && state_ != State::kName &&
                          state_ != State::kComment && state_ != State::kCommentEscape;
    if (in_value) finish();
    if (bad_utf8_) return refuse(name_at_.begin, "bytes that are not UTF-8");
    return std::move(file_);
  }

 private:
  Error refuse(std::size_t at, const char* what) const {
    const LineColumn place = line_column(text_, at);
    return Error{.kind = ErrorKind::kMalformed,
                 .message = std::string("systemd takes nothing from this file: it holds ") + what,
                 .line = place.line,
                 .column = place.column,
                 .excerpt = std::string(line_at(text_, at))};
  }

  void use(Form form, std::size_t at) { file_.forms.push_back({form, origin(at, at + 1)}); }

  CharOrigin origin(std::size_t begin, std::size_t end) const {
    return {source_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  }

  void push(char byte, std::size_t begin, std::size_t end) {
    const auto code = static_cast<unsigned char>(byte);
    if ((code < 0x20 && byte != '\t') || code == 0x7f) use(Form::kControlInValue, begin);
    value_.push(byte, origin(begin, end));
  }

  void open(std::size_t at) {
    if (!started_) value_at_.begin = at;
    started_ = true;
    value_at_.end = at + 1;
  }

  void step(std::size_t at, char byte) {
    switch (state_) {
      case State::kPreName:
        return in_pre_name(at, byte);
      case State::kName:
        return in_name(at, byte);
      case State::kPreValue:
        return in_pre_value(at, byte);
      case State::kText:
        return in_text(at, byte);
      case State::kTextEscape:
        return in_text_escape(at, byte);
      case State::kSingle:
        return in_single(at, byte);
      case State::kDouble:
        return in_double(at, byte);
      case State::kDoubleEscape:
        return in_double_escape(at, byte);
      case State::kComment:
        return in_comment(byte);
      case State::kCommentEscape:
        return in_comment_escape(byte);
    }
  }

  void in_pre_name(std::size_t at, char byte) {
    if (byte == '#' || byte == ';') {
      state_ = State::kComment;
    } else if (!is_whitespace(byte)) {
      name_at_ = {at, at + 1};
      if (byte == '=') name_at_.end = at;  // the name begins with '=': it can never be valid
      name_.assign(1, byte);
      state_ = State::kName;
    }
  }

  void in_name(std::size_t at, char byte) {
    if (is_newline(byte)) {
      state_ = State::kPreName;
    } else if (byte == '=') {
      while (!name_.empty() && is_whitespace(name_.back())) name_.pop_back();
      name_at_.end = name_at_.begin + name_.size();
      value_ = {};
      value_at_ = {at + 1, at + 1};
      started_ = false;
      trailing_ = 0;
      state_ = State::kPreValue;
    } else {
      name_.push_back(byte);
    }
  }

  void in_pre_value(std::size_t at, char byte) {
    if (is_newline(byte)) {
      finish();
    } else if (byte == '\'') {
      open(at);
      state_ = State::kSingle;
    } else if (byte == '"') {
      open(at);
      state_ = State::kDouble;
    } else if (byte == '\\') {
      open(at);
      escape_at_ = at;
      state_ = State::kTextEscape;
    } else if (!is_whitespace(byte)) {
      open(at);
      push(byte, at, at + 1);
      state_ = State::kText;
    }
  }

  void in_text(std::size_t at, char byte) {
    if (is_newline(byte)) {
      finish();
    } else if (byte == '\\') {
      escape_at_ = at;
      trailing_ = 0;
      value_at_.end = at + 1;
      state_ = State::kTextEscape;
    } else {
      push(byte, at, at + 1);
      trailing_ = is_whitespace(byte) ? trailing_ + 1 : 0;
      if (trailing_ == 0) value_at_.end = at + 1;
    }
  }

  void in_text_escape(std::size_t at, char byte) {
    state_ = State::kText;
    value_at_.end = at + 1;
    if (!is_newline(byte)) push(byte, escape_at_, at + 1);
  }

  void in_single(std::size_t at, char byte) {
    value_at_.end = at + 1;
    if (byte == '\'') {
      state_ = State::kPreValue;
      return;
    }
    if (byte == '\\') use(Form::kBackslashInSingle, at);
    push(byte, at, at + 1);
  }

  void in_double(std::size_t at, char byte) {
    value_at_.end = at + 1;
    if (byte == '"') {
      state_ = State::kPreValue;
    } else if (byte == '\\') {
      escape_at_ = at;
      state_ = State::kDoubleEscape;
    } else {
      push(byte, at, at + 1);
    }
  }

  void in_double_escape(std::size_t at, char byte) {
    state_ = State::kDouble;
    value_at_.end = at + 1;
    if (byte == '"') return push(byte, escape_at_, at + 1);
    if (byte == '\n') return;
    use(Form::kBackslashInDouble, escape_at_);
    if (byte == '\\' || byte == '`' || byte == '$') return push(byte, escape_at_, at + 1);
    push('\\', escape_at_, escape_at_ + 1);
    push(byte, at, at + 1);
  }

  void in_comment(char byte) {
    if (byte == '\\') {
      state_ = State::kCommentEscape;
    } else if (is_newline(byte)) {
      state_ = State::kPreName;
    }
  }

  void in_comment_escape(char byte) {
    // Until 253 the escape reached over the line end, so that the next line was comment too.
    constexpr int kCommentsEndAtLineEnd = 254;
    const bool ends = is_newline(byte) && version_ >= kCommentsEndAtLineEnd;
    state_ = ends ? State::kPreName : State::kComment;
  }

  void finish() {
    if (state_ == State::kText && trailing_ > 0) {
      value_.text.edit().resize(value_.text.size() - trailing_);
      value_.at.resize(value_.text.size());
    }
    state_ = State::kPreName;
    if (!is_utf8(name_) || !is_utf8(value_.text)) {
      bad_utf8_ = true;
      return;
    }
    if (!is_variable_name(name_)) {  // systemd drops it alone, with a log line
      const bool flags = (name_ + ' ' + value_.text.str()).find("--") != std::string::npos;
      file_.dropped.push_back({.name = name_, .has_flags = flags, .name_at = name_at_});
      return;
    }
    file_.assignments.push_back(
        {.name = name_, .value = std::move(value_), .name_at = name_at_, .value_at = value_at_});
    value_ = {};
  }

  std::string_view text_;
  std::int32_t source_;
  int version_;
  State state_ = State::kPreName;
  std::string name_;
  Span name_at_;
  MappedText value_;
  Span value_at_;
  bool started_ = false;
  std::size_t trailing_ = 0;  // blanks at the end of unquoted text
  std::size_t escape_at_ = 0;
  bool bad_utf8_ = false;
  EnvFile file_;
};

}  // namespace

bool is_variable_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
  });
}

Result<EnvFile> parse_env_file(std::string_view text, std::int32_t source, int systemd_version) {
  counted(Counted::kEnvironmentFile, text);
  return Parser(text, source, systemd_version).run();
}

}  // namespace kubelet_sysctl::systemd
