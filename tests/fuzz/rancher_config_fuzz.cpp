// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the configuration of k3s: no input crashes it, every byte of a word knows a place in the file,
// and an edit that the plan accepts gives the list that was asked for.
#include <cstdint>
#include <string>

#include "kubelet_sysctl/kubelet_host.hpp"
#include "kubelet_sysctl/model.hpp"
#include "kubelet_sysctl/plan.hpp"
#include "rules.hpp"

using kubelet_sysctl::NodeSnapshot;
using kubelet_sysctl::SourceFile;
using kubelet_sysctl::fuzz::expect;

namespace {

constexpr const char* kConfig = "/etc/rancher/k3s/config.yaml";

std::int32_t put(NodeSnapshot& snapshot, const std::string& path, std::string bytes) {
  SourceFile file;
  file.path = file.real_path = path;
  file.kind = kubelet_sysctl::FileKind::kRegular;
  file.bytes = std::move(bytes);
  snapshot.files.push_back(std::move(file));
  return static_cast<std::int32_t>(snapshot.files.size() - 1);
}

NodeSnapshot node_with(std::string config) {
  NodeSnapshot snapshot;
  snapshot.unit.load = kubelet_sysctl::UnitLoad::kLoaded;
  snapshot.unit.name = snapshot.unit.id = "k3s.service";
  snapshot.unit.fragment_path = "/etc/systemd/system/k3s.service";
  snapshot.unit.fragment = put(snapshot, snapshot.unit.fragment_path,
                               "[Service]\nExecStart=/usr/local/bin/k3s server\n");
  snapshot.process_cwd = "/";
  snapshot.kubelet_version = kubelet_sysctl::KubeletVersion{.major = 1, .minor = 31, .patch = 0};
  snapshot.host_files.push_back(put(snapshot, kConfig, std::move(config)));
  return snapshot;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const NodeSnapshot snapshot = node_with(std::string(data, data + size));
  const auto model = kubelet_sysctl::resolve(snapshot, kubelet_sysctl::Checks::kSkip);
  if (!model) return 0;
  for (const auto& word : model->command.words) {
    kubelet_sysctl::fuzz::expect_origins(
        word.text, {snapshot.files[0].bytes.size(), snapshot.files[1].bytes.size()});
  }
  kubelet_sysctl::Change change;
  change.verb = kubelet_sysctl::Verb::kAdd;
  change.entries = {"kernel.sem"};
  const auto plan = kubelet_sysctl::make_plan(snapshot, *model, change);
  if (!plan || plan->edits.empty()) return 0;
  const auto after = kubelet_sysctl::model_after(snapshot, plan->edits);
  expect(after && kubelet_sysctl::texts_of(after->configured) == plan->after,
         "an accepted edit gives the list");
  return 0;
}
