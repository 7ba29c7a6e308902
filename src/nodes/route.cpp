// SPDX-License-Identifier: Apache-2.0
// The words for routes.
#include "kubelet_sysctl/nodes/route.hpp"

#include <algorithm>
#include <array>

namespace kubelet_sysctl::nodes {
namespace {

/// In the order of Route.
constexpr std::array<std::string_view, 6> kNames = {"",           "args", "config",
                                                    "config-dir", "unit", "persist"};

}  // namespace

std::string_view name_of(Route route) { return kNames[static_cast<std::size_t>(route)]; }

std::optional<Route> route_named(std::string_view name) {
  const auto* const found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Route>(found - kNames.begin());
}

}  // namespace kubelet_sysctl::nodes
