// SPDX-License-Identifier: Apache-2.0
// Asks the running kernel, in fresh namespaces, what it gives a pod.
#pragma once

#include <sched.h>

#include <string>
#include <utility>
#include <vector>

#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"

namespace kubelet_sysctl::machine {

/// Where and how the kernel is asked; tests set other ways.
struct NamespaceSettings {
  std::string proc = "/proc";
  Milliseconds deadline{2000};            ///< then the child is killed
  int (*unshare)(int flags) = ::unshare;  ///< called in the child
};

/// The kernel as a pod without a user namespace of its own meets it.
class Namespaces final : public ports::KernelProbe {
 public:
  explicit Namespaces(NamespaceSettings settings = {}) : settings_(std::move(settings)) {}
  sysctl::KernelReport ask(const std::vector<std::string>& entries) override;
  std::string release() override;

 private:
  NamespaceSettings settings_;
};

}  // namespace kubelet_sysctl::machine
