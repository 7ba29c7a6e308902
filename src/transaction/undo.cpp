// SPDX-License-Identifier: Apache-2.0
// The way back: the bytes of a change, or its entries where the bytes were changed since.
#include "kubelet_sysctl/transaction/undo.hpp"

#include <fmt/format.h>

#include "files_on_disk.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/diff.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {
namespace {

/// The conflict that an undo by entries ended with, as one of the file that another process changed.
Error overtaken(const JournalFile& file, const SourceFile& now, const Error& why) {
  Error error{
      .kind = ErrorKind::kConflict,
      .message = fmt::format("will not undo: this file was changed since, "
                             "and the entries of the change cannot be undone separately: {}",
                             why.message),
      .path = file.path,
      .hint = "undo it with a change instead, with 'kubelet-sysctl remove', 'add' or 'set'"};
  planning::FileEdit since;
  since.before.path = file.path;
  since.before.kind = FileKind::kRegular;
  if (auto written = written_bytes(file)) since.before.bytes = std::move(*written);
  since.after = now.bytes;
  since.route = file.route;
  since.removes = !now.exists();
  since.splices = {difference(since.before.bytes, since.after)};
  error.detail = "what was changed since:\n" + planning::diff_text(since, TextStyle{});
  return error;
}

/// The entries undone where the files cannot be.
Result<planning::Plan> undo_entries(const nodes::NodeSnapshot& snapshot,
                                    const model::NodeModel& model, const Transaction& transaction,
                                    const JournalFile& file, const SourceFile& now) {
  auto plan =
      planning::plan_undo_of_entries(snapshot, model, transaction.before, transaction.after);
  if (!plan && plan.error().kind == ErrorKind::kConflict) return overtaken(file, now, plan.error());
  if (!plan) return plan;
  plan->findings.push_back(
      {.id = "undone-by-entries",
       .severity = Severity::kNote,
       .message = fmt::format(
           "'{}' was changed since: the entries of the change are undone, not its bytes",
           file.path)});
  plan->verb = planning::Verb::kUndo;
  return plan;
}

/// The files put back on a node that cannot be read, now and after it: bytes need no reading. Whether the kubelet
/// would start is not known, so it is not restarted.
planning::Plan undo_unread(const nodes::NodeSnapshot& snapshot, const Transaction& transaction,
                           const Error& fault, planning::Plan plan) {
  plan.before = transaction.after;
  plan.after = transaction.before;
  plan.expected_argv.clear();
  plan.pending = !plan.edits.empty();
  Finding finding = {
      .id = "node-not-read",
      .severity = Severity::kWarning,
      .message = fmt::format("the files are put back, and nothing else is known of this node: {}",
                             fault.message),
      .path = fault.path,
      .line = fault.line};
  if (snapshot.live) {
    finding.message += "; the kubelet is not restarted, since it might not start";
    finding.hint = fmt::format("correct that, then: systemctl restart {}", transaction.unit);
  }
  plan.findings.push_back(std::move(finding));
  return plan;
}

}  // namespace

Result<planning::Plan> make_undo_plan(ports::Ports& ports, const nodes::NodeSnapshot& snapshot,
                                      const model::NodeModel& model,
                                      const Transaction& transaction) {
  planning::Plan plan;
  plan.verb = planning::Verb::kUndo;
  plan.before = model::configured_texts(model);
  plan.after = plan.before;
  plan.expected_argv = model.argv;
  const bool unfinished = is_unfinished(transaction);
  for (const JournalFile& file : transaction.files) {
    auto found = inspect(ports, file, unfinished);
    if (!found) return std::move(found).error();
    if (found->holds == FileHolds::kOther && model.stopped) return *model.stopped;
    if (found->holds == FileHolds::kOther) {
      return undo_entries(snapshot, model, transaction, file, found->now);
    }
    if (found->holds == FileHolds::kOld) continue;
    plan.edits.push_back(edit_back(file, std::move(found->now)));
  }
  auto after = planning::model_after(snapshot, plan.edits);
  if (!after && model.stopped) {
    return undo_unread(snapshot, transaction, *model.stopped, std::move(plan));
  }
  if (!after) return std::move(after).error();
  plan.after = model::configured_texts(*after);
  plan.expected_argv = after->argv;
  planning::decide_restart(snapshot, model.stopped ? *after : model, plan);
  return plan;
}

}  // namespace kubelet_sysctl::transaction
