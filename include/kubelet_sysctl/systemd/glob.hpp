// SPDX-License-Identifier: Apache-2.0
// File name patterns as EnvironmentFile= takes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::systemd {

/// True when `path` holds a character that glob(3) does not take literally.
bool is_pattern(std::string_view path);

/// Absolute paths that match `pattern`, in byte order: `*`, `?`, `[…]` and a backslash that
/// protects; a leading dot must be given, braces are plain. Errors: those of listing a directory;
/// kUnsupported for a class like `[[:digit:]]`.
/// Source: systemd src/core/execute.c exec_context_load_environment(), glob(3) without flags.
Result<std::vector<std::string>> glob_paths(ports::FileSystem& files, const std::string& pattern);

}  // namespace kubelet_sysctl::systemd
