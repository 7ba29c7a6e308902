// SPDX-License-Identifier: Apache-2.0
// The states in which a change can be cut short, found by cutting it short everywhere.
#include <cerrno>
#include <set>

#include <fmt/format.h>

#include "faults/scenarios.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/pods/verdicts.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl {
namespace {

/// The last record that is open; nothing when none is.
std::optional<transaction::Transaction> open_record(Node& node) {
  const auto all = node.records();
  if (!all || all->empty() || !transaction::is_unfinished(all->back())) return std::nullopt;
  return all->back();
}

/// How each file that the change touches is: old, new, or something else.
std::string stand_of(const Contents& now, const VerdictContext& context) {
  std::set<std::string> paths;
  for (const auto& [path, text] : context.before) paths.insert(path);
  for (const auto& [path, text] : context.after) paths.insert(path);
  const auto at = [](const Contents& all, const std::string& path) {
    const auto found = all.find(path);
    return found == all.end() ? std::string() : found->second;
  };
  std::string stand;
  for (const std::string& path : paths) {
    const std::string before = at(context.before, path);
    const std::string after = at(context.after, path);
    if (before == after) continue;
    const std::string is = at(now, path);
    stand += is == before ? " old" : is == after ? " new" : " torn";
  }
  return stand;
}

class Search {
 public:
  Search(const Scenario& scenario, const VerdictContext& context)
      : scenario_(scenario), context_(context) {}

  std::vector<Start> run() {
    for (std::size_t number = 1; cut(number); ++number) continue;
    for (std::size_t number = 1; strand(number); ++number) continue;
    return std::move(starts_);
  }

 private:
  static constexpr std::size_t kSeeds = 2;

  void take(Node& node, const char* how, Start start) {
    const auto record = open_record(node);
    if (!record) return;
    start.what = fmt::format("{}, {},{}", how, transaction::name_of(record->state),
                             stand_of(node.contents(), context_));
    if (known_.insert(start.what).second) starts_.push_back(std::move(start));
  }

  bool cut(std::size_t number) {
    auto node = node_at(scenario_, {});
    Volume volume(node->root());
    const Fault fault{.kind = FaultKind::kDeath, .number = number};
    Told told;
    if (!disturb(*node, scenario_.act, fault, told, &volume)) return false;
    take(*node, "killed", {.fault = fault});
    std::vector<Image> images;
    for (const Survives survives : {Survives::kNothing, Survives::kNames, Survives::kTornOdd}) {
      images.push_back(volume.after_power_cut(survives));
    }
    for (unsigned seed = 0; seed < kSeeds; ++seed) {
      images.push_back(volume.after_power_cut(Survives::kChance, seed));
    }
    for (Image& image : images) {
      if (!seen_.insert(image.fingerprint()).second) continue;
      node->reboot(image);
      take(*node, "power cut", {.image = image});
    }
    return true;
  }

  /// The kubelet refuses the change, and the way back fails too.
  bool strand(std::size_t number) {
    auto node = node_at(scenario_, {.refused = true});
    const Fault fault{.kind = FaultKind::kOnce, .number = number, .error = EIO};
    Told told;
    if (!disturb(*node, scenario_.act, fault, told)) return false;
    if (told.claim == Claim::kStranded) {
      take(*node, "stranded", {.fault = fault, .refused = true});
    }
    return true;
  }

  const Scenario& scenario_;
  const VerdictContext& context_;
  std::set<std::string> known_;
  std::set<std::string> seen_;
  std::vector<Start> starts_;
};

}  // namespace

std::unique_ptr<Node> node_at(const Scenario& scenario, const Start& start) {
  auto node = scenario.node();
  scenario.prepare(*node);
  if (start.refused) {
    Misbehaviour how;
    how.only_with = scenario.refused;
    how.dies_after = Milliseconds(100);
    node->services().misbehave(how);
  }
  Told told;
  if (start.fault.number != 0) disturb(*node, scenario.act, start.fault, told);
  if (start.image) node->reboot(*start.image);
  return node;
}

std::vector<Start> starts_of(const Scenario& scenario, const VerdictContext& context) {
  return Search(scenario, context).run();
}

}  // namespace kubelet_sysctl
