// SPDX-License-Identifier: Apache-2.0
// What is known of each flag of the kubelet.
#pragma once

#include <cstdint>
#include <string_view>

namespace kubelet_sysctl::kubelet {

enum class FlagType : std::uint8_t {
  kText,     ///< any text, as far as is judged here
  kBool,     ///< takes a value only with '='
  kVersion,  ///< likewise: "true", "raw" or a version
  kInt32,
  kInt64,
  kDuration,
  kVerbosity,
};

struct FlagFacts {
  std::string_view name;
  FlagType type = FlagType::kText;
  int gone_in = 0;  ///< the first 1.x without it; 0: none that is known
  int since = 0;    ///< the first 1.x with it, where that matters
};

/// The row of a flag, without its hyphens; nullptr for one that no known release has.
const FlagFacts* find_flag(std::string_view name);

/// True for a flag that takes a value only with '='.
inline bool is_boolean(const FlagFacts& flag) {
  return flag.type == FlagType::kBool || flag.type == FlagType::kVersion;
}

}  // namespace kubelet_sysctl::kubelet
