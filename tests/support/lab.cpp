// SPDX-License-Identifier: Apache-2.0
// A node on disk with everything pretended around it.
#include "support/lab.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/transaction/apply.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/recover.hpp"
#include "kubelet_sysctl/transaction/undo.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "support/elf_program.hpp"

namespace kubelet_sysctl {
namespace {

std::unique_ptr<NodeTree> tree_with(const Lab::NodeFiles& files) {
  auto tree = std::make_unique<NodeTree>();
  for (const auto& [path, bytes] : files) tree->write(path, bytes);
  const std::string program = "/usr/bin/kubelet";
  if (tree->exists(program)) return tree;
  // Installed, of a release that its bytes do not tell.
  tree->write(program, elf_with_data(""));
  std::filesystem::permissions(tree->root() + program,
                               std::filesystem::perms::owner_exec |
                                   std::filesystem::perms::group_exec |
                                   std::filesystem::perms::others_exec,
                               std::filesystem::perm_options::add);
  return tree;
}

std::string unit_in(machine::Disk& disk) {
  auto unit = discover::choose_unit(disk, systemd::kReferenceSystemd);
  return unit ? *unit : "kubelet.service";
}

}  // namespace

Lab::Lab(const std::string& kind)
    : Lab(std::make_unique<NodeTree>(
          fmt::format("{}/nodes/{}/root", KUBELET_SYSCTL_TEST_DIR, kind))) {}

Lab::Lab(const NodeFiles& files) : Lab(tree_with(files)) {}

Lab::Lab(std::unique_ptr<NodeTree> tree)
    : tree_(std::move(tree)),
      disk_(tree_->root()),
      services_(tree_->root(), disk_, unit_in(disk_)),
      faults_(services_.files()) {
  options.author = {
      .uid = 0, .login_uid = 1000, .sudo_user = "alice", .reason = "a test", .tool_version = "0.0"};
  discover.systemd_version = 252;
  discover.unit = unit_in(disk_);
}

Result<Lab::Prepared> Lab::prepare(const planning::Change& change) {
  ports::Ports node = ports();
  Prepared prepared;
  auto snapshot = discover::discover(node, discover);
  if (!snapshot) return std::move(snapshot).error();
  prepared.snapshot = std::move(*snapshot);
  auto model = checks::resolve_and_check(prepared.snapshot);
  if (!model) return std::move(model).error();
  prepared.model = std::move(*model);
  auto plan = planning::make_plan(prepared.snapshot, prepared.model, change);
  if (!plan) return std::move(plan).error();
  prepared.plan = std::move(*plan);
  return prepared;
}

Result<transaction::Outcome> Lab::carry_out(const Prepared& prepared) {
  ports::Ports node = ports();
  return transaction::apply(node, prepared.snapshot, prepared.model, prepared.plan, discover,
                            options);
}

Result<transaction::Outcome> Lab::change(const planning::Change& change) {
  auto prepared = prepare(change);
  if (!prepared) return std::move(prepared).error();
  return carry_out(*prepared);
}

Result<transaction::Outcome> Lab::undo(const std::string& id) {
  ports::Ports node = ports();
  auto transaction = transaction::load_transaction(node, id);
  if (!transaction) return std::move(transaction).error();
  Prepared prepared;
  auto snapshot = discover::discover(node, discover);
  if (!snapshot) return std::move(snapshot).error();
  prepared.snapshot = std::move(*snapshot);
  auto model = checks::resolve_and_check(prepared.snapshot);
  if (!model) return std::move(model).error();
  prepared.model = std::move(*model);
  auto plan = transaction::make_undo_plan(node, prepared.snapshot, prepared.model, *transaction);
  if (!plan) return std::move(plan).error();
  prepared.plan = std::move(*plan);
  transaction::ApplyOptions undoing = options;
  undoing.undoes = id;
  return transaction::apply(node, prepared.snapshot, prepared.model, prepared.plan, discover,
                            undoing);
}

Result<std::vector<transaction::Recovered>> Lab::recover(const std::string& end_trial) {
  ports::Ports node = ports();
  transaction::RecoverOptions wanted;
  wanted.apply = options;
  wanted.end_trial = end_trial;
  return transaction::recover(node, discover, wanted);
}

void Lab::die_after(const std::string& what) {
  options.on_end = [this, what](const transaction::Step& step) {
    if (!step.what.starts_with(what)) return;
    faults_.fail(1, Calls::kAll, Error{.kind = ErrorKind::kIo, .message = "dead"}, true);
    services_.dead = true;
  };
}

void Lab::live() {
  options.on_end = nullptr;
  faults_.heal();
  services_.dead = false;
}

void Lab::reboot() {
  live();
  tree_->write("/proc/sys/kernel/random/boot_id", fmt::format("boot-{}\n", ++boots_));
  services_.stop();
  services_.boot();
}

Result<model::NodeModel> Lab::model() {
  ports::Ports node = ports();
  auto snapshot = discover::discover(node, discover);
  if (!snapshot) return std::move(snapshot).error();
  return model::resolve(*snapshot);
}

planning::Change add(std::vector<std::string> entries) {
  planning::Change change;
  change.verb = planning::Verb::kAdd;
  change.entries = std::move(entries);
  change.allow_wide = true;  // that 'net.*' needs leave has tests of its own
  return change;
}

planning::Change remove(std::vector<std::string> entries) {
  planning::Change change = add(std::move(entries));
  change.verb = planning::Verb::kRemove;
  return change;
}

planning::Change set(std::vector<std::string> entries) {
  planning::Change change = add(std::move(entries));
  change.verb = planning::Verb::kSet;
  return change;
}

Result<transaction::Transaction> newest_record(Lab& lab) {
  ports::Ports node = lab.ports();
  auto all = transaction::list_transactions(node);
  if (!all) return std::move(all).error();
  if (all->empty()) return Error{.kind = ErrorKind::kNotFound, .message = "no transaction"};
  return all->back();
}

std::vector<std::string> ids_of(const std::vector<Finding>& findings) {
  std::vector<std::string> ids;
  for (const Finding& finding : findings) ids.push_back(finding.id);
  return ids;
}

Lab::NodeFiles plain_node(const std::string& command, const std::string& environment_file) {
  Lab::NodeFiles files = {{"/etc/systemd/system/kubelet.service",
                           fmt::format("[Service]\nEnvironmentFile=-/etc/default/kubelet\n"
                                       "ExecStart={}\nRestart=always\n",
                                       command)}};
  if (!environment_file.empty()) files.emplace_back("/etc/default/kubelet", environment_file);
  return files;
}

}  // namespace kubelet_sysctl
