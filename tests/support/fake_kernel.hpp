// SPDX-License-Identifier: Apache-2.0
// A pretend kernel and pretend programs behind the ports: they answer what a test set.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"

namespace kubelet_sysctl {

class FakeKernel final : public ports::KernelProbe {
 public:
  std::string release_text = "6.18.0";
  std::string why = "the kernel is not asked here";  ///< not empty: it cannot be asked
  /// Dotted names with what a pod sees of each. A name that is not here is unknown; a pattern
  /// covers those that are.
  std::map<std::string, sysctl::KernelState> states;
  std::vector<std::vector<std::string>> questions;  ///< as they came

  /// From now on it can be asked, and so says of `name`.
  void answer(const std::string& name, sysctl::KernelState state);
  /// The same from text: the release on the first line, then "net.core.rmem_max read-only" and the
  /// like.
  void answer_from(const std::string& text);

  sysctl::KernelReport ask(const std::vector<std::string>& entries) override;
  std::string release() override { return release_text; }
};

class FakePrograms final : public ports::Programs {
 public:
  std::map<std::string, Result<std::string>> outputs;  ///< by path; what is not here is not found
  std::vector<std::vector<std::string>> calls;         ///< path and arguments, as they came

  Result<std::string> output_of(const std::string& path, const std::vector<std::string>& arguments,
                                Milliseconds deadline) override;
};

}  // namespace kubelet_sysctl
