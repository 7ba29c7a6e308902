// SPDX-License-Identifier: Apache-2.0
// Reads what systemctl prints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {

/// What a time span "1h 30min 3s", "1.500000s" or "100ms" is in microseconds; "infinity" is the
/// largest number. A number without a unit is microseconds: systemctl gives every span a unit but
/// 0, and prints a plain count where a property is no span to it (StartLimitInterval of 229).
/// Source: systemd src/basic/time-util.c, format_timespan().
std::optional<std::uint64_t> parse_time_span(std::string_view text);

/// Words of a list as `systemctl show` prints it. Quotes and escapes of 247 and later are undone,
/// and the `\x20` of 229. What 237 and 245 print as "[unprintable]" stays that: the word is lost
/// there.
std::vector<std::string> parse_list(std::string_view text);

/// The unit that `systemctl show UNIT -p A -p B` printed, in whatever order. A property that this
/// version does not know prints no line and keeps its default. Errors: kMalformed without
/// LoadState.
Result<ports::UnitState> parse_show(std::string_view output);

/// NAME=value of every line of `systemctl show-environment`, the `$'…'` of newer versions undone.
std::vector<std::string> parse_environment_block(std::string_view output);

/// 252 of "systemd 252 (252.39-1~deb12u2)", the first line of `systemctl --version`.
std::optional<int> parse_version(std::string_view output);

}  // namespace kubelet_sysctl::machine
