// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the configuration of k3s: no input crashes it, every byte of a word knows a place in the file,
// and an edit that the plan accepts gives the list that was asked for.
#include <cstdint>
#include <string>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"
#include "rules.hpp"

using kubelet_sysctl::fuzz::expect;
using kubelet_sysctl::nodes::NodeSnapshot;

namespace {

constexpr const char* kConfig = "/etc/rancher/k3s/config.yaml";

std::int32_t put(kubelet_sysctl::nodes::NodeSnapshot& snapshot, const std::string& path,
                 std::string bytes) {
  kubelet_sysctl::SourceFile file;
  file.path = file.real_path = path;
  file.kind = kubelet_sysctl::FileKind::kRegular;
  file.bytes = std::move(bytes);
  snapshot.files.push_back(std::move(file));
  return static_cast<std::int32_t>(snapshot.files.size() - 1);
}

kubelet_sysctl::nodes::NodeSnapshot node_with(std::string config) {
  kubelet_sysctl::nodes::NodeSnapshot snapshot;
  snapshot.unit.load = kubelet_sysctl::systemd::UnitLoad::kLoaded;
  snapshot.unit.name = snapshot.unit.id = "k3s.service";
  snapshot.unit.fragment_path = "/etc/systemd/system/k3s.service";
  snapshot.unit.fragment = put(snapshot, snapshot.unit.fragment_path,
                               "[Service]\nExecStart=/usr/local/bin/k3s server\n");
  snapshot.process_cwd = "/";
  snapshot.kubelet_version =
      kubelet_sysctl::sysctl::KubeletVersion{.major = 1, .minor = 31, .patch = 0};
  snapshot.launcher_files.push_back(put(snapshot, kConfig, std::move(config)));
  return snapshot;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kubelet_sysctl::nodes::NodeSnapshot snapshot = node_with(std::string(data, data + size));
  const auto model = kubelet_sysctl::model::resolve(snapshot);
  if (!model) return 0;
  for (const auto& word : model->command.words) {
    kubelet_sysctl::fuzz::expect_origins(
        word.text, {snapshot.files[0].bytes.size(), snapshot.files[1].bytes.size()});
  }
  kubelet_sysctl::planning::Change change;
  change.verb = kubelet_sysctl::planning::Verb::kAdd;
  change.entries = {"kernel.sem"};
  const auto plan = kubelet_sysctl::planning::make_plan(snapshot, *model, change);
  if (!plan || plan->edits.empty()) return 0;
  const auto after = kubelet_sysctl::planning::model_after(snapshot, plan->edits);
  expect(after && kubelet_sysctl::model::configured_texts(*after) == plan->after,
         "an accepted edit gives the list");
  return 0;
}
