// SPDX-License-Identifier: Apache-2.0
// Nodes, changes of them, and the states in which a change can be cut short.
#include "faults/scenarios.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/pods/verdicts.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/recover.hpp"

#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>

#include <cctype>
#include <cerrno>
#include <filesystem>
#include <ostream>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace kubelet_sysctl {
namespace {

using MakeNode = std::function<std::unique_ptr<Node>()>;

constexpr Milliseconds kTrial{600000};

void must(const Told& told, Claim wanted) {
  if (told.claim != wanted) bug(("the test cannot begin: " + told.text).c_str());
}

planning::Change wish(planning::Verb verb, std::vector<std::string> entries,
                      planning::Via via = planning::Via::kAuto) {
  planning::Change change;
  change.verb = verb;
  change.entries = std::move(entries);
  change.via = via;
  return change;
}

/// Owner and mode that no default gives, for a file that the program may change.
void make_odd(const NodeTree& tree, const std::string& path) {
  if (::chmod(tree.at(path).c_str(), 0640) != 0) bug("no mode can be given");
  if (::geteuid() == 0 && ::chown(tree.at(path).c_str(), 1234, 5678) != 0)
    bug("no owner can be given");
}

std::unique_ptr<NodeTree> tree_of(const std::string& kind) {
  return std::make_unique<NodeTree>(fmt::format("{}/nodes/{}/root", KUBELET_SYSCTL_TEST_DIR, kind));
}

MakeNode of_kind(const std::string& kind, const std::string& odd) {
  return [kind, odd] {
    auto tree = tree_of(kind);
    if (!odd.empty()) make_odd(*tree, odd);
    return std::make_unique<Node>(std::move(tree));
  };
}

/// The operator's file has a second name, so it is written in place.
std::unique_ptr<Node> with_two_names() {
  auto tree = tree_of("kops");
  std::filesystem::create_hard_link(tree->at("/etc/sysconfig/kubelet"),
                                    tree->at("/etc/kubelet.too"));
  make_odd(*tree, "/etc/sysconfig/kubelet");
  return std::make_unique<Node>(std::move(tree));
}

/// The list in two files, so that a change of both can be torn apart.
std::unique_ptr<Node> with_two_files() {
  auto tree = std::make_unique<NodeTree>();
  tree->write("/etc/systemd/system/kubelet.service",
              "[Service]\nEnvironmentFile=/etc/a\nEnvironmentFile=/etc/b\n"
              "ExecStart=/usr/bin/kubelet $A $B\n");
  tree->write("/etc/a", "A=\"--allowed-unsafe-sysctls=net.core.somaxconn,kernel.sem --v=2\"\n");
  tree->write("/etc/b", "B=\"--allowed-unsafe-sysctls=kernel.msg*\"\n");
  make_odd(*tree, "/etc/a");
  make_odd(*tree, "/etc/b");
  return std::make_unique<Node>(std::move(tree));
}

/// A kind of node and what is changed there.
struct Kind {
  std::string name;
  MakeNode node;
  planning::Change add;
  std::optional<planning::Change> remove;
  std::optional<planning::Change> set;
};

std::vector<Kind> kinds() {
  const planning::Change add = wish(planning::Verb::kAdd, {"net.ipv4.tcp_rmem"});
  const planning::Change set = wish(planning::Verb::kSet, {"net.ipv4.tcp_wmem", "kernel.msgmax"});
  const planning::Change less = wish(planning::Verb::kRemove, {"net.core.somaxconn"});
  const planning::Change set_both = wish(planning::Verb::kSet, {"kernel.shmmax"});
  return {
      {"kops", of_kind("kops", "/etc/sysconfig/kubelet"), add, less, set},
      {"kubeadm_deb", of_kind("kubeadm-deb", "/var/lib/kubelet/config.yaml"), add, less, set},
      {"kubeadm_deb_args", of_kind("kubeadm-deb", ""),
       wish(planning::Verb::kAdd, {"net.ipv4.tcp_rmem"}, planning::Via::kArgs), std::nullopt,
       std::nullopt},
      {"kubeadm_rpm", of_kind("kubeadm-rpm", ""), add,
       wish(planning::Verb::kRemove, {"kernel.sem"}), set},
      {"eks_al2023", of_kind("eks-al2023", ""), add, less, set},
      {"two_files", with_two_files, add, wish(planning::Verb::kRemove, {"kernel.msg*"}), set_both},
      {"two_names", with_two_names, add, less, set},
  };
}

void nothing(Node&) {}

std::function<Told(Node&)> act_of(const planning::Change& change) {
  return [change](Node& node) { return reported(node.change(change)); };
}

std::function<Told(Node&)> trial_of(const planning::Change& change) {
  return [change](Node& node) {
    node.options.trial = kTrial;
    const Told told = reported(node.change(change));
    node.options.trial.reset();
    return told;
  };
}

Told without_restart(Node& node, const planning::Change& change) {
  node.options.restart = false;
  const Told told = reported(node.change(change));
  node.options.restart = true;
  return told;
}

/// The timer of the trial fires.
Told end_trial(Node& node) {
  auto recovered = node.end_trial();
  if (!recovered) return reported(recovered);
  if (recovered->empty() || !recovered->back().outcome) return {};
  // What it changes is the trial's change, taken back.
  return reported(Result<transaction::Outcome>(*recovered->back().outcome));
}

Told keep(Node& node) { return reported(node.keep()); }

std::function<void(Node&)> done(std::function<Told(Node&)> act) {
  return [act = std::move(act)](Node& node) { must(act(node), Claim::kNew); };
}

void add_trials(const Kind& kind, std::vector<Scenario>& all) {
  const planning::Change& change = kind.set ? *kind.set : kind.add;
  const auto on_trial = done(trial_of(change));
  all.push_back({.name = kind.name + "_trial",
                 .node = kind.node,
                 .prepare = nothing,
                 .act = trial_of(change),
                 .trial = TrialPart::kBegins});
  all.push_back({.name = kind.name + "_keep",
                 .node = kind.node,
                 .prepare = on_trial,
                 .act = keep,
                 .trial = TrialPart::kIsKept});
  all.push_back({.name = kind.name + "_end_of_trial",
                 .node = kind.node,
                 .prepare =
                     [on_trial](Node& node) {
                       on_trial(node);
                       node.services().wait_until(node.services().now() + kTrial, 0);
                       node.services().due_timers();
                     },
                 .act = end_trial,
                 .trial = TrialPart::kEnds});
}

}  // namespace

Told reported(const Result<transaction::Outcome>& outcome) {
  if (!outcome) return {.claim = Claim::kOld, .text = outcome.error().message};
  Told told;
  if (outcome->cause) told.text = outcome->cause->message;
  told.has_commands = !outcome->commands.empty();
  switch (outcome->kind) {
    case transaction::OutcomeKind::kApplied:
    case transaction::OutcomeKind::kPending:
      told.claim = Claim::kNew;
      break;
    case transaction::OutcomeKind::kStranded:
      told.claim = Claim::kStranded;
      break;
    case transaction::OutcomeKind::kUnchanged:
    case transaction::OutcomeKind::kPlanned:
    case transaction::OutcomeKind::kRolledBack:
      told.claim = Claim::kOld;
      break;
  }
  return told;
}

Told reported(const Result<std::vector<transaction::Recovered>>& recovered) {
  if (!recovered) return {.claim = Claim::kNothing, .text = recovered.error().message};
  Told told;
  for (const transaction::Recovered& one : *recovered) {
    if (one.outcome && one.outcome->cause) told.text = one.outcome->cause->message;
    if (one.outcome) told.has_commands = !one.outcome->commands.empty();
    if (one.transaction.state == transaction::TransactionState::kStranded)
      told.claim = Claim::kStranded;
    if (one.transaction.state == transaction::TransactionState::kRolledBack)
      told.claim = Claim::kOld;
    if (transaction::stands(one.transaction)) told.claim = Claim::kNew;
    if (one.outcome && one.outcome->kind == transaction::OutcomeKind::kStranded)
      told.claim = Claim::kStranded;
  }
  return told;
}

void PrintTo(const Scenario& one, std::ostream* out) { *out << one.name; }
bool is_tried(const Scenario& scenario, std::size_t number) {
  constexpr long kUsual = 2;
  const char* asked = std::getenv("FAULT_EVERY");
  const long every = asked == nullptr ? kUsual : std::strtol(asked, nullptr, 10);
  if (scenario.thoroughly || every <= 1) return true;
  return (number + scenario.name.size()) % static_cast<std::size_t>(every) == 0;
}

std::string name_of(const Scenario& one) { return one.name; }

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all;
  for (const Kind& kind : kinds()) {
    const auto plain = [&](const char* verb, const planning::Change& change) {
      all.push_back({kind.name + verb, kind.node, nothing, act_of(change)});
    };
    plain("_add", kind.add);
    if (kind.remove) plain("_remove", *kind.remove);
    if (kind.set) plain("_set", *kind.set);
    all.back().thoroughly = true;
    const planning::Change& change = kind.set ? *kind.set : kind.add;
    all.push_back({kind.name + "_undo", kind.node, done(act_of(change)),
                   [](Node& node) { return reported(node.undo()); }});
    // The rest knows nothing of routes: on these two it is what it is on kops, one file renamed.
    if (kind.name == "kubeadm_rpm" || kind.name == "kubeadm_deb_args") continue;
    all.push_back({.name = kind.name + "_refused",
                   .node = kind.node,
                   .prepare = nothing,
                   .act = act_of(change),
                   .refused = change.entries.front()});
    all.push_back({kind.name + "_no_restart", kind.node, nothing,
                   [change](Node& node) { return without_restart(node, change); }});
    if (kind.name != "two_names") add_trials(kind, all);
  }
  return all;
}

std::vector<Scenario> recovery_scenarios() {
  std::vector<Scenario> all;
  for (const Kind& kind : kinds()) {
    if (kind.name == "kubeadm_rpm" || kind.name == "kubeadm_deb_args") continue;
    const planning::Change& change = kind.set ? *kind.set : kind.add;
    all.push_back({.name = kind.name + "_change",
                   .node = kind.node,
                   .prepare = nothing,
                   .act = act_of(change),
                   .refused = change.entries.front()});
  }
  const Kind both = kinds()[5];
  all.push_back({.name = both.name + "_trial",
                 .node = both.node,
                 .prepare = nothing,
                 .act = trial_of(*both.set),
                 .refused = both.set->entries.front(),
                 .trial = TrialPart::kBegins});
  return all;
}

VerdictContext context_of(const Scenario& scenario) {
  auto node = scenario.node();
  VerdictContext context;
  context.trial = scenario.trial;
  context.fresh = node->contents();
  scenario.prepare(*node);
  context.before = node->contents();
  must(scenario.act(*node), Claim::kNew);
  context.after = node->contents();
  return context;
}

bool disturb(Node& node, const std::function<Told(Node&)>& act, const Fault& fault, Told& told,
             Volume* volume) {
  SystemCalls& calls = SystemCalls::instance();
  calls.watch(node.root(), fault, volume, [&node] { node.services().dead = true; });
  told = act(node);
  calls.rest();
  node.services().dead = false;
  return fault.number <= calls.calls().size();
}

}  // namespace kubelet_sysctl
