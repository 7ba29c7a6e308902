// SPDX-License-Identifier: Apache-2.0
// Lists in brackets, of YAML and of JSON, and the lines that lists are on.
#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::yaml {
namespace {

/// Past blanks, line ends and comments. A `#` inside a string never comes here: items are jumped.
std::size_t skip_space(std::string_view bytes, std::size_t at, bool& comments) {
  while (at < bytes.size()) {
    if (is_whitespace(bytes[at])) {
      ++at;
    } else if (bytes[at] == '#' && at > 0 && is_whitespace(bytes[at - 1])) {
      comments = true;
      at = line_text_end(bytes, at);
    } else {
      break;
    }
  }
  return at;
}

/// Every item on a line of its own, with its comma and perhaps a comment.
bool on_own_lines(std::string_view bytes, const FlowList& list) {
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const std::size_t begin = line_begin_at(bytes, list.items[i].begin);
    if (begin <= list.brackets.begin) return false;
    if (!is_blank(bytes.substr(begin, list.items[i].begin - begin))) return false;
    const std::size_t comma = list.commas[i];
    std::size_t end = list.items[i].end;
    if (comma != kNone) {
      if (comma >= line_text_end(bytes, end)) return false;
      end = comma + 1;
    }
    if (!rest_is_comment(bytes, end)) return false;
  }
  return !list.items.empty();
}

/// The last kept item, or kNone.
std::size_t last_kept(const ListChange& change) {
  for (std::size_t i = change.keep.size(); i > 0; --i) {
    if (change.keep[i - 1]) return i - 1;
  }
  return kNone;
}

std::vector<Splice> own_line_splices(std::string_view bytes, const FlowList& list,
                                     const ListChange& change) {
  std::vector<Splice> splices;
  const bool trailing = list.commas.back() != kNone;
  const std::size_t last = last_kept(change);
  const std::size_t last_added = change.added.empty() ? kNone - 1 : change.added.back().after;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const std::size_t line = line_begin_at(bytes, list.items[i].begin);
    if (!change.keep[i]) {
      if (last == kNone && i == 0 && !change.added.empty()) continue;  // replaced below
      splices.push_back({{line, next_line_at(bytes, line)}, ""});
      continue;
    }
    const bool comma = trailing || i != last || last == last_added;
    if (comma && list.commas[i] == kNone) {
      splices.push_back({{list.items[i].end, list.items[i].end}, ","});
    } else if (!comma && list.commas[i] != kNone) {
      splices.push_back({{list.commas[i], list.commas[i] + 1}, ""});
    }
  }
  for (const ListChange::Added& added : change.added) {
    const bool ends = added.after == last;  // also when nothing is kept
    const std::size_t by = added.after != kNone ? added.after : 0;
    const std::size_t begin = line_begin_at(bytes, list.items[by].begin);
    const std::string indent(bytes.substr(begin, list.items[by].begin - begin));
    const std::string newline(newline_of(bytes, begin));
    const std::string text = joined(added.texts, fmt::format(",{}{}", newline, indent));
    if (last == kNone) {
      const Span line = {list.items[0].begin, line_text_end(bytes, begin)};
      splices.push_back({line, text + (trailing ? "," : "")});
    } else if (added.after == kNone) {
      splices.push_back({{begin, begin}, fmt::format("{}{},{}", indent, text, newline)});
    } else {
      const std::size_t end = line_text_end(bytes, begin);
      splices.push_back(
          {{end, end},
           fmt::format("{}{}{}{}", newline, indent, text, ends && !trailing ? "" : ",")});
    }
  }
  return splices;
}

/// What is between two items: as between the first two, if that is no more than blanks.
std::string separator_of(std::string_view bytes, const FlowList& list, std::string_view fallback) {
  if (list.items.size() < 2) return std::string(fallback);
  const Span gap = {list.items[0].end, list.items[1].begin};
  const std::string_view between = bytes.substr(gap.begin, gap.size());
  const bool plain = between.find_first_not_of(" ,") == std::string_view::npos;
  return std::string(plain ? between : fallback);
}

std::vector<Splice> inline_splices(const FlowList& list, const ListChange& change,
                                   const std::string& separator) {
  std::vector<Splice> splices;
  const std::size_t count = list.items.size();
  std::size_t previous = kNone;  // the kept item before a run of removed ones
  for (std::size_t i = 0; i < count; ++i) {
    if (change.keep[i]) {
      previous = i;
      continue;
    }
    std::size_t next = i;
    while (next < count && !change.keep[next]) ++next;
    if (next < count) {
      splices.push_back({{list.items[i].begin, list.items[next].begin}, ""});
    } else if (previous != kNone) {
      splices.push_back({{list.items[previous].end, list.items[count - 1].end}, ""});
    }
    i = next - 1;
  }
  for (const ListChange::Added& added : change.added) {
    const std::string text = joined(added.texts, separator);
    if (added.after != kNone) {
      const std::size_t end = list.items[added.after].end;
      splices.push_back({{end, end}, separator + text});
    } else if (previous != kNone) {
      const std::size_t begin = list.items[0].begin;
      splices.push_back({{begin, begin}, text + separator});
    } else {
      splices.push_back({{list.items[0].begin, list.items[count - 1].end}, text});
    }
  }
  return splices;
}

/// No item stays: `[]`. A single padding does, so that an addition to `[ ]` can be undone.
Splice emptied(const FlowList& list) {
  const Span inner = {list.brackets.begin + 1, list.brackets.end - 1};
  const std::size_t comma = list.commas.back();
  const Span items = {list.items[0].begin, comma == kNone ? list.items.back().end : comma + 1};
  const bool padded = items.begin > inner.begin && items.end < inner.end;
  return {padded ? inner : items, ""};
}

}  // namespace

bool ListChange::keeps_any() const {
  return std::find(keep.begin(), keep.end(), true) != keep.end();
}

std::optional<FlowList> find_flow_list(std::string_view bytes, std::size_t open,
                                       std::vector<Span> items) {
  if (open >= bytes.size() || bytes[open] != '[') return std::nullopt;
  FlowList list;
  list.commas.assign(items.size(), kNone);
  std::size_t at = skip_space(bytes, open + 1, list.comments);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (at != items[i].begin || items[i].end < items[i].begin) return std::nullopt;
    at = skip_space(bytes, items[i].end, list.comments);
    if (at < bytes.size() && bytes[at] == ',') {
      list.commas[i] = at;
      at = skip_space(bytes, at + 1, list.comments);
    } else if (i + 1 < items.size()) {
      return std::nullopt;
    }
  }
  if (at >= bytes.size() || bytes[at] != ']') return std::nullopt;
  list.brackets = {open, at + 1};
  list.items = std::move(items);
  return list;
}

std::optional<std::vector<Splice>> flow_splices(std::string_view bytes, const FlowList& list,
                                                const ListChange& change,
                                                std::string_view separator) {
  if (list.items.empty()) {
    std::vector<Splice> splices;
    const std::size_t inside = list.brackets.begin + 1;
    for (const ListChange::Added& added : change.added) {
      splices.push_back({{inside, inside}, joined(added.texts, separator)});
    }
    return splices;
  }
  const bool own_lines = on_own_lines(bytes, list);
  const bool removes =
      std::find(change.keep.begin(), change.keep.end(), false) != change.keep.end();
  if (!own_lines && list.comments && removes) return std::nullopt;
  if (!list.comments && change.added.empty() && !change.keeps_any()) {
    return std::vector<Splice>{emptied(list)};
  }
  if (own_lines) return own_line_splices(bytes, list, change);
  return inline_splices(list, change, separator_of(bytes, list, separator));
}

std::size_t line_begin_at(std::string_view bytes, std::size_t offset) {
  if (offset == 0) return 0;
  const std::size_t newline = bytes.rfind('\n', offset - 1);
  return newline == std::string_view::npos ? 0 : newline + 1;
}

std::size_t line_text_end(std::string_view bytes, std::size_t offset) {
  const std::size_t newline = bytes.find('\n', offset);
  if (newline == std::string_view::npos) return bytes.size();
  return newline > offset && bytes[newline - 1] == '\r' ? newline - 1 : newline;
}

std::size_t next_line_at(std::string_view bytes, std::size_t offset) {
  const std::size_t newline = bytes.find('\n', offset);
  return newline == std::string_view::npos ? bytes.size() : newline + 1;
}

std::string_view newline_of(std::string_view bytes, std::size_t offset) {
  std::size_t newline = bytes.find('\n', offset);
  if (newline == std::string_view::npos) newline = bytes.find('\n');
  const bool carriage =
      newline != std::string_view::npos && newline > 0 && bytes[newline - 1] == '\r';
  return carriage ? "\r\n" : "\n";
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

bool rest_is_comment(std::string_view bytes, std::size_t offset) {
  const std::size_t end = line_text_end(bytes, offset);
  const std::string_view rest = bytes.substr(offset, end - offset);
  const std::size_t first = rest.find_first_not_of(" \t");
  return first == std::string_view::npos || (first > 0 && rest[first] == '#');
}

}  // namespace kubelet_sysctl::yaml
