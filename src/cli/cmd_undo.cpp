// SPDX-License-Identifier: Apache-2.0
// undo: the files of a change as they were before it.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cli/change.hpp"
#include "cli/commands.hpp"
#include "cli/values.hpp"
#include "kubelet_sysctl/transaction.hpp"

namespace kubelet_sysctl {
namespace {

bool stands(const Transaction& one) {
  return one.state == TransactionState::kConfirmed || one.state == TransactionState::kPending;
}

/// The id of the transaction that undid `id`; empty when none did.
std::string undone_by(const std::vector<Transaction>& all, const std::string& id) {
  const auto found = std::find_if(all.begin(), all.end(), [&id](const Transaction& one) {
    return one.undoes == id && stands(one);
  });
  return found == all.end() ? std::string() : found->id;
}

/// Whether a change that was named can be put back. Errors: kConflict.
Status check_named(const std::vector<Transaction>& all, const Transaction& named) {
  const std::string by = undone_by(all, named.id);
  if (!by.empty()) {
    return Error{.kind = ErrorKind::kConflict,
                 .message = fmt::format("'{}' was undone already, by '{}'", named.id, by)};
  }
  if (named.state == TransactionState::kRolledBack || named.state == TransactionState::kPlanned) {
    return Error{.kind = ErrorKind::kConflict,
                 .message = fmt::format(
                     "there is nothing of '{}' to undo: its files are as they were", named.id)};
  }
  return {};
}

bool never_ended(const Transaction& one) {
  return one.state == TransactionState::kWritten || one.state == TransactionState::kRestarted ||
         one.state == TransactionState::kStranded;
}

/// The newest change that stands. One after it that never ended comes first: it may hold its files.
/// Errors: kNotFound, kConflict.
Result<std::string> newest(const std::vector<Transaction>& all) {
  const auto chosen = newest_undoable(all);
  for (auto one = all.rbegin(); one != all.rend() && one->id != chosen; ++one) {
    if (!never_ended(*one)) continue;
    return Error{
        .kind = ErrorKind::kConflict,
        .message = fmt::format("the newest change '{}' did not end: it is {}", one->id,
                               name_of(one->state)),
        .hint = fmt::format("name it to put its files back: 'kubelet-sysctl undo {}'", one->id)};
  }
  if (chosen) return *chosen;
  return Error{.kind = ErrorKind::kNotFound, .message = "there is no change to undo"};
}

Result<Wish> wish_to_undo(Ports& ports, const Options& options) {
  const auto all = list_transactions(ports);
  if (!all) return all.error();
  std::string id = options.arguments.empty() ? std::string() : options.arguments.front();
  if (id.empty()) {
    auto chosen = newest(*all);
    if (!chosen) return std::move(chosen).error();
    id = std::move(*chosen);
  }
  auto loaded = load_transaction(ports, id);
  if (!loaded) return std::move(loaded).error();
  if (auto status = check_named(*all, *loaded); !status) return std::move(status).error();
  Wish wish;
  wish.note = "undo " + id;
  wish.undoes = id;
  wish.unit = loaded->unit;
  wish.plan = [&ports, transaction = std::move(*loaded)](const NodeSnapshot& snapshot,
                                                         const NodeModel& model) {
    return make_undo_plan(ports, snapshot, model, transaction);
  };
  return wish;
}

int run_undo(Session& session) {
  const Options& options = session.options;
  if (options.arguments.size() > 1) {
    return fail(session, usage_error("'undo' takes one change at a time",
                                     "without an id it undoes the newest that stands"));
  }
  const std::string note =
      options.arguments.empty() ? std::string("undo") : "undo " + options.arguments.front();
  return carry_out(session, note,
                   [&options](Ports& ports) { return wish_to_undo(ports, options); });
}

}  // namespace

constexpr Command kUndoCommand = {
    .name = "undo",
    .title = "put the files of a change back as they were",
    .arguments = "[ID]",
    .options = kEverywhere | kForChanges,
    .about =
        "Puts back, byte for byte, the files that a change wrote; then restarts and watches as "
        "after\n"
        "any change. Without ID it is the newest change that stands; run again, it goes one\n"
        "further back. Refuses when a file was changed by somebody else since.",
    .examples =
        "kubelet-sysctl undo\n"
        "kubelet-sysctl undo 20261120T225726Z-1 --dry-run --diff",
    .run = run_undo};

}  // namespace kubelet_sysctl
