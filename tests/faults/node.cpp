// SPDX-License-Identifier: Apache-2.0
// A pretend node that survives the program.
#include "faults/node.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/apply.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/recover.hpp"
#include "kubelet_sysctl/transaction/undo.hpp"

#include <filesystem>

#include <fmt/format.h>

namespace kubelet_sysctl {
namespace {

constexpr const char* kLock = "/var/lib/kubelet-sysctl/lock";
constexpr const char* kBootUnit = "/etc/systemd/system/kubelet-sysctl-recover.service";
constexpr const char* kBootId = "/proc/sys/kernel/random/boot_id";

bool is_temporary(const std::string& path) {
  return path.find(".kubelet-sysctl~") != std::string::npos;
}

/// True for what is at `directory` or below it.
bool is_in(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

bool went_wrong(const transaction::Recovered& one) {
  return one.outcome && (one.outcome->kind == transaction::OutcomeKind::kRolledBack ||
                         one.outcome->kind == transaction::OutcomeKind::kStranded);
}

}  // namespace

Node::Node(std::unique_ptr<NodeTree> tree) : tree_(std::move(tree)), disk_(tree_->root()) {
  options.author = {
      .uid = 0, .login_uid = {}, .sudo_user = "alice", .reason = "a test", .tool_version = "0.0"};
  options.window = Milliseconds(1000);
  options.timeout = Milliseconds(5000);
  options.program = "/usr/bin/kubelet-sysctl";
  discover_.systemd_version = 252;
  begin("00000000-0000-4000-8000-000000000001");
  services_->boot();
}

void Node::begin(const std::string& boot_id) {
  tree_->write(kBootId, boot_id + "\n");
  services_ = std::make_unique<FakeServices>(tree_->root(), disk_);
}

void Node::reboot(const Image& image) {
  services_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(root() + "/proc")) {
    std::filesystem::remove_all(entry.path());
  }
  image.put(root());
  begin("00000000-0000-4000-8000-000000000002");
  services_->wait_until(services_->now() + std::chrono::hours(24), 0);
  // A file that is not whole may keep it from starting.
  static_cast<void>(services_->restart("kubelet.service", Milliseconds(1000)));
  services_->wait_until(services_->now() + std::chrono::minutes(1), 0);
  services_->changes.clear();
}

Result<std::unique_ptr<ports::FileLock>> Node::lock() {
  ports::FileSystem& files = services_->files();
  if (auto made = files.make_directory(transaction::kStateDirectory, 0700); !made)
    return std::move(made).error();
  return files.lock(kLock, Milliseconds(0), "a test");
}

Result<std::vector<transaction::Recovered>> Node::recover_under_lock(const std::string& end_trial) {
  ports::Ports ports = services_->ports();
  transaction::RecoverOptions wanted;
  wanted.apply = options;
  wanted.apply.trial.reset();
  wanted.end_trial = end_trial;
  return transaction::recover(ports, discover_, wanted);
}

Result<std::vector<transaction::Recovered>> Node::recover() {
  auto lock = this->lock();
  if (!lock) return std::move(lock).error();
  return recover_under_lock({});
}

Result<std::vector<transaction::Recovered>> Node::end_trial() {
  auto lock = this->lock();
  if (!lock) return std::move(lock).error();
  auto all = records();
  if (!all) return std::move(all).error();
  return recover_under_lock(all->empty() ? std::string() : all->back().id);
}

Result<transaction::Outcome> Node::carry_out(const Planner& planner, const std::string& undoes) {
  ports::Ports ports = services_->ports();
  auto recovered = recover_under_lock({});
  if (!recovered) return std::move(recovered).error();
  if (!recovered->empty() && went_wrong(recovered->back())) return *recovered->back().outcome;
  auto snapshot = discover::discover(ports, discover_);
  if (!snapshot) return std::move(snapshot).error();
  auto model = checks::resolve_and_check(*snapshot);
  if (!model) return std::move(model).error();
  auto plan = planner(*snapshot, *model);
  if (!plan) return std::move(plan).error();
  transaction::ApplyOptions wanted = options;
  wanted.undoes = undoes;
  if (!undoes.empty()) wanted.trial.reset();
  return transaction::apply(ports, *snapshot, *model, *plan, discover_, wanted);
}

Result<transaction::Outcome> Node::change(const planning::Change& change) {
  auto lock = this->lock();
  if (!lock) return std::move(lock).error();
  return carry_out(
      [&change](const nodes::NodeSnapshot& snapshot, const model::NodeModel& model) {
        return planning::make_plan(snapshot, model, change);
      },
      {});
}

Result<transaction::Outcome> Node::undo() {
  auto lock = this->lock();
  if (!lock) return std::move(lock).error();
  auto all = records();
  if (!all) return std::move(all).error();
  const auto newest = transaction::newest_undoable(*all);
  if (!newest) return Error{.kind = ErrorKind::kNotFound, .message = "there is no change to undo"};
  ports::Ports ports = services_->ports();
  auto record = transaction::load_transaction(ports, *newest);
  if (!record) return std::move(record).error();
  return carry_out(
      [&](const nodes::NodeSnapshot& snapshot, const model::NodeModel& model) {
        return transaction::make_undo_plan(ports, snapshot, model, *record);
      },
      *newest);
}

Result<transaction::Outcome> Node::keep() {
  auto lock = this->lock();
  if (!lock) return std::move(lock).error();
  auto all = records();
  if (!all) return std::move(all).error();
  ports::Ports ports = services_->ports();
  auto trial = transaction::load_transaction(ports, all->back().id);
  if (!trial) return std::move(trial).error();
  transaction::Outcome outcome;
  outcome.verb = planning::Verb::kKeep;
  if (auto kept = transaction::keep_trial(ports, *trial, outcome); !kept)
    return std::move(kept).error();
  outcome.kind = transaction::OutcomeKind::kApplied;
  return outcome;
}

Contents Node::contents_of(const Image& image) {
  Contents all;
  for (const auto& [path, entry] : image.entries) {
    if (path == kBootUnit || is_temporary(path)) continue;
    if (is_in(path, transaction::kStateDirectory) || is_in(transaction::kStateDirectory, path))
      continue;
    all[path] = fmt::format("{:o} {}:{} {}\n{}", entry.mode, entry.uid, entry.gid, entry.links,
                            entry.bytes);
  }
  return all;
}

std::string Node::fingerprint(const Image& image, int error) const {
  std::string text = image.fingerprint();
  const std::string words = machine::errno_text(error);
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at)) {
    text.replace(at, words.size(), "?");
  }
  text += fmt::format("{} {} {} {} {}", services_->elapsed_ms(), services_->pid(),
                      services_->started_lists.size(), services_->timers.size(),
                      services_->enabled_units.size());
  return text;
}

std::vector<std::string> Node::temporary_files(const Image& image) {
  std::vector<std::string> found;
  for (const auto& [path, entry] : image.entries) {
    if (is_temporary(path)) found.push_back(path);
  }
  return found;
}

bool Node::has_boot_unit() const { return tree_->exists(kBootUnit); }

Result<std::vector<transaction::Transaction>> Node::records() {
  ports::Ports ports = services_->ports();
  return transaction::list_transactions(ports);
}

Result<model::NodeModel> Node::model() {
  ports::Ports ports = services_->ports();
  auto snapshot = discover::discover(ports, discover_);
  if (!snapshot) return std::move(snapshot).error();
  return model::resolve(*snapshot);
}

}  // namespace kubelet_sysctl
