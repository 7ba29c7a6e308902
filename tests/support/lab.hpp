// SPDX-License-Identifier: Apache-2.0
// A node on disk with everything pretended around it, and changes carried out on it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/apply.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/recover.hpp"
#include "support/fake_services.hpp"
#include "support/faulty_files.hpp"
#include "support/node_tree.hpp"

namespace kubelet_sysctl {

/// A node whose files are a copy of tests/nodes/KIND/root, or a few that the test writes.
class Lab {
 public:
  /// Paths and bytes.
  using NodeFiles = std::vector<std::pair<std::string, std::string>>;

  explicit Lab(const std::string& kind);
  explicit Lab(const NodeFiles& files);

  /// What was read before a change, and the plan of it.
  struct Prepared {
    nodes::NodeSnapshot snapshot;
    model::NodeModel model;
    planning::Plan plan;
  };

  Result<Prepared> prepare(const planning::Change& change);
  Result<transaction::Outcome> carry_out(const Prepared& prepared);
  /// prepare() and carry_out().
  Result<transaction::Outcome> change(const planning::Change& change);
  Result<transaction::Outcome> undo(const std::string& id);
  /// Brings open changes to their end; `end_trial` as the timer of a trial says it.
  Result<std::vector<transaction::Recovered>> recover(const std::string& end_trial = {});
  /// From the end of the step that begins with `what` on the program is dead: nothing it does has effect.
  void die_after(const std::string& what);
  /// A new program: everything works again.
  void live();
  /// The machine is booted again: another boot id, the kubelet started from the files.
  void reboot();
  Result<model::NodeModel> model();
  ports::Ports ports() { return services_.ports_with(faults_); }

  NodeTree& tree() { return *tree_; }
  FakeServices& services() { return services_; }
  FaultyFiles& faults() { return faults_; }
  transaction::ApplyOptions options;
  discover::DiscoverOptions discover;

 private:
  explicit Lab(std::unique_ptr<NodeTree> tree);

  std::unique_ptr<NodeTree> tree_;
  machine::Disk disk_;
  int boots_ = 0;
  FakeServices services_;
  FaultyFiles faults_;
};

planning::Change add(std::vector<std::string> entries);
planning::Change remove(std::vector<std::string> entries);
planning::Change set(std::vector<std::string> entries);

/// The record of the only, or the newest, transaction.
Result<transaction::Transaction> newest_record(Lab& lab);

/// The ids of findings, in order.
std::vector<std::string> ids_of(const std::vector<Finding>& findings);

/// A unit that starts `command` with an operator's /etc/default/kubelet, and that file.
Lab::NodeFiles plain_node(const std::string& command, const std::string& environment_file);

}  // namespace kubelet_sysctl
