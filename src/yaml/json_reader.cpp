// SPDX-License-Identifier: Apache-2.0
// JSON: strict reading by nlohmann::json, the bytes of each token by a scanner of our own.
#include "kubelet_sysctl/yaml/events.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "kubelet_sysctl/base/error.hpp"

namespace kubelet_sysctl::yaml {
namespace {

using Json = nlohmann::json;

/// Collects events; nlohmann's parser keeps its own stack, so depth costs no recursion.
class Collector final : public nlohmann::json_sax<Json> {
 public:
  explicit Collector(Events& events) : events_(events) {}

  bool null() override { return push(EventKind::kNull); }
  bool boolean(bool) override { return push(EventKind::kScalar); }
  bool number_integer(number_integer_t) override { return push(EventKind::kScalar); }
  bool number_unsigned(number_unsigned_t) override { return push(EventKind::kScalar); }
  bool number_float(number_float_t, const string_t&) override { return push(EventKind::kScalar); }
  bool string(string_t&) override { return push(EventKind::kScalar, true); }
  bool key(string_t&) override { return push(EventKind::kScalar, true); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return push(EventKind::kMapStart); }
  bool end_object() override { return push(EventKind::kMapEnd); }
  bool start_array(std::size_t) override { return push(EventKind::kSequenceStart); }
  bool end_array() override { return push(EventKind::kSequenceEnd); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& caught) override {
    error_at_ = position;
    error_ = caught.what();
    return false;
  }

  [[nodiscard]] std::size_t error_at() const { return error_at_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  bool push(EventKind kind, bool quoted = false) {
    const bool collection = kind == EventKind::kMapStart || kind == EventKind::kSequenceStart;
    events_.push_back({.kind = kind, .quoted = quoted, .flow = collection});
    return true;
  }

  Events& events_;
  std::size_t error_at_ = 0;
  std::string error_;
};

/// What a token stands for; most are in the file as they are meant.
std::string_view meaning_of(std::string_view token, Tree& tree) {
  if (token == "-0") return token.substr(1);
  if (!token.starts_with('"')) return token;
  if (token.find('\\') == std::string_view::npos) return token.substr(1, token.size() - 2);
  tree.decoded.push_back(Json::parse(token).get<std::string>());
  return tree.decoded.back();
}

/// The tokens of valid JSON are in the order of its events: one pass gives each event its bytes.
void place(std::string_view bytes, Tree& tree) {
  std::size_t at = 0;
  for (Event& event : tree.events) {
    at = bytes.find_first_not_of(" \t\r\n,:", at);
    if (at == std::string_view::npos) bug("fewer JSON tokens than events");
    std::size_t end = at + 1;
    if (bytes[at] == '"') {
      while (bytes[end] != '"') end += bytes[end] == '\\' ? 2U : 1U;
      ++end;
    } else if (event.kind == EventKind::kScalar || event.kind == EventKind::kNull) {
      end = std::min(bytes.find_first_of(" \t\r\n,:]}", at), bytes.size());
    }
    event.at = {at, end};
    if (event.kind == EventKind::kScalar) event.text = meaning_of(bytes.substr(at, end - at), tree);
    at = end;
  }
}

Error syntax_error(std::string_view bytes, const Collector& collector,
                   const Introductions& introductions) {
  // nlohmann counts the bytes that it has read, the offending one included.
  const std::size_t at = std::min(std::max<std::size_t>(collector.error_at(), 1) - 1, bytes.size());
  std::string_view what = collector.error();
  if (what.find("expected end of input") != std::string_view::npos && at < bytes.size()) {
    return error_in(ErrorKind::kMalformed, bytes, {at, at},
                    fmt::format("{}invalid character '{}' after top-level value",
                                introductions.json, bytes[at]));
  }
  if (const std::size_t colon = what.find(": "); colon != std::string_view::npos) {
    what.remove_prefix(colon + 2);
  }
  return error_in(ErrorKind::kMalformed, bytes, {at, at},
                  fmt::format("{}{}", introductions.json_syntax, what),
                  "a file whose first byte is '{' must be JSON, not YAML");
}

}  // namespace

Result<Tree> json_tree(std::string_view bytes, const Introductions& introductions) {
  Tree tree;
  tree.format = ConfigFormat::kJson;
  // Each of these begins one node at most; in a text that people read they are few.
  const auto nodes = std::count_if(bytes.begin(), bytes.end(), [](char byte) {
    return byte == ',' || byte == ':' || byte == '[' || byte == '{';
  });
  if (is_too_dense(static_cast<std::size_t>(nodes), bytes.size())) return dense_error();
  Collector collector(tree.events);
  if (!Json::sax_parse(bytes, &collector)) return syntax_error(bytes, collector, introductions);
  place(bytes, tree);
  return tree;
}

std::string json_written(std::string_view entry) {
  std::string out = "\"";
  for (const char byte : entry) {
    const auto value = static_cast<unsigned char>(byte);
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += byte;
    } else if (value < 0x20 || value == 0x7F) {
      out += fmt::format("\\u{:04x}", value);
    } else {
      out += byte;
    }
  }
  return out + '"';
}

}  // namespace kubelet_sysctl::yaml
