// SPDX-License-Identifier: Apache-2.0
// Stand-in kubelet: a reader of JSON and of the part of YAML that kubelet configurations use.
//
// Anchors, aliases, tags and block scalars end in an error: a test node that needs them needs a
// real kubelet. Everything else that is not understood is an error too, never a guess.
#pragma once

#include <algorithm>
#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fake_kubelet {

struct Field;

struct Value {
  enum class Kind { kNull, kString, kNumber, kBool, kList, kMap };
  Kind kind = Kind::kNull;
  std::string text;           // scalars
  std::vector<Value> items;   // lists
  std::vector<Field> fields;  // maps, in file order, duplicates kept
};

struct Field {
  std::string key;
  Value value;
};

/// Thrown by both readers; what() is the message after the kubelet's own prefix.
using SyntaxError = std::runtime_error;

// What an unquoted scalar means: the words of YAML 1.1, of which JSON's are a part.
inline Value plain_scalar(std::string text) {
  static const std::regex null_word("|~|null|Null|NULL");
  static const std::regex bool_word(
      "true|True|TRUE|false|False|FALSE|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|y|Y|n|N");
  static const std::regex number_word(
      R"([-+]?(\d[\d_]*)?\.?\d[\d_]*([eE][-+]?\d+)?|[-+]?\d[\d_]*\.|0x[0-9a-fA-F]+|[-+]?\.inf)");
  using Kind = Value::Kind;
  auto kind = Kind::kString;
  if (std::regex_match(text, null_word)) {
    kind = Kind::kNull;
  } else if (std::regex_match(text, bool_word)) {
    kind = Kind::kBool;
  } else if (std::regex_match(text, number_word)) {
    kind = Kind::kNumber;
  }
  return {.kind = kind, .text = std::move(text), .items = {}, .fields = {}};
}

inline Value string_value(std::string text) {
  return {.kind = Value::Kind::kString, .text = std::move(text), .items = {}, .fields = {}};
}

class Reader {
 protected:
  explicit Reader(std::string_view text) : text_(text) {}

  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] bool is_one_of(std::string_view bytes, std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() && bytes.find(peek(ahead)) != std::string_view::npos;
  }

  std::string read_double_quoted() {
    std::string out;
    for (++at_; !at_end(); ++at_) {
      if (peek() == '"') {
        ++at_;
        return out;
      }
      if (peek() != '\\') {
        out += peek();
        continue;
      }
      ++at_;
      if (!is_one_of("nt\"\\/")) throw SyntaxError("an escape that this stand-in does not read");
      out += peek() == 'n' ? '\n' : peek() == 't' ? '\t' : peek();
    }
    throw SyntaxError("unexpected end of JSON input");
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

class JsonReader : Reader {
 public:
  explicit JsonReader(std::string_view text) : Reader(text) {}

  Value read() {
    auto value = read_value();
    if (!at_end()) throw unexpected("after top-level value");
    return value;
  }

 private:
  [[nodiscard]] SyntaxError unexpected(const std::string& where) const {
    if (at_end()) return SyntaxError("unexpected end of JSON input");
    return SyntaxError("invalid character '" + std::string(1, peek()) + "' " + where);
  }

  void skip_blanks() {
    while (is_one_of(" \t\r\n")) ++at_;
  }

  Value read_value() {
    skip_blanks();
    Value value;
    if (peek() == '{' || peek() == '[') {
      value = read_collection(peek() == '{');
    } else if (peek() == '"') {
      value = string_value(read_double_quoted());
    } else {
      value = read_word();
    }
    skip_blanks();
    return value;
  }

  Value read_word() {
    static const std::regex legal(R"(null|true|false|-?\d+(\.\d+)?([eE][-+]?\d+)?)");
    const auto begin = at_;
    while (!at_end() && !is_one_of(" \t\r\n,]}:")) ++at_;
    std::string word(text_.substr(begin, at_ - begin));
    if (!std::regex_match(word, legal)) {
      at_ = begin;
      throw unexpected("looking for beginning of value");
    }
    return plain_scalar(std::move(word));
  }

  Value read_collection(bool is_map) {
    Value value;
    value.kind = is_map ? Value::Kind::kMap : Value::Kind::kList;
    const char close = is_map ? '}' : ']';
    ++at_;
    skip_blanks();
    if (peek() == close) {
      ++at_;
      return value;
    }
    while (true) {
      skip_blanks();
      std::string key;
      if (is_map) {
        if (peek() != '"') throw unexpected("looking for beginning of object key string");
        key = read_double_quoted();
        skip_blanks();
        if (peek() != ':') throw unexpected("after object key");
        ++at_;
      }
      auto item = read_value();
      if (is_map) {
        value.fields.push_back({std::move(key), std::move(item)});
      } else {
        value.items.push_back(std::move(item));
      }
      const char next = peek();
      if (next != close && next != ',') throw unexpected("after element");
      ++at_;
      if (next == close) return value;
    }
  }
};

/// Reads the first document of a YAML file; the others are ignored, as the kubelet ignores them.
class YamlReader : Reader {
 public:
  explicit YamlReader(std::string_view text) : Reader(text) {}

  Value read() {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    next_token();
    if (text_.substr(at_).starts_with("---")) at_ += 3;
    end_ = false;
    auto value = read_node(-1, false);
    if (next_token() >= 0) throw error("did not find expected key");
    return value;
  }

 private:
  [[nodiscard]] SyntaxError error(const std::string& what) const {
    std::size_t number = 1;
    for (const char byte : text_.substr(0, at_)) number += byte == '\n' ? 1U : 0U;
    return SyntaxError("error converting YAML to JSON: yaml: line " + std::to_string(number) +
                       ": " + what);
  }
  [[nodiscard]] bool at_line_start() const { return at_ == 0 || text_[at_ - 1] == '\n'; }
  [[nodiscard]] bool at_blank_or_end(std::size_t ahead) const {
    return at_ + ahead >= text_.size() || is_one_of(" \t\r\n", ahead);
  }
  [[nodiscard]] int column() const {
    const auto newline = at_ == 0 ? std::string_view::npos : text_.rfind('\n', at_ - 1);
    return static_cast<int>(newline == std::string_view::npos ? at_ : at_ - newline - 1);
  }

  // Moves to the next thing that is neither blank nor comment; its column, or -1 at the end of the
  // document.
  int next_token() {
    while (!end_ && !at_end()) {
      const auto rest = text_.substr(at_);
      if (at_line_start() && at_ > 0 && (rest.starts_with("---") || rest.starts_with("..."))) {
        end_ = true;
      } else if (peek() == '\t' && is_first_on_line() && !is_blank_line()) {
        throw error("found character that cannot start any token");
      } else if (is_one_of(" \t\r\n")) {
        ++at_;
      } else if (peek() == '#' && (at_line_start() || is_blank(text_[at_ - 1]))) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        return column();
      }
    }
    return -1;
  }
  static bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }
  [[nodiscard]] std::size_t indentation() const { return static_cast<std::size_t>(column()); }

  Value read_node(int parent, bool after_key) {
    const auto line_before = text_.substr(0, at_).rfind('\n');
    const int col = next_token();
    const bool same_line = text_.substr(0, at_).rfind('\n') == line_before;
    const bool item = peek() == '-' && at_blank_or_end(1);
    const bool outside = col < parent || (col == parent && !(after_key && item));
    if (col < 0 || (!same_line && outside)) return {};
    if (item) {
      if (after_key && same_line) throw error("block sequence entries are not allowed here");
      return read_sequence(col);
    }
    if (is_one_of("&*!|>%@`")) throw error("this stand-in does not read '" + rest_of_line() + "'");
    if (is_one_of("[{")) return read_flow();
    if (has_key_here()) {
      if (after_key && same_line) throw error("mapping values are not allowed in this context");
      return read_mapping(col);
    }
    return read_block_scalar(parent);
  }

  [[nodiscard]] std::string rest_of_line() const {
    return std::string(text_.substr(at_, text_.find_first_of("\r\n", at_) - at_));
  }

  bool has_key_here() {
    const auto start = at_;
    bool found = false;
    try {
      read_scalar_text(false);
      while (is_one_of(" \t")) ++at_;
      found = peek() == ':' && at_blank_or_end(1);
    } catch (const SyntaxError&) {
      found = false;
    }
    at_ = start;
    return found;
  }

  // The text of a scalar that is on one line. A plain one ends at ': ', ' #' or, in a flow
  // collection, at its punctuation.
  std::string read_scalar_text(bool in_flow) {
    if (peek() == '"') return read_double_quoted();
    std::string out;
    if (peek() == '\'') {
      for (++at_; !at_end(); ++at_) {
        if (peek() == '\'' && peek(1) != '\'') {
          ++at_;
          return out;
        }
        if (peek() == '\'') ++at_;
        out += peek();
      }
      throw error("found unexpected end of stream");
    }
    while (!at_end() && !is_one_of("\r\n")) {
      if (peek() == ':' && (at_blank_or_end(1) || (in_flow && is_one_of(",[]{}", 1)))) break;
      if (peek() == '#' && !out.empty() && is_blank(out.back())) break;
      if (in_flow && is_one_of(",[]{}")) break;
      out += peek();
      ++at_;
    }
    while (!out.empty() && is_blank(out.back())) out.pop_back();
    return out;
  }

  Value read_block_scalar(int parent) {
    const bool quoted = is_one_of("\"'");
    auto text = read_scalar_text(false);
    if (quoted) return string_value(std::move(text));
    // A plain scalar goes on over deeper lines, joined by blanks.
    while (next_token() > parent && !has_key_here() && !is_one_of("#")) {
      if (!is_first_on_line()) throw error("did not find expected key");
      text += " " + read_scalar_text(false);
    }
    return plain_scalar(std::move(text));
  }
  [[nodiscard]] bool is_blank_line() const {
    const auto token = text_.find_first_not_of(" \t\r", at_);
    return token == std::string_view::npos || text_[token] == '\n' || text_[token] == '#';
  }
  [[nodiscard]] bool is_first_on_line() const {
    const auto indent = text_.substr(at_ - indentation(), indentation());
    return indent.find_first_not_of(" \t") == std::string_view::npos;
  }

  Value read_sequence(int col) {
    Value list;
    list.kind = Value::Kind::kList;
    while (next_token() == col && peek() == '-' && at_blank_or_end(1)) {
      ++at_;
      list.items.push_back(read_node(col, false));
    }
    if (next_token() > col) throw error("did not find expected '-' indicator");
    return list;
  }

  Value read_mapping(int col) {
    Value map;
    map.kind = Value::Kind::kMap;
    while (next_token() == col && !(peek() == '-' && at_blank_or_end(1))) {
      auto key = read_scalar_text(false);
      while (is_one_of(" \t")) ++at_;
      if (peek() != ':') throw error("could not find expected ':'");
      ++at_;
      map.fields.push_back({std::move(key), read_node(col, true)});
    }
    if (next_token() > col) throw error("did not find expected key");
    return map;
  }

  Value read_flow() {
    Value value;
    const bool is_map = peek() == '{';
    const char close = is_map ? '}' : ']';
    value.kind = is_map ? Value::Kind::kMap : Value::Kind::kList;
    ++at_;
    while (true) {
      if (next_token() < 0)
        throw error("did not find expected ',' or '" + std::string(1, close) + "'");
      if (peek() == close) break;
      const bool quoted = is_one_of("\"'");
      if (is_one_of("&*!|>%@`"))
        throw error("this stand-in does not read '" + rest_of_line() + "'");
      auto item = is_one_of("[{") ? read_flow() : string_value(read_scalar_text(true));
      if (item.kind == Value::Kind::kString && !quoted) item = plain_scalar(item.text);
      next_token();
      if (is_map) {
        std::string key = item.text;
        item = {};
        if (peek() == ':') {
          ++at_;
          next_token();
          const bool value_quoted = is_one_of("\"'");
          item = is_one_of("[{") ? read_flow() : string_value(read_scalar_text(true));
          if (item.kind == Value::Kind::kString && !value_quoted) item = plain_scalar(item.text);
        }
        value.fields.push_back({std::move(key), std::move(item)});
      } else {
        value.items.push_back(std::move(item));
      }
      next_token();
      if (peek() == ',') {
        ++at_;
      } else if (peek() != close) {
        throw error("did not find expected ',' or '" + std::string(1, close) + "'");
      }
    }
    ++at_;
    return value;
  }

  bool end_ = false;
};

}  // namespace fake_kubelet
