// SPDX-License-Identifier: Apache-2.0
// The way of every change: look without the lock, and if there is work, look and do it under the lock.
#pragma once

#include <functional>
#include <string>

#include "cli/session.hpp"
#include "kubelet_sysctl/plan.hpp"

namespace kubelet_sysctl {

/// What one command wishes to change.
struct Wish {
  std::string note;  ///< for whoever waits for the lock: "add net.core.somaxconn"
  /// The plan for the node as it is now; called again under the lock.
  std::function<Result<Plan>(const NodeSnapshot&, const NodeModel&)> plan;
  std::string undoes;  ///< id of the transaction that the plan puts back
  std::string unit;    ///< empty: that of the options
};

/// A wish, made under whatever lock is held at the moment. Errors as those of the command.
using Wisher = std::function<Result<Wish>(Ports&)>;

/// Carries the wish out and reports; returns the exit code.
int carry_out(Session& session, const std::string& note, const Wisher& wisher);

}  // namespace kubelet_sysctl
