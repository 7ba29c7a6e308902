// SPDX-License-Identifier: Apache-2.0
// Which records may go: what undo, a trial, an open change and the check for lost entries need stays.
#include "kubelet_sysctl/transaction/purge.hpp"

#include <cstddef>
#include <set>
#include <string>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {
namespace {

/// Takes the folder of a transaction away, the record first: what is left of a folder without one counts
/// as never recorded.
Status remove_record(ports::Ports& ports, const std::string& id) {
  const std::string folder = fmt::format("{}/transactions/{}", kStateDirectory, id);
  auto record = ports.files.read(folder + "/journal.json");
  if (!record) return std::move(record).error();
  if (record->exists()) {
    if (auto status = ports.files.remove(*record, false); !status) return status;
  }
  return ports.files.remove_folder(folder);
}

}  // namespace

std::vector<Transaction> purgeable(const std::vector<Transaction>& all, std::int64_t before_ms) {
  std::set<std::string> needed;
  std::set<std::string> decided;  // units
  bool newest_good = false;
  for (auto one = all.rbegin(); one != all.rend(); ++one) {
    const bool trial = one->state == TransactionState::kTrial;
    const bool good = stands(*one) && !trial && !newest_good;
    const bool decides =
        one->state != TransactionState::kRolledBack && decided.insert(one->unit).second;
    newest_good = newest_good || good;
    const bool open = is_unfinished(*one) || trial || one->state == TransactionState::kStranded;
    if (open || good || decides) needed.insert(one->id);
  }
  if (const auto id = newest_undoable(all)) needed.insert(*id);
  // A clock that was put back lists an undo before what it undid: hence until nothing more is needed.
  for (std::size_t before = all.size() + 1; before != needed.size();) {
    before = needed.size();
    for (const Transaction& one : all) {
      if (one.at_ms >= before_ms || needed.contains(one.undoes)) needed.insert(one.id);
    }
  }
  std::vector<Transaction> go;
  for (const Transaction& one : all) {
    if (!needed.contains(one.id)) go.push_back(one);
  }
  return go;
}

Status purge(ports::Ports& ports, const std::vector<Transaction>& records) {
  for (const Transaction& one : records) {
    if (auto status = remove_record(ports, one.id); !status) return status;
  }
  return {};
}

}  // namespace kubelet_sysctl::transaction
