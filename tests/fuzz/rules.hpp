// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets share: a rule that must hold, and the rule of provenance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/source.hpp"

namespace kubelet_sysctl::fuzz {

inline void expect(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken rule: %s\n", what);
  std::abort();
}

/// `sizes` are those of the sources, in order.
inline void expect_origin(const kubelet_sysctl::CharOrigin& at,
                          const std::vector<std::size_t>& sizes) {
  if (at.source == kubelet_sysctl::kNoSource) return;
  expect(at.source >= 0 && static_cast<std::size_t>(at.source) < sizes.size(),
         "an origin names a source that exists");
  expect(at.begin < at.end, "an origin covers at least one byte");
  expect(at.end <= sizes[static_cast<std::size_t>(at.source)], "an origin lies inside its source");
}

inline void expect_origins(const kubelet_sysctl::MappedText& text,
                           const std::vector<std::size_t>& sizes) {
  expect(text.at.size() == text.text.size(), "every byte of a text has its origin");
  for (const kubelet_sysctl::CharOrigin& at : text.at) expect_origin(at, sizes);
}

}  // namespace kubelet_sysctl::fuzz
