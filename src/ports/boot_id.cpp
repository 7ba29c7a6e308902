// SPDX-License-Identifier: Apache-2.0
// Which boot of the kernel this is.
#include "kubelet_sysctl/ports/boot_id.hpp"

#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::ports {

std::string boot_id_of(Ports& ports) {
  const auto file = ports.files.read("/proc/sys/kernel/random/boot_id");
  if (!file) return {};
  return file->bytes.substr(0, file->bytes.find('\n'));
}

}  // namespace kubelet_sysctl::ports
