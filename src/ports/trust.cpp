// SPDX-License-Identifier: Apache-2.0
// Whether another user can write the records of changes.
#include "kubelet_sysctl/ports/trust.hpp"

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::ports {

Status check_trusted(FileSystem& files, const std::string& path) {
  auto* reader = dynamic_cast<TrustReader*>(&files);
  return reader == nullptr ? Status() : reader->check_trusted(path);
}

}  // namespace kubelet_sysctl::ports
