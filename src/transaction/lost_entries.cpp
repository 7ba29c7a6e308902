// SPDX-License-Identifier: Apache-2.0
// Whether the list lost what the last change put there: kubeadm, nodeup and others write their files again.
#include "kubelet_sysctl/transaction/lost_entries.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/checks/swallowed.hpp"
#include "kubelet_sysctl/checks/unknown_list.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/model/rewritten.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/pattern_set.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {
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
std::string who(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                const Transaction& last) {
  if (last.files.empty()) return {};
  const std::string& path = last.files.front().path;
  const SourceFile* file = nodes::find_file(snapshot, path);
  std::string out = fmt::format("; '{}'", path);
  if (file == nullptr || !file->exists()) {
    out += " is gone";
  } else if (file->meta.mtime_ns > 0) {
    out += fmt::format(" was written at {}", rfc3339(file->meta.mtime_ns / 1'000'000));
  } else {
    out += " is another one";
  }
  const bool known = file != nullptr && model::is_rewritten(model, *file);
  return out + (known ? fmt::format(", it is rewritten by {}", model::rewriter_of(model, *file))
                      : std::string(", by another process"));
}

}  // namespace

std::optional<Finding> lost_list(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                                 const std::vector<Transaction>& records) {
  if (model.stopped || checks::is_list_unknown(model)) return std::nullopt;
  if (checks::is_list_swallowed(snapshot, model)) return std::nullopt;
  const Transaction* last = deciding(records, snapshot.unit.name);
  if (last == nullptr) return std::nullopt;
  const sysctl::EntrySet present(model::configured_texts(model));
  std::vector<std::string> lost;
  for (const std::string_view entry : last->after) {
    if (!present.covering(entry)) lost.emplace_back(entry);
  }
  if (lost.empty()) return std::nullopt;
  std::string hint = "run: " + checks::command_with("kubelet-sysctl add", lost);
  if (!model.kind->persistent_file.empty()) {
    hint += " --persist";
  } else if (!model.kind->vendor_route.empty()) {
    hint += fmt::format("; to persist it: {}", model.kind->vendor_route);
  }
  Finding finding = checks::finding_of(
      checks::check_named("list-lost"),
      fmt::format("the list lost {} since the change {}: {}{}",
                  lost.size() == 1 ? "an entry" : fmt::format("{} entries", lost.size()), last->id,
                  some_of(lost), who(snapshot, model, *last)),
      std::move(hint));
  if (!last->files.empty()) finding.path = last->files.front().path;
  return finding;
}

}  // namespace kubelet_sysctl::transaction
