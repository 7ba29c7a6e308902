// SPDX-License-Identifier: Apache-2.0
// The program dies at each call that changes a file, by a kill or by a power cut that takes whatever was
// not synchronised: the next recover() ends with the old files or the new ones and a kubelet that runs
// with them.
#include <gtest/gtest.h>

#include <set>

#include <fmt/format.h>

#include "faults/verdict.hpp"
#include "kubelet_sysctl/pods/verdicts.hpp"

namespace kubelet_sysctl {
namespace {

/// One action from one start, cut short at each of its calls.
class Walk {
 public:
  Walk(const Scenario& scenario, const VerdictContext& context, const Start& start,
       std::function<Told(Node&)> act, Tally& kills, Tally& cuts)
      : scenario_(scenario),
        start_(start),
        act_(std::move(act)),
        kills_(kills),
        cuts_(cuts),
        after_kill_(context, kills),
        after_cut_(context, cuts) {}

  void run() {
    for (std::size_t number = 1; !is_tried(scenario_, number) || die(number); ++number) continue;
  }

 private:
  bool die(std::size_t number) {
    auto node = node_at(scenario_, start_);
    Volume volume(node->root());
    Told told;
    const Fault fault{.kind = FaultKind::kDeath, .number = number};
    if (!disturb(*node, act_, fault, told, &volume)) return false;
    const std::string where = fmt::format("{} {}: call {}, {}", scenario_.name, start_.what, number,
                                          SystemCalls::instance().calls()[number - 1]);
    const auto images = images_of(volume);
    kills_.point(where + ", killed");
    after_kill_.of_recovery(*node);
    for (const auto& [what, image] : images) {
      // The same disk after another call ends in the same way.
      if (!known_.insert(image.fingerprint()).second) continue;
      cuts_.point(where + ", power cut, " + what);
      node->reboot(image);
      after_cut_.of_recovery(*node);
    }
    return true;
  }

  [[nodiscard]] std::vector<std::pair<std::string, Image>> images_of(const Volume& volume) const {
    const unsigned seeds = scenario_.thoroughly ? 6 : 1;
    std::vector<std::pair<std::string, Image>> images = {
        {"what was synchronised", volume.after_power_cut(Survives::kNothing)},
        {"names without bytes", volume.after_power_cut(Survives::kNames)},
        {"torn", volume.after_power_cut(Survives::kTornOdd)},
        {"torn the other way", volume.after_power_cut(Survives::kTornEven)}};
    for (unsigned seed = 0; seed < seeds; ++seed) {
      images.emplace_back(fmt::format("by chance {}", seed),
                          volume.after_power_cut(Survives::kChance, seed));
    }
    return images;
  }

  const Scenario& scenario_;
  const Start& start_;
  std::function<Told(Node&)> act_;
  Tally& kills_;
  Tally& cuts_;
  Verdict after_kill_;
  Verdict after_cut_;
  std::set<std::string> known_;
};

Told recover_reported(Node& node) { return reported(node.recover()); }

class DeathInAChange : public ::testing::TestWithParam<Scenario> {};

TEST_P(DeathInAChange, IsRecoveredFrom) {
  const VerdictContext context = context_of(GetParam());
  Tally kills("crash points, killed");
  Tally cuts("crash points, power cut");
  Start start;
  start.refused = !GetParam().refused.empty();
  Walk(GetParam(), context, start, GetParam().act, kills, cuts).run();
  EXPECT_GT(kills.points(), 0U);
  EXPECT_GT(cuts.points(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Nodes, DeathInAChange, ::testing::ValuesIn(all_scenarios()),
                         [](const auto& one) { return one.param.name; });

class DeathInARecovery : public ::testing::TestWithParam<Scenario> {};

TEST_P(DeathInARecovery, IsRecoveredFrom) {
  const VerdictContext context = context_of(GetParam());
  Tally kills("crash points in recover, killed");
  Tally cuts("crash points in recover, power cut");
  for (const Start& start : starts_of(GetParam(), context)) {
    Walk(GetParam(), context, start, recover_reported, kills, cuts).run();
  }
  EXPECT_GT(kills.points(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Nodes, DeathInARecovery, ::testing::ValuesIn(recovery_scenarios()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace kubelet_sysctl
