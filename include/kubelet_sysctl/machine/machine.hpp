// SPDX-License-Identifier: Apache-2.0
// Who runs the program, where, and into what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kubelet_sysctl/machine/runtime_environment.hpp"

namespace kubelet_sysctl::machine {

struct MachineFacts {
  std::uint32_t uid = 0;  ///< effective
  std::string sudo_user;  ///< $SUDO_USER; empty without sudo
  std::optional<std::uint32_t>
      login_uid;        ///< who logged in first, before any su; none for services
  std::string program;  ///< absolute path of this program; empty when the kernel does not say
  RuntimeEnvironment runtime_environment = RuntimeEnvironment::kMachine;
  std::size_t output_columns = 0;  ///< of the terminal that standard output is; 0 when it is none
  std::size_t error_columns = 0;   ///< the same of standard error
};

MachineFacts machine_facts();

}  // namespace kubelet_sysctl::machine
