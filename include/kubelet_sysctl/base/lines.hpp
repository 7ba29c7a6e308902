// SPDX-License-Identifier: Apache-2.0
// Lines of many offsets of one text, without counting from the top for each.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace kubelet_sysctl {
inline namespace base {

/// Offsets that come in order cost one pass over the text together; one that goes back begins again.
class LineCounter {
 public:
  /// The line of `offset`, from 1, as line_column() counts it. `text` is the same at every call.
  std::size_t line_of(std::string_view text, std::size_t offset) {
    offset = std::min(offset, text.size());
    if (offset < at_) *this = {};
    const std::string_view passed = text.substr(at_, offset - at_);
    line_ += static_cast<std::size_t>(std::count(passed.begin(), passed.end(), '\n'));
    at_ = offset;
    return line_;
  }

 private:
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

/// Offsets in any order, for a text of less than 4 GiB that is asked for often.
class LineIndex {
 public:
  explicit LineIndex(std::string_view text) {
    for (std::size_t at = text.find('\n'); at != std::string_view::npos;
         at = text.find('\n', at + 1)) {
      ends_.push_back(static_cast<std::uint32_t>(at));
    }
  }
  /// The line of `offset`, from 1, as line_column() counts it.
  [[nodiscard]] std::size_t line_of(std::size_t offset) const {
    const auto next = std::lower_bound(ends_.begin(), ends_.end(), offset);
    return static_cast<std::size_t>(next - ends_.begin()) + 1;
  }

 private:
  std::vector<std::uint32_t> ends_;
};

}  // namespace base
}  // namespace kubelet_sysctl
