// SPDX-License-Identifier: Apache-2.0
// Whose listening sockets an address and a port lead to.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {

/// True when a connection to `address` and `port` can only arrive at `pid` or a child of it: a listening
/// socket of theirs takes it, and no other process's could. False where nobody listens there. Errors:
/// kPermission, kIo from /proc, kUnsupported when `address` is no numeric one.
Result<bool> answers_at(ports::FileSystem& files, std::int64_t pid, const std::string& address,
                        int port);

/// Where `pid` or a child of it can be asked on `port` as answers_at() demands, loopback first; nothing when
/// they do not listen on it, or another process listens beside them. Errors: kPermission, kIo from /proc.
Result<std::optional<std::string>> own_address(ports::FileSystem& files, std::int64_t pid,
                                               int port);

/// True when this program and `pid` are in one network namespace, so that an address means the same to both;
/// nothing where the kernel does not say. Source: namespaces(7), /proc/PID/ns.
std::optional<bool> shares_network(ports::FileSystem& files, std::int64_t pid);

}  // namespace kubelet_sysctl::discover
