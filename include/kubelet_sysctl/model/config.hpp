// SPDX-License-Identifier: Apache-2.0
// What the configuration file and the drop-ins of a kubelet say: the layers of the list, the endpoint.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/kubelet/config_merge.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl::model {

struct ConfigLayers {
  /// The one that decides is the last; one that does not set the list is so marked.
  std::vector<Layer> layers;
  std::vector<ConfigFile> files;  ///< NodeModel::config_files
  std::optional<int> healthz_port;
  std::optional<std::string> healthz_address;
  /// Set where releases differ in what they make of the files and the node's own is not known.
  std::optional<Error> depends_on_release;
  std::optional<Error> doubt;  ///< a value with which some release may not start
};

/// Reads the files that `model`'s flags name. Errors: kMalformed with the place and the kubelet's words for
/// whatever in them keeps a kubelet from starting.
Result<ConfigLayers> config_layers(const nodes::NodeSnapshot& snapshot, const NodeModel& model);

/// The rule by which the node's kubelet merges drop-ins; the newest one where its release is not known.
kubelet::MergeRule merge_rule_of(const nodes::NodeSnapshot& snapshot);

/// Why the kubelet does not start: the file or the directory that its flags name is not there, or a variable
/// that its release needs for it. Nothing where they are, where they could not be read, and where a program
/// that runs the kubelet writes them at its start.
std::optional<Error> missing_config(const nodes::NodeSnapshot& snapshot, const NodeModel& model);

/// Why it is unknown here what the kubelet reads as its configuration: a setting of the unit that puts other files
/// there. Nothing where none does, where no configuration is named, and where a flag has the list.
/// Source: systemd.exec(5). EnvironmentFile= is read by systemd itself, before any of them.
std::optional<Error> other_files(const nodes::NodeSnapshot& snapshot, const NodeModel& model);

}  // namespace kubelet_sysctl::model
