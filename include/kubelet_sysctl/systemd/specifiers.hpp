// SPDX-License-Identifier: Apache-2.0
// What %-specifiers stand for in the unit of this node, as far as that can be known.
#pragma once

#include <map>
#include <string>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"

namespace kubelet_sysctl::systemd {

/// Fields of /etc/os-release, or of /usr/lib/os-release; empty when there is neither.
Result<std::map<std::string, std::string>> os_release(ports::FileSystem& files, int version);

/// Values for `unit`; `release` is os_release(). A letter that is left out is unknown: what the running kernel says (when not
/// `live`), names under an alias, the shell that systemd was built with. Errors: those of reading.
/// Source: systemd src/shared/specifier.c, src/core/unit-printf.c.
Result<Specifiers> specifiers_of(ports::FileSystem& files, const UnitOnDisk& unit, int version,
                                 const std::map<std::string, std::string>& release, bool live);

}  // namespace kubelet_sysctl::systemd
