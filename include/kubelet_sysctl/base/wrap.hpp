// SPDX-License-Identifier: Apache-2.0
// Breaks lines that are wider than a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kubelet_sysctl {
inline namespace base {

/// `text` with every line that is wider than `columns` broken between words. The lines that continue it begin
/// two columns further in. What must stay whole to be copied is not broken, even where it is too wide: a text in
/// single quotes, a command (after "run:", or below a line "type these:"), and a line of a file above its caret.
/// 0 columns: no limit, `text` as it is.
std::string wrapped(std::string_view text, std::size_t columns);

/// The words of `text` as lines of at most `columns`, without line ends; what wrapped() keeps whole stays whole.
std::vector<std::string> filled(std::string_view text, std::size_t columns);

}  // namespace base
}  // namespace kubelet_sysctl
