// SPDX-License-Identifier: Apache-2.0
// Reads YAML into events, and refuses what go-yaml refuses and yaml-cpp lets pass.
#include <algorithm>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "kubelet_config_parts.hpp"

namespace kubelet_sysctl::config_parts {
namespace {

// Up to here yaml-cpp reads every file, so that what users have is judged by a whole parser.
constexpr std::size_t kLarge = 32768;

/// Collects what yaml-cpp reports of the first document, and counts the rest.
class Collector final : public YAML::EventHandler {
 public:
  Collector(std::string_view bytes, Tree& tree)
      : bytes_(bytes),
        // yaml-cpp does not count a byte order mark in `pos`.
        base_(bytes.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0),
        tree_(tree) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    ++seen_;
    begin_ = offset(mark);
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (seen_ > 1 && anchor == 0 && depth_ == 0) return;  // a trailing `---`
    push(EventKind::kNull, mark, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    push(EventKind::kAlias, mark, anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    push(EventKind::kScalar, mark, anchor, tag, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    push(EventKind::kSequenceStart, mark, anchor, tag, {}, style == YAML::EmitterStyle::Flow);
    ++depth_;
  }
  void OnSequenceEnd() override { pop(EventKind::kSequenceEnd); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    push(EventKind::kMapStart, mark, anchor, tag, {}, style == YAML::EmitterStyle::Flow);
    ++depth_;
  }
  void OnMapEnd() override { pop(EventKind::kMapEnd); }

  [[nodiscard]] std::size_t offset(const YAML::Mark& mark) const {
    if (mark.pos < 0) return 0;
    return std::min(bytes_.size(), base_ + static_cast<std::size_t>(mark.pos));
  }
  [[nodiscard]] std::size_t begin() const { return begin_; }
  /// A document after the first that holds anything.
  void count_another() {
    if (tree_.documents++ == 1) tree_.second_at = begin_;
  }

 private:
  void push(EventKind kind, const YAML::Mark& mark, YAML::anchor_t anchor,
            const std::string& tag = {}, const std::string& text = {}, bool flow = false) {
    if (seen_ > 1) {
      if (depth_ == 0) count_another();
      return;
    }
    const std::size_t at = offset(mark);
    // yaml-cpp gives the non-specific tag "!" to a scalar in quotes or of a block, "?" to the rest.
    tree_.events.push_back({.kind = kind,
                            .quoted = tag == "!",
                            .flow = flow,
                            .anchor = static_cast<std::uint32_t>(anchor),
                            .at = {at, at},
                            .text = text,
                            .tag = tag == "!" || tag == "?" ? std::string() : tag});
  }
  void pop(EventKind kind) {
    --depth_;
    if (seen_ == 1) tree_.events.push_back({.kind = kind});
  }

  std::string_view bytes_;
  std::size_t base_;
  Tree& tree_;
  std::size_t seen_ = 0;
  std::size_t depth_ = 0;
  std::size_t begin_ = 0;
};

constexpr std::string_view kBadToken = "found character that cannot start any token";

Error yaml_error(std::string_view bytes, std::size_t at, std::string_view what) {
  return error_in(ErrorKind::kMalformed, bytes, {at, at},
                  fmt::format("a kubelet cannot read this YAML: {}", what));
}

Error tab_error(std::string_view bytes, std::size_t at) {
  return error_in(ErrorKind::kMalformed, bytes, {at, at},
                  fmt::format("a kubelet cannot read this YAML: {}", kBadToken),
                  "indent with blanks: YAML forbids tabs there");
}

/// go-yaml's reader forbids these characters; yaml-cpp takes 0x04 for the end of the file.
/// Source: gopkg.in/yaml.v2 readerc.go, yaml_parser_update_buffer.
std::optional<Error> forbidden_character(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const bool control =
        (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
    const bool c1 = byte == 0xC2 && i + 1 < bytes.size() &&
                    static_cast<unsigned char>(bytes[i + 1]) < 0xA0 && bytes[i + 1] != '\x85';
    if (control || c1) return yaml_error(bytes, i, "control characters are not allowed");
  }
  return std::nullopt;
}

/// A tab where go-yaml lets none stand: before the first token of a line, or after `-` or `?`, in
/// block context. yaml-cpp eats both. Source: yaml.v2 scannerc.go, yaml_parser_scan_to_next_token.
std::optional<Error> forbidden_tab(std::string_view bytes, const Events& events) {
  std::vector<bool> open;  // is the collection a flow one?
  std::size_t flows = 0;
  for (const Event& event : events) {
    const bool starts =
        event.kind == EventKind::kSequenceStart || event.kind == EventKind::kMapStart;
    const bool ends = event.kind == EventKind::kSequenceEnd || event.kind == EventKind::kMapEnd;
    std::size_t at = event.at.begin;
    if (!ends && event.kind != EventKind::kNull && flows == 0 && at > 0 && at < bytes.size() &&
        bytes[at - 1] == '\t') {
      while (at > 0 && (bytes[at - 1] == ' ' || bytes[at - 1] == '\t')) --at;
      if (at == 0 || bytes[at - 1] == '\n' || bytes[at - 1] == '-' || bytes[at - 1] == '?') {
        return tab_error(bytes, bytes.find('\t', at));
      }
    }
    if (starts) {
      open.push_back(event.flow);
      if (event.flow) ++flows;
    } else if (ends) {
      if (open.back()) --flows;
      open.pop_back();
    }
  }
  return std::nullopt;
}

/// A line of blanks, or a comment, that begins with a tab: fatal to go-yaml outside of scalars and
/// brackets. Looked for only where the event before it is a block collection's plain scalar.
std::optional<Error> forbidden_tab_line(std::string_view bytes, const Events& events) {
  std::size_t next = 0;
  std::size_t flows = 0;
  std::vector<bool> open;
  const Event* before = nullptr;
  for (std::size_t at = bytes.find('\t'); at != std::string_view::npos;
       at = bytes.find('\t', next_line_at(bytes, at))) {
    const std::size_t begin = line_begin_at(bytes, at);
    if (!is_blank(bytes.substr(begin, at - begin)) || !rest_is_comment(bytes, at)) continue;
    for (; next < events.size(); ++next) {
      const Event& event = events[next];
      if (event.kind == EventKind::kSequenceEnd || event.kind == EventKind::kMapEnd) {
        if (open.back()) --flows;
        open.pop_back();
        continue;
      }
      if (event.kind == EventKind::kNull) continue;
      if (event.at.begin > at) break;
      if (event.kind == EventKind::kSequenceStart || event.kind == EventKind::kMapStart) {
        open.push_back(event.flow);
        if (event.flow) ++flows;
      }
      before = &event;
    }
    const bool plain = before != nullptr && before->kind == EventKind::kScalar && !before->quoted &&
                       before->tag.empty();
    if (plain && flows == 0) return tab_error(bytes, at);
  }
  return std::nullopt;
}

/// A quote that is never closed: yaml-cpp takes the end of the file for its end.
std::optional<Error> open_quote(std::string_view bytes, const Events& events) {
  for (const Event& event : events) {
    if (!event.quoted || event.kind != EventKind::kScalar) continue;
    const std::size_t begin = event.at.begin;
    const char quote = begin < bytes.size() ? bytes[begin] : '\0';
    if (quote != '"' && quote != '\'') continue;
    std::size_t end = begin + 1;
    while (end < bytes.size()) {
      const bool doubled = quote == '\'' && bytes.substr(end, 2) == "''";
      if (bytes[end] == quote && !doubled) break;
      end += doubled || (quote == '"' && bytes[end] == '\\') ? 2U : 1U;
    }
    if (end >= bytes.size()) return yaml_error(bytes, begin, "found unexpected end of stream");
  }
  return std::nullopt;
}

Error syntax_error(std::string_view bytes, const Collector& collector,
                   const YAML::Exception& caught) {
  const std::size_t at = collector.offset(caught.mark);
  const std::size_t begin = line_begin_at(bytes, at);
  const std::string_view indent =
      bytes.substr(begin, bytes.find_first_not_of(" \t", begin) - begin);
  if (const std::size_t tab = indent.find('\t'); tab != std::string_view::npos) {
    return tab_error(bytes, begin + tab);
  }
  // The words of go-yaml, where a person may search for them.
  if (at < bytes.size() && bytes[at] == '*') {
    const std::size_t end = bytes.find_first_of(" \t\r\n,]}", at);
    const std::string_view name =
        bytes.substr(at + 1, end == std::string_view::npos ? std::string_view::npos : end - at - 1);
    return error_in(
        ErrorKind::kMalformed, bytes, {at, at + 1 + name.size()},
        fmt::format("a kubelet cannot read this YAML: unknown anchor '{}' referenced", name));
  }
  return yaml_error(bytes, at, caught.msg);
}

/// What go-yaml refuses and yaml-cpp has let pass.
Result<Tree> finished(std::string_view bytes, Tree tree) {
  if (auto error = open_quote(bytes, tree.events)) return std::move(*error);
  if (auto error = forbidden_tab(bytes, tree.events)) return std::move(*error);
  if (auto error = forbidden_tab_line(bytes, tree.events)) return std::move(*error);
  return tree;
}

}  // namespace

Result<Tree> yaml_tree(std::string_view bytes) {
  if (auto error = forbidden_character(bytes)) return std::move(*error);
  Tree tree;
  if (bytes.size() > kLarge) {
    if (auto events = plain_yaml_events(bytes)) {
      tree.events = std::move(*events);
      return tree;
    }
  }
  Collector collector(bytes, tree);
  std::istringstream stream{std::string(bytes)};
  YAML::Parser parser;
  try {
    parser.Load(stream);
    if (!parser.HandleNextDocument(collector)) return tree;
  } catch (const YAML::DeepRecursion& caught) {
    const std::size_t at = collector.offset(caught.mark);
    return error_in(ErrorKind::kUnsupported, bytes, {at, at},
                    "will not read a file that is nested this deeply");
  } catch (const YAML::Exception& caught) {
    return syntax_error(bytes, collector, caught);
  }
  // go-yaml never looks at what follows the first document, so nothing there is an error.
  try {
    for (std::size_t last = kNone; collector.begin() != last;) {
      last = collector.begin();
      if (!parser.HandleNextDocument(collector)) return finished(bytes, std::move(tree));
    }
    collector.count_another();  // yaml-cpp met what it cannot read, and stays there
  } catch (const YAML::Exception&) {
    collector.count_another();
  }
  return finished(bytes, std::move(tree));
}

}  // namespace kubelet_sysctl::config_parts
