// SPDX-License-Identifier: Apache-2.0
// SystemLog by journald's own socket, or where there is none by syslog's.
#pragma once

#include <string>
#include <utility>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {

/// Where the sockets are; a test puts other ones here.
struct JournalLogPaths {
  std::string journal = "/run/systemd/journal/socket";
  std::string syslog = "/dev/log";
};

/// The log of the running host. An entry that is too large for its socket loses its largest fields.
class JournalLog final : public ports::SystemLog {
 public:
  explicit JournalLog(JournalLogPaths paths = {}) : paths_(std::move(paths)) {}

  Status write(const ports::LogEntry& entry) override;

 private:
  JournalLogPaths paths_;
};

}  // namespace kubelet_sysctl::machine
