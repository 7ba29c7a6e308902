// SPDX-License-Identifier: Apache-2.0
// Where a list is, and where a change of it is written.
#pragma once

#include <optional>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"

namespace kubelet_sysctl::planning {

/// The route of one change on one node: design.md, "Where to write".
class RouteChoice {
 public:
  RouteChoice(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
              const Change& change)
      : snapshot_(snapshot), model_(model), change_(change) {}

  /// Of the layer that sets the list today; nothing where none does.
  [[nodiscard]] std::optional<nodes::Route> current() const;
  /// Where the change is written. Errors: kRefused where the file or the route that was named is not read, is
  /// hidden by a flag, or is written again by the kubelet's launcher.
  [[nodiscard]] Result<nodes::Route> choose() const;
  /// The main configuration file; nullptr where none is read or it does not exist.
  [[nodiscard]] const SourceFile* config_file() const;
  /// True when '--file' names it, by its path or by the path that its links lead to.
  [[nodiscard]] bool names(const SourceFile* file) const;

 private:
  [[nodiscard]] bool has_config_dir() const;
  [[nodiscard]] bool is_config_regenerated() const;
  [[nodiscard]] bool in_config_dir() const;
  [[nodiscard]] bool is_argument_file() const;
  [[nodiscard]] Result<nodes::Route> of_config() const;
  [[nodiscard]] Result<nodes::Route> of_file() const;
  [[nodiscard]] Error shadowing_flag() const;

  const nodes::NodeSnapshot& snapshot_;
  const model::NodeModel& model_;
  const Change& change_;
};

}  // namespace kubelet_sysctl::planning
