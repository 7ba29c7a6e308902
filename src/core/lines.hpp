// SPDX-License-Identifier: Apache-2.0
// Lines of many offsets of one text, without counting from the top for each.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace kubelet_sysctl {

/// Offsets that come in order cost one pass over the text together; one that goes back begins anew.
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

}  // namespace kubelet_sysctl
