// SPDX-License-Identifier: Apache-2.0
// The plan that takes a change back.
#pragma once

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {

/// The plan that undoes `transaction`: its files as they were, byte for byte. Where another process changed one
/// of them since, its entries are undone instead, if that has one meaning: what it added is there and goes,
/// what it removed is not there and comes back. With a model of resolve_partly() the files are put back all the
/// same, without a restart where they do not make the node one that can be read. Errors: kConflict with a diff
/// when it has not; those of resolve() and make_plan().
Result<planning::Plan> make_undo_plan(ports::Ports& ports, const nodes::NodeSnapshot& snapshot,
                                      const model::NodeModel& model,
                                      const Transaction& transaction);

}  // namespace kubelet_sysctl::transaction
