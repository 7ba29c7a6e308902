// SPDX-License-Identifier: Apache-2.0
// Text as Go prints it, which is how the kubelet shows what it refuses.
#pragma once

#include <string>
#include <string_view>

namespace kubelet_sysctl {
inline namespace base {

/// Go's %q: quoted, with invisible characters and broken UTF-8 as escapes.
/// Source: Go strconv.Quote and unicode.IsPrint.
std::string go_quoted(std::string_view text);

}  // namespace base
}  // namespace kubelet_sysctl
