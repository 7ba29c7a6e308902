// SPDX-License-Identifier: Apache-2.0
// What the program does, on which nodes, while something goes wrong.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "faults/node.hpp"
#include "faults/system_calls.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/pods/verdicts.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/recover.hpp"

namespace kubelet_sysctl {

/// What a run claims of the files.
enum class Claim {
  kOld,       ///< nothing is changed, or all is back
  kNew,       ///< the change is in force
  kStranded,  ///< neither was seen; a person is reported what to do
  kNothing,   ///< a recovery failed: the record stays open
};

struct Told {
  Claim claim = Claim::kNothing;
  std::string text = {};      ///< of the error or the cause
  bool has_commands = false;  ///< a person is reported what to type
};

Told reported(const Result<transaction::Outcome>& outcome);
Told reported(const Result<std::vector<transaction::Recovered>>& recovered);

/// What the scenario is to a trial.
enum class TrialPart { kNone, kBegins, kIsKept, kEnds };

/// One change on one node.
struct Scenario {
  std::string name;  ///< letters, digits and underscores
  std::function<std::unique_ptr<Node>()> node;
  std::function<void(Node&)> prepare;  ///< what was done on it before
  std::function<Told(Node&)> act;
  std::string refused = {};  ///< an entry of the change with which the kubelet dies; empty: none
  TrialPart trial = TrialPart::kNone;
  bool thoroughly = false;  ///< with every error at each call, and more power cuts
};

/// For the messages of GoogleTest.
void PrintTo(const Scenario& one, std::ostream* out);
std::string name_of(const Scenario& one);

/// True for the calls at which this run disturbs the scenario: every second one, which of the two its name
/// decides; FAULT_EVERY=N takes every Nth, FAULT_EVERY=1 all.
bool is_tried(const Scenario& scenario, std::size_t number);

/// add, remove, set and undo on every node; without a restart; with a kubelet that refuses; a trial, its
/// end, and `keep`.
std::vector<Scenario> all_scenarios();
/// The changes after which recover() is disturbed.
std::vector<Scenario> recovery_scenarios();

/// How the files are when nothing disturbs the scenario.
struct VerdictContext {
  Contents fresh;  ///< before it was prepared
  Contents before;
  Contents after;
  TrialPart trial = TrialPart::kNone;

  [[nodiscard]] const Contents& with_trial() const {
    return trial == TrialPart::kBegins ? after : before;
  }
  /// As before all, or as the kubelet of a trial is when the trial is over.
  [[nodiscard]] const Contents& without_trial() const {
    return trial == TrialPart::kEnds ? after : fresh;
  }
};
VerdictContext context_of(const Scenario& scenario);

/// How a recovery finds the node: a change was cut short.
struct Start {
  std::string what = {};            ///< for messages
  Fault fault = {};                 ///< what cut the change short; none: it was not made
  bool refused = false;             ///< and the kubelet did not run with it
  std::optional<Image> image = {};  ///< then the power was cut, and this is left
};

/// The node on which the scenario can begin, or where a recovery of it can.
std::unique_ptr<Node> node_at(const Scenario& scenario, const Start& start);

/// One start for each state that a recovery of this change can find: alive or after a power cut, what
/// the record says, and how each file is.
std::vector<Start> starts_of(const Scenario& scenario, const VerdictContext& context);

/// Carries `act` out on the node with a fault; true when there was such a call.
bool disturb(Node& node, const std::function<Told(Node&)>& act, const Fault& fault, Told& told,
             Volume* volume = nullptr);

}  // namespace kubelet_sysctl
