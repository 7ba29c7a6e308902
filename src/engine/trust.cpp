// SPDX-License-Identifier: Apache-2.0
// Whether another user can write the records of changes.
#include "kubelet_sysctl/trust.hpp"

#include <fmt/format.h>

#include "kubelet_sysctl/transaction.hpp"

namespace kubelet_sysctl {

Status check_trusted(FileSystem& files, const std::string& path) {
  auto* reader = dynamic_cast<TrustReader*>(&files);
  return reader == nullptr ? Status() : reader->check_trusted(path);
}

Status check_state_directory(FileSystem& files) {
  for (const char* below : {"", "/transactions", "/lock"}) {
    auto trusted = check_trusted(files, fmt::format("{}{}", kStateDirectory, below));
    if (!trusted) return trusted;
  }
  return {};
}

}  // namespace kubelet_sysctl
