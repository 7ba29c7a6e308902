// SPDX-License-Identifier: Apache-2.0
// The distance of Damerau and Levenshtein between two words, neighbours swapped once.
#include "kubelet_sysctl/base/nearest.hpp"

#include <algorithm>

namespace kubelet_sysctl {
inline namespace base {

std::size_t letters_apart(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

std::optional<std::string> nearest(std::string_view text, const std::vector<std::string>& words) {
  constexpr std::size_t kLongestWord = 64;
  if (text.size() > kLongestWord) return std::nullopt;
  std::optional<std::string> best;
  std::size_t least = text.size() / 3 + 1;
  for (const std::string& word : words) {
    const std::size_t found = letters_apart(text, word);
    // The start of a word is as good as one wrong letter.
    const bool begins = text.size() >= 3 && word.starts_with(text);
    const std::size_t cost = begins ? std::min<std::size_t>(found, 1) : found;
    if (cost > least || (best && cost == least)) continue;
    least = cost;
    best = word;
  }
  return best;
}

}  // namespace base
}  // namespace kubelet_sysctl
