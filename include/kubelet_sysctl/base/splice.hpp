// SPDX-License-Identifier: Apache-2.0
// Replacing a few bytes of a file and proving that all others stayed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"

namespace kubelet_sysctl {
inline namespace base {

/// `text` in place of the bytes at `at`; an empty span inserts.
struct Splice {
  Span at;
  std::string text;
  bool operator==(const Splice&) const = default;
};

/// `bytes` with every splice applied. Splices may be given in any order; two that overlap are a bug
/// of the caller and give kUnsupported, so that nothing is written.
Result<std::string> apply_splices(std::string_view bytes, std::vector<Splice> splices);

/// The one splice that makes `from` into `to`: what lies between their common beginning and end.
Splice difference(std::string_view from, std::string_view to);

/// True when `after` is `before` with nothing but the bytes in `splices` replaced: checked by copying
/// the untouched stretches, independent of how `after` was made.
bool only_spliced(std::string_view before, std::string_view after, std::vector<Splice> splices);

}  // namespace base
}  // namespace kubelet_sysctl
