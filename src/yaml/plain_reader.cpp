// SPDX-License-Identifier: Apache-2.0
// Reads YAML that is written as plainly as tools write it: block mappings and sequences of scalars
// on one line each. It gives the same events as libyaml, which the fuzz target holds it to, and
// hands back everything else: libyaml takes several times as long.
#include <utility>

#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::yaml {
namespace {

// Far below the depth at which the reader of whole YAML gives up (500), and above what any configuration has.
constexpr std::size_t kMaxDepth = 64;
// A key must end within 1024 bytes to be one (YAML 1.1, 7.4.2).
constexpr std::size_t kMaxKey = 1000;

bool is_alnum(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9');
}

bool is_word(char byte) {
  return is_alnum(byte) || std::string_view("._/-*").find(byte) != std::string_view::npos;
}

class PlainReader {
 public:
  explicit PlainReader(std::string_view bytes) : bytes_(bytes) {}

  std::optional<Events> read() {
    std::size_t at = bytes_.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    bool first = true;
    while (at < bytes_.size()) {
      const std::size_t begin = at;
      const std::size_t end = line_text_end(bytes_, begin);
      at = next_line_at(bytes_, begin);
      const std::string_view line = bytes_.substr(begin, end - begin);
      if (line.find('\r') != std::string_view::npos) return std::nullopt;
      const std::size_t column = line.find_first_not_of(' ');
      if (column == std::string_view::npos || line[column] == '#') continue;
      if (std::exchange(first, false) && line == "---") continue;
      if (column == 0 && (line.starts_with("---") || line.starts_with("..."))) return std::nullopt;
      if (is_too_dense(events_.size(), begin)) return std::nullopt;  // the other reader says so
      line_begin_ = begin;
      line_ = line;
      if (!read_line(column)) return std::nullopt;
    }
    if (open_.empty()) return std::nullopt;
    settle(0);
    while (!open_.empty()) close();
    return std::move(events_);
  }

 private:
  struct Open {
    bool sequence;
    std::size_t column;
  };

  void push(EventKind kind, std::size_t column, std::string_view text = {}, bool quoted = false) {
    const std::size_t at = line_begin_ + column;
    events_.push_back({.kind = kind, .quoted = quoted, .at = {at, at}, .text = text});
  }

  void close() {
    push(open_.back().sequence ? EventKind::kSequenceEnd : EventKind::kMapEnd, 0);
    open_.pop_back();
  }

  bool open(bool sequence, std::size_t column) {
    if (open_.size() == kMaxDepth) return false;
    push(sequence ? EventKind::kSequenceStart : EventKind::kMapStart, column);
    open_.push_back({sequence, column});
    pending_ = false;
    return true;
  }

  /// A value that was awaited did not come.
  void settle(std::size_t column) {
    if (std::exchange(pending_, false)) push(EventKind::kNull, column);
  }

  bool read_line(std::size_t column) {
    const bool entry =
        line_[column] == '-' && (column + 1 == line_.size() || line_[column + 1] == ' ');
    return entry ? read_entry(column) : read_pair(column);
  }

  bool read_entry(std::size_t column) {
    if (open_.empty()) return false;
    if (pending_) {
      const Open& parent = open_.back();
      const bool opens = column > parent.column || (column == parent.column && !parent.sequence);
      if (opens) {
        if (parent.sequence || !open(true, column)) return false;
      } else {
        settle(column);
      }
    }
    while (!open_.empty() && open_.back().column > column) close();
    if (open_.empty() || !open_.back().sequence || open_.back().column != column) return false;
    const std::size_t inner = line_.find_first_not_of(' ', column + 1);
    if (inner == std::string_view::npos || line_[inner] == '#') {
      pending_ = true;
      return true;
    }
    if (line_[inner] == '-' && (inner + 1 == line_.size() || line_[inner + 1] == ' ')) return false;
    return read_item(inner);
  }

  /// What follows `- `: a scalar, or the first pair of a mapping.
  bool read_item(std::size_t column) {
    std::size_t end = column;
    Event scalar;
    if (!scan(end, scalar)) return false;
    if (end == line_.size() || line_[end] != ':') {
      if (!ends_at(end)) return false;
      events_.push_back(std::move(scalar));
      return true;
    }
    return open(false, column) && read_value(column, end, std::move(scalar));
  }

  bool read_pair(std::size_t column) {
    if (open_.empty() && (column != 0 || !open(false, 0))) return false;
    if (pending_ && column > open_.back().column) {
      if (!open(false, column)) return false;
    } else {
      settle(column);
    }
    while (!open_.empty() && (open_.back().column > column ||
                              (open_.back().column == column && open_.back().sequence))) {
      close();
    }
    if (open_.empty() || open_.back().column != column) return false;
    std::size_t end = column;
    Event key;
    if (!scan(end, key) || end == line_.size() || line_[end] != ':') return false;
    return read_value(column, end, std::move(key));
  }

  /// The rest of a pair whose colon stands at `colon`.
  bool read_value(std::size_t column, std::size_t colon, Event key) {
    if (colon - column > kMaxKey || key.kind != EventKind::kScalar) return false;
    events_.push_back(std::move(key));
    std::size_t at = colon + 1;
    if (at < line_.size() && line_[at] != ' ') return false;
    at = line_.find_first_not_of(' ', at);
    if (at == std::string_view::npos || line_[at] == '#') {
      pending_ = true;
      return true;
    }
    if (line_[at] == '[') return read_flow(at);
    if (line_.substr(at, 2) == "{}") {
      push(EventKind::kMapStart, at);
      events_.back().flow = true;
      push(EventKind::kMapEnd, at);
      return ends_at(at + 2);
    }
    Event value;
    if (!scan(at, value) || !ends_at(at)) return false;
    events_.push_back(std::move(value));
    return true;
  }

  /// A list in brackets whose items are words, or words in quotes.
  bool read_flow(std::size_t at) {
    push(EventKind::kSequenceStart, at++);
    events_.back().flow = true;
    for (bool first = true;; first = false) {
      at = line_.find_first_not_of(' ', at);
      if (at == std::string_view::npos) return false;
      if (line_[at] == ']' && first) break;
      if (!scan_flow_item(at) || is_too_dense(events_.size(), line_begin_ + at)) return false;
      at = line_.find_first_not_of(' ', at);
      if (at == std::string_view::npos || (line_[at] != ',' && line_[at] != ']')) return false;
      if (line_[at] == ']') break;
      ++at;
    }
    push(EventKind::kSequenceEnd, at);
    return ends_at(at + 1);
  }

  bool scan_flow_item(std::size_t& at) {
    Event item;
    if (line_[at] == '"' || line_[at] == '\'') {
      if (!scan(at, item)) return false;
      events_.push_back(std::move(item));
      return true;
    }
    const std::size_t begin = at;
    if (!is_alnum(line_[at])) return false;
    while (at < line_.size() && is_word(line_[at])) ++at;
    const std::string_view text = line_.substr(begin, at - begin);
    const bool null = is_null_word(text);
    push(null ? EventKind::kNull : EventKind::kScalar, begin, null ? std::string_view() : text);
    return true;
  }

  /// True when blanks, or blanks and a comment, are all that follows.
  [[nodiscard]] bool ends_at(std::size_t at) const {
    const std::size_t next = line_.find_first_not_of(' ', at);
    return next == std::string_view::npos || (line_[next] == '#' && next > at);
  }

  /// The scalar at `at`, which moves to its end: a colon that makes it a key, or what follows it.
  bool scan(std::size_t& at, Event& scalar) {
    const std::size_t begin = at;
    const char first = line_[at];
    std::string_view text;
    if (first == '"' || first == '\'') {
      const std::size_t end = line_.find(first, at + 1);
      if (end == std::string_view::npos) return false;
      text = line_.substr(at + 1, end - at - 1);
      at = end + 1;
      if (at < line_.size() && line_[at] == first) return false;
      if (text.find('\\') != std::string_view::npos) return false;
    } else {
      if (!scan_plain(at)) return false;
      text = line_.substr(begin, at - begin);
    }
    const bool quoted = first == '"' || first == '\'';
    const std::size_t place = line_begin_ + begin;
    const bool null = !quoted && is_null_word(text);
    scalar = {.kind = null ? EventKind::kNull : EventKind::kScalar,
              .quoted = quoted,
              .at = {place, place},
              .text = null ? std::string_view() : text};
    return true;
  }

  bool scan_plain(std::size_t& at) const {
    const std::size_t begin = at;
    const char first = line_[at];
    if (!is_alnum(first) && first != '_' && first != '/' && first != '.') return false;
    std::size_t end = at;  // after the last byte that is not a blank
    for (; at < line_.size(); ++at) {
      const char byte = line_[at];
      if (byte < ' ' || byte > '~') return false;  // tabs too, and what is not ASCII
      if (byte == ':' && (at + 1 == line_.size() || line_[at + 1] == ' ')) {
        return std::exchange(at, end) == end;
      }
      if (byte == '#' && at > begin && line_[at - 1] == ' ') break;
      if (byte != ' ') end = at + 1;
    }
    at = end;
    return true;
  }

  std::string_view bytes_;
  std::string_view line_;
  std::size_t line_begin_ = 0;
  std::vector<Open> open_;
  bool pending_ = false;
  Events events_;
};

}  // namespace

std::optional<Events> plain_yaml_events(std::string_view bytes) {
  return PlainReader(bytes).read();
}

}  // namespace kubelet_sysctl::yaml
