// SPDX-License-Identifier: Apache-2.0
// By which kind of file a list reaches the kubelet.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kubelet_sysctl::nodes {

enum class Route : std::uint8_t {
  kNone,
  kArgs,       ///< a file of variables or arguments that end in the command line
  kConfig,     ///< the kubelet's configuration file
  kConfigDir,  ///< a drop-in of that file
  kUnit,       ///< a unit file or a drop-in of the unit
  kPersist,    ///< the file from which another program rewrites one of the others
};

/// The word in JSON, in records and in docs/node-kinds.md: "args", "config-dir"; empty for kNone.
std::string_view name_of(Route route);
/// The route with that word.
std::optional<Route> route_named(std::string_view name);

}  // namespace kubelet_sysctl::nodes
