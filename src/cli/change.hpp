// SPDX-License-Identifier: Apache-2.0
// The way of every change: look without the lock, and if there is work, look and do it under the lock.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/recover.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "session.hpp"

namespace kubelet_sysctl::cli {

/// What one command is to change.
struct ChangeRequest {
  std::string note;  ///< for the process that waits for the lock: "add net.core.somaxconn"
  /// The plan for the node as it is now; called again under the lock.
  std::function<Result<planning::Plan>(const nodes::NodeSnapshot&, const model::NodeModel&)> plan;
  /// Inspects what the plan asks beyond the files, the kernel say, right before it; may be empty.
  std::function<void(ports::Ports&, nodes::NodeSnapshot&, const model::NodeModel&)> inspect = {};
  /// The verb, where a kubelet that is not installed yet is no error: it is reported, and nothing is written.
  std::optional<planning::Verb> waits_for_install = {};
  std::string undoes = {};  ///< id of the transaction that the plan puts back
  /// The plan needs no node that can be read: its model may be one of resolve_partly().
  bool takes_unread = false;
  std::string unit = {};  ///< empty: that of the options
  /// Why, for the record, where --reason does not say it; may be empty.
  std::function<std::string(const planning::Plan&)> reason = {};
};

/// A request, made under whatever lock is held at the moment. Errors as those of the command.
using RequestMaker = std::function<Result<ChangeRequest>(ports::Ports&)>;

/// Asks the kernel of a running node about `entries`; of a tree of files, or about none, it does nothing.
void ask_kernel(const Options& options, ports::Ports& ports,
                const std::vector<std::string>& entries, nodes::NodeSnapshot& snapshot);

/// Errors: kPermission for a user who is not root and wants to change the running node.
Status require_root(const Session& session);

/// The lock, at once if nobody holds it; while waiting, a terminal shows for whom. From then on signals
/// are held. Errors: kLocked, kInterrupted, those of the file system.
Result<std::unique_ptr<ports::FileLock>> take_lock(Session& session, ports::Ports& ports,
                                                   Progress& progress, const std::string& note);

/// Prints the outcome; with -q only one that a person must know of.
int report_outcome(Session& session, const transaction::Outcome& outcome, bool unchanged_is_77);

/// Brings open changes to their end, with the options of the session. The caller holds the lock, except
/// for a dry run.
Result<std::vector<transaction::Recovered>> recover_now(Session& session, ports::Ports& ports,
                                                        Progress& progress);

/// "the change 20261120T225726Z-1 (add) was undone".
std::string recovered_line(const transaction::Recovered& one, bool would);

/// Brings open changes to their end, then carries the request out and reports; returns the exit code.
int carry_out(Session& session, const std::string& note, const RequestMaker& make_request);

}  // namespace kubelet_sysctl::cli
