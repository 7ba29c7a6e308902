// SPDX-License-Identifier: Apache-2.0
// A node on disk with everything pretended around it.
#include "engine/lab.hpp"

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

std::string unit_in(Disk& disk) {
  auto unit = choose_unit(disk, kReferenceSystemd);
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

Result<Lab::Prepared> Lab::prepare(const Change& change) {
  Ports node = ports();
  Prepared prepared;
  auto snapshot = kubelet_sysctl::discover(node, discover);
  if (!snapshot) return std::move(snapshot).error();
  prepared.snapshot = std::move(*snapshot);
  auto model = resolve(prepared.snapshot);
  if (!model) return std::move(model).error();
  prepared.model = std::move(*model);
  auto plan = make_plan(prepared.snapshot, prepared.model, change);
  if (!plan) return std::move(plan).error();
  prepared.plan = std::move(*plan);
  return prepared;
}

Result<Outcome> Lab::carry_out(const Prepared& prepared) {
  Ports node = ports();
  return apply(node, prepared.snapshot, prepared.model, prepared.plan, discover, options);
}

Result<Outcome> Lab::change(const Change& change) {
  auto prepared = prepare(change);
  if (!prepared) return std::move(prepared).error();
  return carry_out(*prepared);
}

Result<Outcome> Lab::undo(const std::string& id) {
  Ports node = ports();
  auto transaction = load_transaction(node, id);
  if (!transaction) return std::move(transaction).error();
  Prepared prepared;
  auto snapshot = kubelet_sysctl::discover(node, discover);
  if (!snapshot) return std::move(snapshot).error();
  prepared.snapshot = std::move(*snapshot);
  auto model = resolve(prepared.snapshot);
  if (!model) return std::move(model).error();
  prepared.model = std::move(*model);
  auto plan = make_undo_plan(node, prepared.snapshot, prepared.model, *transaction);
  if (!plan) return std::move(plan).error();
  prepared.plan = std::move(*plan);
  ApplyOptions undoing = options;
  undoing.undoes = id;
  return apply(node, prepared.snapshot, prepared.model, prepared.plan, discover, undoing);
}

Result<std::vector<Recovered>> Lab::recover(const std::string& end_trial) {
  Ports node = ports();
  RecoverOptions wanted;
  wanted.apply = options;
  wanted.end_trial = end_trial;
  return kubelet_sysctl::recover(node, discover, wanted);
}

void Lab::die_after(const std::string& what) {
  options.on_end = [this, what](const Step& step) {
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

Result<NodeModel> Lab::model() {
  Ports node = ports();
  auto snapshot = kubelet_sysctl::discover(node, discover);
  if (!snapshot) return std::move(snapshot).error();
  return resolve(*snapshot);
}

Change add(std::vector<std::string> entries) {
  Change change;
  change.verb = Verb::kAdd;
  change.entries = std::move(entries);
  change.allow_wide = true;  // that 'net.*' needs leave has tests of its own
  return change;
}

Change remove(std::vector<std::string> entries) {
  Change change = add(std::move(entries));
  change.verb = Verb::kRemove;
  return change;
}

Change set(std::vector<std::string> entries) {
  Change change = add(std::move(entries));
  change.verb = Verb::kSet;
  return change;
}

Result<Transaction> newest_record(Lab& lab) {
  Ports node = lab.ports();
  auto all = list_transactions(node);
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
