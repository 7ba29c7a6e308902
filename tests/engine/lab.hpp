// SPDX-License-Identifier: Apache-2.0
// A node on disk with everything pretended around it, and changes carried out on it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/disk.hpp"
#include "kubelet_sysctl/apply.hpp"
#include "kubelet_sysctl/recover.hpp"
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
    NodeSnapshot snapshot;
    NodeModel model;
    Plan plan;
  };

  Result<Prepared> prepare(const Change& change);
  Result<Outcome> carry_out(const Prepared& prepared);
  /// prepare() and carry_out().
  Result<Outcome> change(const Change& change);
  Result<Outcome> undo(const std::string& id);
  /// Brings open changes to their end; `end_trial` as the timer of a trial says it.
  Result<std::vector<Recovered>> recover(const std::string& end_trial = {});
  /// From the end of the step that begins with `what` on the program is dead: nothing it does has effect.
  void die_after(const std::string& what);
  /// A new program: everything works again.
  void live();
  /// The machine is booted anew: another boot id, the kubelet started from the files.
  void reboot();
  Result<NodeModel> model();
  Ports ports() { return services_.ports_with(faults_); }

  NodeTree& tree() { return *tree_; }
  FakeServices& services() { return services_; }
  FaultyFiles& faults() { return faults_; }
  ApplyOptions options;
  DiscoverOptions discover;

 private:
  explicit Lab(std::unique_ptr<NodeTree> tree);

  std::unique_ptr<NodeTree> tree_;
  Disk disk_;
  int boots_ = 0;
  FakeServices services_;
  FaultyFiles faults_;
};

Change add(std::vector<std::string> entries);
Change remove(std::vector<std::string> entries);
Change set(std::vector<std::string> entries);

/// The record of the only, or the newest, transaction.
Result<Transaction> newest_record(Lab& lab);

/// The ids of findings, in order.
std::vector<std::string> ids_of(const std::vector<Finding>& findings);

/// A unit that starts `command` with an operator's /etc/default/kubelet, and that file.
Lab::NodeFiles plain_node(const std::string& command, const std::string& environment_file);

}  // namespace kubelet_sysctl
