// SPDX-License-Identifier: Apache-2.0
// Lines and columns of offsets, text that remembers its bytes, and errors that name a place.
#include "kubelet_sysctl/base/source.hpp"

#include <algorithm>
#include <limits>

#include "kubelet_sysctl/base/error.hpp"

namespace kubelet_sysctl {
inline namespace base {
namespace {

std::size_t line_begin(std::string_view text, std::size_t offset) {
  if (offset == 0) return 0;
  const std::size_t newline = text.rfind('\n', offset - 1);
  return newline == std::string_view::npos ? 0 : newline + 1;
}

std::size_t line_end(std::string_view text, std::size_t offset) {
  const std::size_t newline = text.find('\n', offset);
  std::size_t end = newline == std::string_view::npos ? text.size() : newline;
  if (end > 0 && newline != std::string_view::npos && text[end - 1] == '\r') --end;
  return end;
}

/// Bytes of the UTF-8 sequence at the start of `text`; 0 when it is not well formed.
/// Source: Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto in = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return in(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) && in(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

}  // namespace

LineColumn line_column(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  const auto newlines = std::count(before.begin(), before.end(), '\n');
  return {static_cast<std::size_t>(newlines) + 1, offset - line_begin(text, offset) + 1};
}

std::string_view line_at(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const std::size_t begin = line_begin(text, offset);
  return text.substr(begin, std::max(line_end(text, offset), begin) - begin);
}

CharOrigin Origins::Run::of(std::size_t index) const {
  const auto passed = plain ? static_cast<std::uint32_t>(index) - at : 0U;
  return {first.source, first.begin + passed, first.end + passed};
}

std::size_t Origins::run_of(std::size_t index) const {
  if (runs_.size() == 1) return 0;
  const auto behind =
      std::upper_bound(runs_.begin(), runs_.end(), index,
                       [](std::size_t value, const Run& run) { return value < run.at; });
  return static_cast<std::size_t>(behind - runs_.begin()) - 1;
}

CharOrigin Origins::operator[](std::size_t index) const { return runs_[run_of(index)].of(index); }

void Origins::push_back(const CharOrigin& from) {
  const auto at = static_cast<std::uint32_t>(size_++);
  if (!runs_.empty()) {
    Run& last = runs_.back();
    if (last.plain && last.of(at) == from) return;
    // A run of one byte may become either.
    if ((!last.plain || at == last.at + 1) && last.first == from) {
      last.plain = false;
      return;
    }
  }
  runs_.push_back({.at = at, .first = from, .plain = true});
}

void Origins::append_plain(std::size_t count, std::int32_t source, std::uint32_t begin) {
  if (count == 0) return;
  push_back({source, begin, begin + 1});
  if (count > 1 && !runs_.back().plain) {
    runs_.push_back({.at = static_cast<std::uint32_t>(size_),
                     .first = {source, begin + 1, begin + 2},
                     .plain = true});
  }
  size_ += count - 1;
}

void Origins::append(std::size_t count, const CharOrigin& from) {
  while (count > 0) {
    push_back(from);
    --count;
    if (!runs_.back().plain) break;
  }
  size_ += count;
}

void Origins::append(const Origins& other, std::size_t begin, std::size_t end) {
  while (begin < end) {
    const std::size_t index = other.run_of(begin);
    const Run& run = other.runs_[index];
    const bool is_last = index + 1 == other.runs_.size();
    const std::size_t stop = is_last ? end : std::min<std::size_t>(other.runs_[index + 1].at, end);
    const CharOrigin first = run.of(begin);
    if (!run.plain) {
      append(stop - begin, first);
    } else if (first.end == first.begin + 1) {
      append_plain(stop - begin, first.source, first.begin);
    } else {
      for (std::size_t i = begin; i < stop; ++i) push_back(run.of(i));
    }
    begin = stop;
  }
}

void Origins::resize(std::size_t size) {
  if (size < size_) size_ = size;
  while (!runs_.empty() && runs_.back().at >= size_) runs_.pop_back();
}

bool Origins::operator==(const Origins& other) const {
  return size_ == other.size_ && std::equal(begin(), end(), other.begin());
}

MappedText MappedText::sub(std::size_t begin, std::size_t end) const {
  end = std::min(end, text.size());
  begin = std::min(begin, end);
  MappedText part{.text = text.substr(begin, end - begin), .at = {}};
  part.at.append(at, begin, end);
  return part;
}

MappedText mapped(std::string_view text, std::int32_t source, std::size_t base) {
  if (base + text.size() > std::numeric_limits<std::uint32_t>::max()) {
    bug("a source of more than 4 GiB");
  }
  MappedText made;
  made.text = std::string(text);
  made.at.append_plain(text.size(), source, static_cast<std::uint32_t>(base));
  return made;
}

Error error_at(ErrorKind kind, const SourceFile& file, Span span, std::string message,
               std::string hint) {
  const LineColumn place = line_column(file.bytes, span.begin);
  const std::string_view line = line_at(file.bytes, span.begin);
  // The caret stays under the line that is shown, however far the span goes on.
  const std::size_t left = line.size() - std::min(line.size(), place.column - 1);
  const std::size_t wide = span.end > span.begin ? span.size() : 1;
  return {
      .kind = kind,
      .message = std::move(message),
      .path = file.path,
      .line = place.line,
      .column = place.column,
      .excerpt = std::string(line),
      .width = std::max<std::size_t>(1, std::min(wide, left)),
      .hint = std::move(hint),
  };
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace base
}  // namespace kubelet_sysctl
