// SPDX-License-Identifier: Apache-2.0
// What `show` knows as metrics, in the text format that the node exporter's textfile collector reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::report {

/// What one run of `show` could read. An absent part makes no series: no number stands for "unknown".
/// The pointers outlive the call.
struct Measured {
  std::string tool_version;
  transaction::Moment moment;                     ///< of this run
  const nodes::NodeSnapshot* snapshot = nullptr;  ///< nullptr: the node could not be read
  const model::NodeModel* model = nullptr;        ///< nullptr: `show` ended with an error
  const std::vector<transaction::Transaction>* records =
      nullptr;  ///< nullptr: they could not be read
};

/// Every metric with its HELP and TYPE, base units, names "kubelet_sysctl_…". Text is made UTF-8: bytes that
/// are not become U+FFFD, as in JSON. No two series of a metric have the same labels.
/// Source: prometheus.io/docs/instrumenting/exposition_formats, text format 0.0.4.
std::string metrics_text(const Measured& measured);

}  // namespace kubelet_sysctl::report
