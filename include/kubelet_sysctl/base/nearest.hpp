// SPDX-License-Identifier: Apache-2.0
// The word that a misspelt one was meant to be.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kubelet_sysctl {
inline namespace base {

/// How many letters must be changed, added, dropped or swapped with their neighbour to make `a` of `b`.
std::size_t letters_apart(std::string_view a, std::string_view b);

/// The word that `text` was meant to be, if one is near.
std::optional<std::string> nearest(std::string_view text, const std::vector<std::string>& words);

}  // namespace base
}  // namespace kubelet_sysctl
