// SPDX-License-Identifier: Apache-2.0
// A pretend node that survives the program: what the program's verbs do on it, and what it then holds.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "faults/volume.hpp"
#include "kubelet_sysctl/base/error.hpp"
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
#include "support/node_tree.hpp"

namespace kubelet_sysctl {

/// Every file, link and directory of a node with bytes, owner, mode and number of names; but not /proc,
/// the program's own journal, the unit that ends a trial at boot, and temporary files.
using Contents = std::map<std::string, std::string>;

class Node {
 public:
  explicit Node(std::unique_ptr<NodeTree> tree);

  // The verbs, each as the command line carries it out: under the lock, and what was not finished
  // first.
  Result<transaction::Outcome> change(const planning::Change& change);
  Result<transaction::Outcome> undo();
  Result<transaction::Outcome> keep();
  Result<std::vector<transaction::Recovered>> recover();
  /// recover(), as the timer of the newest trial calls it.
  Result<std::vector<transaction::Recovered>> end_trial();

  /// The power goes and comes again: the disk holds `image`, the kubelet is started from it a day later.
  void reboot(const Image& image);

  [[nodiscard]] const std::string& root() const { return tree_->root(); }
  FakeServices& services() { return *services_; }
  [[nodiscard]] Contents contents() const { return contents_of(image_of(root())); }
  static Contents contents_of(const Image& image);
  /// Equal for two nodes on which all that follows is equal: every file, the kubelet and the manager; but
  /// not the text of `error` in a record.
  [[nodiscard]] std::string fingerprint(const Image& image, int error) const;
  /// Temporary files, those in the journal too.
  static std::vector<std::string> temporary_files(const Image& image);
  /// The unit that ends a trial at boot.
  [[nodiscard]] bool has_boot_unit() const;
  Result<std::vector<transaction::Transaction>> records();
  Result<model::NodeModel> model();

  transaction::ApplyOptions options;

 private:
  using Planner =
      std::function<Result<planning::Plan>(const nodes::NodeSnapshot&, const model::NodeModel&)>;

  void begin(const std::string& boot_id);
  Result<std::unique_ptr<ports::FileLock>> lock();
  Result<std::vector<transaction::Recovered>> recover_under_lock(const std::string& end_trial);
  Result<transaction::Outcome> carry_out(const Planner& planner, const std::string& undoes);

  std::unique_ptr<NodeTree> tree_;
  machine::Disk disk_;
  std::unique_ptr<FakeServices> services_;
  discover::DiscoverOptions discover_;
};

}  // namespace kubelet_sysctl
