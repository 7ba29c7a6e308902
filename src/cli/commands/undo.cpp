// SPDX-License-Identifier: Apache-2.0
// undo: the files of a change as they were before it.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "change.hpp"
#include "commands.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/checks/swallowed.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/undo.hpp"
#include "options.hpp"
#include "session.hpp"
#include "values.hpp"

namespace kubelet_sysctl::cli {
namespace {

/// Whether a change that was named can be put back. Errors: kConflict.
Status check_named(const std::vector<transaction::Transaction>& all,
                   const transaction::Transaction& named) {
  if (const transaction::Transaction* by = transaction::undone_by(all, named.id)) {
    return Error{.kind = ErrorKind::kConflict,
                 .message = fmt::format("'{}' was undone already, by '{}'", named.id, by->id)};
  }
  if (named.state == transaction::TransactionState::kRolledBack) {
    return Error{.kind = ErrorKind::kConflict,
                 .message = fmt::format(
                     "there is nothing of '{}' to undo: its files are as they were", named.id)};
  }
  return {};
}

/// The newest change in effect. A newer one that was left unconfirmed comes first: it holds the files.
/// Errors: kNotFound, kConflict.
Result<std::string> newest(const std::vector<transaction::Transaction>& all) {
  const auto chosen = transaction::newest_undoable(all);
  for (auto one = all.rbegin(); one != all.rend() && one->id != chosen; ++one) {
    if (one->state != transaction::TransactionState::kStranded) continue;
    return Error{
        .kind = ErrorKind::kConflict,
        .message = fmt::format("the newest change '{}' was never confirmed: it is {}", one->id,
                               name_of(one->state)),
        .hint = fmt::format("name it to put its files back: 'kubelet-sysctl undo {}'", one->id)};
  }
  if (chosen) return *chosen;
  return Error{.kind = ErrorKind::kNotFound, .message = "there is no change to undo"};
}

Result<ChangeRequest> undo_request(ports::Ports& ports, const Options& options) {
  const auto all = transaction::list_transactions(ports);
  if (!all) return all.error();
  std::string id = options.arguments.empty() ? std::string() : options.arguments.front();
  if (id.empty()) {
    auto chosen = newest(*all);
    if (!chosen) return std::move(chosen).error();
    id = std::move(*chosen);
  }
  auto loaded = transaction::load_transaction(ports, id);
  if (!loaded) return std::move(loaded).error();
  if (auto status = check_named(*all, *loaded); !status) return std::move(status).error();
  ChangeRequest request;
  request.note = "undo " + id;
  request.undoes = id;
  request.takes_unread = true;
  request.unit = loaded->unit;
  request.plan = [&ports, transaction = std::move(*loaded)](
                     const nodes::NodeSnapshot& snapshot,
                     const model::NodeModel& model) -> Result<planning::Plan> {
    auto plan = transaction::make_undo_plan(ports, snapshot, model, transaction);
    // There is nothing to compare with where the node cannot be read now.
    if (!plan || plan->edits.empty() || model.stopped) return plan;
    auto after = planning::model_after(snapshot, plan->edits);
    if (!after) return std::move(after).error();
    auto keeps = checks::keeps_arguments(snapshot, model, *after);
    if (!keeps) return std::move(keeps).error();
    return plan;
  };
  return request;
}

int run_undo(Session& session) {
  const Options& options = session.options;
  if (options.arguments.size() > 1) {
    return fail(session, usage_error("'undo' takes one change at a time",
                                     "without an id it undoes the newest in effect"));
  }
  const std::string note =
      options.arguments.empty() ? std::string("undo") : "undo " + options.arguments.front();
  return carry_out(session, note,
                   [&options](ports::Ports& ports) { return undo_request(ports, options); });
}

}  // namespace

constexpr Command kUndoCommand = {
    .bit = kUndo,
    .name = "undo",
    .title = "restore the files of a change",
    .arguments = "[ID]",
    .about =
        "Puts back, byte for byte, the files that a change wrote; then restarts and watches as "
        "after\n"
        "any change. Without ID it is the newest change in effect; run again, it goes one\n"
        "further back. Where another process changed a file since, only the entries of the\nchange "
        "are undone, where that is unambiguous; else it refuses and shows what was changed.",
    .examples =
        "kubelet-sysctl undo\n"
        "kubelet-sysctl undo 20261120T225726Z-1 --dry-run --diff",
    .run = run_undo};

}  // namespace kubelet_sysctl::cli
