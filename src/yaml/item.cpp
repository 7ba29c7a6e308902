// SPDX-License-Identifier: Apache-2.0
// The bytes of list items that are more than a word: an edit leaves them as they are.
#include <algorithm>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::yaml {
namespace {

bool is_space(char byte) { return byte == ' ' || byte == '\t'; }

/// The end of the token that begins at `at`: a blank, a line end, or what ends an item in brackets.
std::size_t token_end(std::string_view bytes, std::size_t at) {
  return std::min(bytes.find_first_of(" \t\r\n,]}", at), bytes.size());
}

/// `&anchor !tag text` where all of it is on one line and nothing but a comment follows.
std::optional<Span> marked_span(std::string_view bytes, std::size_t begin) {
  std::size_t at = begin;
  while (at < bytes.size() && (bytes[at] == '&' || bytes[at] == '!')) {
    at = std::min(bytes.find_first_of(" \t\r\n", at), bytes.size());
    while (at < bytes.size() && is_space(bytes[at])) ++at;
  }
  if (at == begin || at >= bytes.size()) return std::nullopt;
  if (std::string_view("\"'|>*[{\r\n").find(bytes[at]) != std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t end = token_end(bytes, at);
  if (!rest_is_comment(bytes, end)) return std::nullopt;
  return Span{begin, end};
}

/// `- |` with the lines below it that stand further in than the dash. Source: YAML 1.1, 9.1.
std::optional<Span> block_scalar_span(std::string_view bytes, std::size_t begin) {
  const std::size_t line = line_begin_at(bytes, begin);
  const std::size_t dash = bytes.find_first_not_of(' ', line);
  if (dash >= begin || bytes[dash] != '-') return std::nullopt;
  std::size_t end = line_text_end(bytes, begin);
  for (std::size_t next = next_line_at(bytes, begin); next < bytes.size();
       next = next_line_at(bytes, next)) {
    const std::size_t text = line_text_end(bytes, next);
    if (is_blank(bytes.substr(next, text - next))) continue;
    if (bytes.find_first_not_of(' ', next) - next <= dash - line) break;
    end = text;
  }
  return Span{begin, end};
}

}  // namespace

std::optional<Span> yaml_whole_span(std::string_view bytes, const Event& item) {
  const std::size_t begin = item.at.begin;
  if (begin >= bytes.size()) return std::nullopt;
  if (item.kind == EventKind::kAlias) return Span{begin, token_end(bytes, begin)};
  if (item.kind != EventKind::kScalar && item.kind != EventKind::kNull) return std::nullopt;
  if (bytes[begin] == '|' || bytes[begin] == '>') return block_scalar_span(bytes, begin);
  return marked_span(bytes, begin);
}

}  // namespace kubelet_sysctl::yaml
