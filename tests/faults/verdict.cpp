// SPDX-License-Identifier: Apache-2.0
// What must hold after a fault, a kill or a power cut.
#include "faults/verdict.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <vector>

#include <fmt/format.h>

#include "kubelet_sysctl/base/strings.hpp"

namespace kubelet_sysctl {
namespace {

/// The contents that the files may have: as before or after, and with a trial as before it or after it.
std::vector<const Contents*> wholes_of(const VerdictContext& context) {
  std::vector<const Contents*> wholes = {&context.before, &context.after};
  if (context.trial != TrialPart::kNone) wholes.push_back(&context.without_trial());
  return wholes;
}

/// The first path that is in none of them as it is, or is in all of them and gone; empty when there is
/// none.
std::string foreign_path(const Contents& now, const std::vector<const Contents*>& wholes) {
  for (const auto& [path, text] : now) {
    const bool known = std::any_of(wholes.begin(), wholes.end(), [&](const Contents* whole) {
      const auto found = whole->find(path);
      return found != whole->end() && found->second == text;
    });
    if (!known) return path;
  }
  for (const auto& [path, text] : *wholes.front()) {
    const bool always = std::all_of(wholes.begin(), wholes.end(),
                                    [&](const Contents* whole) { return whole->contains(path); });
    if (always && !now.contains(path)) return path;
  }
  return {};
}

std::string text_at(const Contents& all, const std::string& path) {
  const auto found = all.find(path);
  return found == all.end() ? std::string("(absent)") : found->second;
}

}  // namespace

Tally::~Tally() {
  const std::string line = fmt::format(
      "{}: {}, lost {}, mixed {}, temporary left {}, untrue {}, stranded {}, left to a person by a "
      "disk that stays broken {}\n",
      what_, points_, lost_, mixed_, left_, untrue_, stranded_, given_up_);
  std::cout << line;
  const char* file = std::getenv("FAULT_COUNTS");
  if (file != nullptr) std::ofstream(file, std::ios::app) << line;
}

void Tally::point(const std::string& where) {
  ++points_;
  where_ = where;
}

void Tally::violation(std::size_t& count, const char* kind, const std::string& text) {
  ++count;
  constexpr std::size_t kMostShown = 5;
  if (count > kMostShown) return;
  ADD_FAILURE() << kind << " at " << where_ << ": " << text;
}

void Verdict::of_files(Node& node, const Contents& now) {
  const auto wholes = wholes_of(context_);
  const std::string foreign = foreign_path(now, wholes);
  const bool whole =
      std::any_of(wholes.begin(), wholes.end(), [&](const Contents* one) { return *one == now; });
  if (!foreign.empty()) {
    const auto records = node.records();
    const std::string record =
        !records || records->empty()
            ? std::string("no record")
            : fmt::format("its record is {} ({})", name_of(records->back().state),
                          records->back().cause);
    tally_.lost(
        fmt::format("{} is neither old nor new, {}:\n{}", foreign, record, text_at(now, foreign)));
  } else if (!whole) {
    tally_.mixed("some files are old, others new");
  }
}

void Verdict::of_run(Node& node, const Image& image, const Told& told, const Excuse& excuse) {
  const Contents now = Node::contents_of(image);
  const bool is_stranded = told.claim == Claim::kStranded;
  if (is_stranded && excuse.strands) tally_.given_up();
  if (is_stranded && !excuse.strands) tally_.stranded(told.text);
  // A disk that takes nothing any more may have taken a half.
  const bool excused = is_stranded || (told.claim == Claim::kNothing && excuse.may_be_mixed);
  if (!excused) of_files(node, now);
  const auto temporary = Node::temporary_files(image);
  if (!temporary.empty() && !excuse.leaves) tally_.left(joined(temporary, " "));
  if (told.claim == Claim::kOld && now != context_.before) {
    tally_.untrue("told that nothing is changed: " + told.text);
  }
  if (told.claim == Claim::kNew && now != context_.after) {
    tally_.untrue("told that the change is made: " + told.text);
  }
  if (is_stranded && !told.has_commands) tally_.untrue("stranded without a way: " + told.text);
}

void Verdict::of_state(Node& node, const Told& told) {
  if (told.claim == Claim::kOld || told.claim == Claim::kNew) of_kubelet(node);
  of_recovery(node);
}

/// A kubelet runs, with the list that the files give, and can be seen to.
void Verdict::of_kubelet(Node& node) {
  auto model = node.model();
  if (!model) return tally_.untrue("the node cannot be read: " + model.error().message);
  if (node.services().pid() == 0) return tally_.untrue("no kubelet runs");
  const auto records = node.records();
  if (!records) return tally_.untrue("the journal cannot be read: " + records.error().message);
  const bool waits =
      !records->empty() && records->back().state == transaction::TransactionState::kPending;
  if (waits) return;
  const auto files = configured_texts(*model);
  const auto& runs = node.services().started_lists.back();
  if (model->drift || runs != files) {
    tally_.untrue(
        fmt::format("the kubelet has '{}', the files '{}'", joined(runs, ","), joined(files, ",")));
  }
}

void Verdict::of_recovery(Node& node) {
  auto recovered = node.recover();
  if (!recovered) return tally_.lost("recover fails: " + recovered.error().message);
  const Told told = reported(recovered);
  if (told.claim == Claim::kStranded) tally_.stranded("recover: " + told.text);
  const Image image = image_of(node.root());
  const Contents now = Node::contents_of(image);
  of_files(node, now);
  const auto temporary = Node::temporary_files(image);
  if (!temporary.empty()) {
    tally_.left(fmt::format("after recover: {}", joined(temporary, " ")));
  }
  of_kubelet(node);
  of_records(node, now, told);
  of_trial(node);
  of_next_change(node);
}

/// The records are closed and say how the files are.
void Verdict::of_records(Node& node, const Contents& now, const Told& told) {
  const auto records = node.records();
  if (!records) return tally_.lost("the journal cannot be read: " + records.error().message);
  for (const transaction::Transaction& one : *records) {
    if (transaction::is_unfinished(one))
      tally_.untrue(fmt::format("{} is open after recover", one.id));
    if (!one.trial) continue;
    const Contents& wanted =
        transaction::stands(one) ? context_.with_trial() : context_.without_trial();
    if (now != wanted) tally_.untrue(fmt::format("the trial is {}", name_of(one.state)));
  }
  if (context_.trial != TrialPart::kNone) return;
  if (told.claim == Claim::kOld && now != context_.before) tally_.untrue("recover says: undone");
  if (told.claim == Claim::kNew && now != context_.after) tally_.untrue("recover says: it is kept");
}

/// A trial that runs will end, and nothing of one that does not is left.
void Verdict::of_trial(Node& node) {
  const auto records = node.records();
  if (!records) return;
  const auto runs =
      std::any_of(records->begin(), records->end(), [](const transaction::Transaction& one) {
        return one.state == transaction::TransactionState::kTrial;
      });
  if (runs && (node.services().timers.empty() || !node.has_boot_unit())) {
    tally_.untrue("a trial that nothing will end");
  }
  if (runs) {
    auto ended = node.end_trial();
    if (!ended) return tally_.untrue("the trial cannot be ended: " + ended.error().message);
    of_files(node, node.contents());
    of_kubelet(node);
  }
  // A timer that could not be stopped finds nothing to end when it fires.
  if (!node.services().timers.empty()) {
    const Contents before = node.contents();
    if (auto ended = node.end_trial(); !ended) tally_.untrue(ended.error().message);
    if (node.contents() != before) tally_.untrue("a timer without a trial changed files");
  }
  if (node.has_boot_unit()) tally_.left("the unit that ends a trial at boot");
}

void Verdict::of_next_change(Node& node) {
  node.services().misbehave({});
  planning::Change change;
  change.verb = planning::Verb::kSet;
  change.entries = {"kernel.sem", "kernel.shm*"};
  const auto outcome = node.change(change);
  if (!outcome) return tally_.lost("the next change fails: " + outcome.error().message);
  if (outcome->kind != transaction::OutcomeKind::kApplied) {
    return tally_.lost(fmt::format("the next change is {}", name_of(outcome->kind)));
  }
  if (node.services().started_lists.back() != change.entries) {
    tally_.untrue("the next change is not in the kubelet");
  }
  const auto temporary = Node::temporary_files(image_of(node.root()));
  if (!temporary.empty()) tally_.left("after the next change");
}

}  // namespace kubelet_sysctl
