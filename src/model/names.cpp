// SPDX-License-Identifier: Apache-2.0
// What reports and plans ask of a model: the names of its parts, the winner, the texts of a list.
#include <algorithm>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/model/model.hpp"

namespace kubelet_sysctl::model {

const char* name_of(LayerKind kind) {
  switch (kind) {
    case LayerKind::kConfig:
      return "config";
    case LayerKind::kConfigDir:
      return "config-dir";
    case LayerKind::kFlag:
      return "flag";
  }
  bug("a layer kind without a name");
}

const char* name_of(RunningList::Evidence evidence) {
  switch (evidence) {
    case RunningList::Evidence::kArgv:
      return "argv";
    case RunningList::Evidence::kConfigFile:
      return "config-file";
    case RunningList::Evidence::kLog:
      return "log";
    case RunningList::Evidence::kConfigz:
      return "configz";
    case RunningList::Evidence::kNone:
      return "none";
  }
  bug("an evidence without a name");
}

const Layer* winner_of(const NodeModel& model) {
  const auto winner = std::find_if(model.layers.begin(), model.layers.end(),
                                   [](const Layer& layer) { return layer.wins; });
  return winner == model.layers.end() ? nullptr : &*winner;
}

std::vector<std::string> texts_of(const std::vector<Entry>& entries) {
  std::vector<std::string> texts;
  texts.reserve(entries.size());
  for (const Entry& entry : entries) texts.push_back(entry.text);
  return texts;
}

}  // namespace kubelet_sysctl::model
