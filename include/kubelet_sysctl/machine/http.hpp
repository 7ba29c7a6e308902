// SPDX-License-Identifier: Apache-2.0
// HealthProbe by one plain HTTP request.
#pragma once

#include <string>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {

/// Asks a numeric IPv4 or IPv6 address; names are not resolved and proxies not used. The deadline
/// is for connecting, asking and answering together.
class HttpHealth final : public ports::HealthProbe {
 public:
  /// Errors: kUsage for an address that is not numeric, a port or a path that cannot be; kIo;
  /// kTimeout.
  Result<ports::HealthAnswer> get(const std::string& address, int port, const std::string& path,
                                  Milliseconds deadline) override;
  Result<ports::HealthAnswer> get_whole(const std::string& address, int port,
                                        const std::string& path, std::size_t most,
                                        Milliseconds deadline) override;
};

}  // namespace kubelet_sysctl::machine
