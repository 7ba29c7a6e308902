// SPDX-License-Identifier: Apache-2.0
// Each call that changes a file fails once, in every way, alone and for good: the files are the old ones
// or the new ones, the program says which, and the next run finds its way.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include <fmt/format.h>

#include "faults/verdict.hpp"
#include "kubelet_sysctl/pods/verdicts.hpp"

namespace kubelet_sysctl {
namespace {

/// One way in which a call can fail.
struct Way {
  FaultKind kind;
  int error;
  const char* name;
};

constexpr std::array<Way, 5> kOnce = {{{FaultKind::kOnce, ENOSPC, "ENOSPC"},
                                       {FaultKind::kOnce, EIO, "EIO"},
                                       {FaultKind::kOnce, EROFS, "EROFS"},
                                       {FaultKind::kOnce, EINTR, "EINTR"},
                                       {FaultKind::kOnce, EPERM, "EPERM"}}};
constexpr std::array<Way, 2> kForGood = {{{FaultKind::kForGood, ENOSPC, "ENOSPC for good"},
                                          {FaultKind::kForGood, EROFS, "EROFS for good"}}};
constexpr Way kShort = {FaultKind::kShort, 0, "a short write"};
constexpr Way kFullDisk = {FaultKind::kFullDisk, ENOSPC, "a full disk"};

/// One action from one start, with a fault at each of its calls.
class Walk {
 public:
  Walk(const Scenario& scenario, const VerdictContext& context, const Start& start,
       std::function<Told(Node&)> act, bool every_error, Tally& tally)
      : scenario_(scenario),
        context_(context),
        start_(start),
        act_(std::move(act)),
        every_error_(every_error),
        tally_(tally),
        verdict_(context, tally) {}

  void run() {
    auto node = node_at(scenario_, start_);
    const Contents found = node->contents();
    begins_mixed_ = found != context_.before && found != context_.after;
    begins_with_temporaries_ = !Node::temporary_files(image_of(node->root())).empty();
    Told told;
    disturb(*node, act_, {}, told);
    const auto calls = SystemCalls::instance().calls();
    const auto need_room = SystemCalls::instance().need_room();
    for (std::size_t i = 0; i < calls.size(); ++i) {
      if (!is_tried(scenario_, i + 1)) continue;
      fail_with_one_of(kOnce, i + 1);
      fail_with_one_of(kForGood, i + 1);
      if (calls[i].starts_with("write ")) fail(kShort, i + 1);
      // Where no room is needed, the next call that needs some is the one that fails.
      if (need_room[i]) fail(kFullDisk, i + 1);
    }
  }

 private:
  /// With each of them where the scenario is tried with every error, else with one after the other.
  template <std::size_t kSize>
  void fail_with_one_of(const std::array<Way, kSize>& ways, std::size_t number) {
    if (!every_error_) return fail(ways[number % kSize], number);
    for (const Way& way : ways) fail(way, number);
  }

  void fail(const Way& way, std::size_t number) {
    auto node = node_at(scenario_, start_);
    Told told;
    const Fault fault{.kind = way.kind, .number = number, .error = way.error};
    disturb(*node, act_, fault, told);
    if (!SystemCalls::instance().has_struck()) return;
    tally_.point(fmt::format("{} {}: {} at call {}, {}", scenario_.name, start_.what, way.name,
                             number, SystemCalls::instance().calls()[number - 1]));
    const Image image = image_of(node->root());
    verdict_.of_run(*node, image, told, excuse_of(way));
    // What was left in the same way before was inspected and recovered from before.
    if (known_.insert(node->fingerprint(image, way.error)).second) verdict_.of_state(*node, told);
  }

  [[nodiscard]] Excuse excuse_of(const Way& way) const {
    const bool for_good = way.kind == FaultKind::kForGood;
    // What was removed cannot be made again without room.
    const bool is_gone =
        std::any_of(context_.before.begin(), context_.before.end(),
                    [&](const auto& file) { return !context_.after.contains(file.first); });
    const bool no_room = way.kind == FaultKind::kFullDisk && is_gone;
    // With a kubelet that refuses, the fault may strike on the way back.
    return {.strands = for_good || no_room || start_.refused,
            .leaves = for_good || start_.refused || begins_with_temporaries_,
            .may_be_mixed = for_good || begins_mixed_};
  }

  const Scenario& scenario_;
  const VerdictContext& context_;
  const Start& start_;
  std::function<Told(Node&)> act_;
  bool every_error_;
  Tally& tally_;
  Verdict verdict_;
  bool begins_mixed_ = false;
  bool begins_with_temporaries_ = false;  // those of the killed run, until recover() succeeds
  std::set<std::string> known_;
};

Told recover_reported(Node& node) { return reported(node.recover()); }

class FaultsOfAChange : public ::testing::TestWithParam<Scenario> {};

TEST_P(FaultsOfAChange, LeaveOldOrNewFilesAndTheTruth) {
  const VerdictContext context = context_of(GetParam());
  Tally tally("fault points, pretended node");
  Start start;
  start.refused = !GetParam().refused.empty();
  Walk(GetParam(), context, start, GetParam().act, GetParam().thoroughly, tally).run();
  EXPECT_GT(tally.points(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Nodes, FaultsOfAChange, ::testing::ValuesIn(all_scenarios()),
                         [](const auto& one) { return one.param.name; });

class FaultsOfARecovery : public ::testing::TestWithParam<Scenario> {};

TEST_P(FaultsOfARecovery, LeaveOldOrNewFilesAndTheTruth) {
  const VerdictContext context = context_of(GetParam());
  Tally tally("fault points in recover, pretended node");
  for (const Start& start : starts_of(GetParam(), context)) {
    Walk(GetParam(), context, start, recover_reported, false, tally).run();
  }
  EXPECT_GT(tally.points(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Nodes, FaultsOfARecovery, ::testing::ValuesIn(recovery_scenarios()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace kubelet_sysctl
