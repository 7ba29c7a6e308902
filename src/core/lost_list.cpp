// SPDX-License-Identifier: Apache-2.0
// Whether the list lost what the last change put there: kubeadm, nodeup and others write their files anew.
#include "kubelet_sysctl/lost_list.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "checks_parts.hpp"
#include "entry_set.hpp"
#include "kubelet_sysctl/report.hpp"
#include "kubelet_sysctl/unknown_list.hpp"
#include "plan_parts.hpp"

namespace kubelet_sysctl {
namespace {

/// The change whose list must be in force, or nullptr where the records do not say.
const Transaction* deciding(const std::vector<Transaction>& records, const std::string& unit) {
  for (auto one = records.rbegin(); one != records.rend(); ++one) {
    if (one->unit != unit) continue;
    // After it the files are as the change before left them.
    if (one->state == TransactionState::kRolledBack) continue;
    const bool says = one->state == TransactionState::kConfirmed ||
                      one->state == TransactionState::kPending ||
                      one->state == TransactionState::kTrial;
    return says ? &*one : nullptr;
  }
  return nullptr;
}

/// "'PATH' was written at TIME, which nodeup does at every boot".
std::string who(const NodeSnapshot& snapshot, const NodeModel& model, const Transaction& last) {
  if (last.files.empty()) return {};
  const std::string& path = last.files.front().path;
  const SourceFile* file = find_file(snapshot, path);
  std::string out = fmt::format("; '{}'", path);
  if (file == nullptr || !file->exists()) {
    out += " is gone";
  } else if (file->meta.mtime_ns > 0) {
    out += fmt::format(" was written at {}", rfc3339(file->meta.mtime_ns / 1'000'000));
  } else {
    out += " is another one";
  }
  const bool known = file != nullptr && planning::is_rewritten(model, *file);
  return out + (known ? fmt::format(", it is rewritten by {}", planning::rewriter_of(model, *file))
                      : std::string(", by somebody else"));
}

}  // namespace

std::optional<Finding> lost_list(const NodeSnapshot& snapshot, const NodeModel& model,
                                 const std::vector<Transaction>& records) {
  if (model.stopped || is_list_unknown(model)) return std::nullopt;
  const Transaction* last = deciding(records, snapshot.unit.name);
  if (last == nullptr) return std::nullopt;
  const EntrySet present(texts_of(model.configured));
  std::vector<std::string> lost;
  std::copy_if(last->after.begin(), last->after.end(), std::back_inserter(lost),
               [&present](const std::string& entry) { return present.covering(entry) == nullptr; });
  if (lost.empty()) return std::nullopt;
  const Check* check = find_check("list-lost");
  if (check == nullptr) bug("the check of a lost list is not in the table");
  std::string hint = "run: " + command_with("kubelet-sysctl add", lost);
  if (!model.kind->lasting_file.empty()) {
    hint += " --lasting";
  } else if (!model.kind->vendor_route.empty()) {
    hint += fmt::format("; to make it last: {}", model.kind->vendor_route);
  }
  Finding finding =
      finding_of(*check,
                 fmt::format("the list lost {} since the change {}: {}{}",
                             lost.size() == 1 ? "an entry" : fmt::format("{} entries", lost.size()),
                             last->id, some_of(lost), who(snapshot, model, *last)),
                 std::move(hint));
  if (!last->files.empty()) finding.path = last->files.front().path;
  return finding;
}

}  // namespace kubelet_sysctl
