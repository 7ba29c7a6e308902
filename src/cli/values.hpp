// SPDX-License-Identifier: Apache-2.0
// Values of options: durations, names of units and paths.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"

namespace kubelet_sysctl::cli {

/// A failure of the command line itself.
Error usage_error(std::string message, std::string hint);

/// "500ms", "10s", "2m", "1h30m". A number without a unit is an error: it is unknown what it meant.
/// `option` is named in the error. Errors: kUsage.
Result<Milliseconds> parse_duration(std::string_view option, std::string_view text);

/// A whole number from 1 to `most`. Errors: kUsage.
Result<int> parse_number(std::string_view option, std::string_view text, int most);

/// The unit as systemctl would take it: ".service" is added to a name without it. Errors: kUsage for
/// what cannot be a unit, or is one of another type.
Result<std::string> unit_name_given(std::string_view text);

/// The path of a file that an option names, absolute. Errors: kUsage when it is empty.
Result<std::string> parse_path(std::string_view option, const std::string& text);

/// An absolute path without "." and "..", no slash at the end. Errors: kUsage when it is empty.
Result<std::string> parse_root(const std::string& text);

}  // namespace kubelet_sysctl::cli
