// SPDX-License-Identifier: Apache-2.0
// Text of files, processes and users made safe for a terminal, a log and a metric.
#pragma once

#include <string>
#include <string_view>

namespace kubelet_sysctl {
inline namespace base {

/// `text` with control characters, invisible ones (zero width, text direction) and broken UTF-8 as
/// \xNN: data must not be able to write escape sequences to an operator's terminal, or to show one
/// name and hold another.
std::string printable(std::string_view text);

}  // namespace base
}  // namespace kubelet_sysctl
