// SPDX-License-Identifier: Apache-2.0
// Flags that the kubelet does not read as flags, because a quote or ${VAR} put them into a value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl::checks {

/// One word of the command that holds flags inside a value.
struct Swallowed {
  std::size_t word = 0;             ///< index of that word
  std::string flag;                 ///< "--allowed-unsafe-sysctls": whose value it is
  std::vector<std::string> hidden;  ///< "--kubeconfig=/etc/kubeconfig", in order
  bool of_list = false;             ///< the list's value holds them, or the list is one of them
  std::string cause;                ///< "this quote makes one word of what follows"
  std::string hint;
  std::int32_t source = kNoSource;  ///< of the place that is the cause
  Span at;
};

/// The words that hold flags inside a value; those of the list first. Empty behind a wrapper.
/// Source: systemd.service(5), "Command lines": ${FOO} is one argument, $FOO is split.
std::vector<Swallowed> swallowed_flags(const nodes::NodeSnapshot& snapshot,
                                       const model::NodeModel& model);

/// True when what the flag gives as the list is no list, or the list's flag is not read.
bool is_list_swallowed(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model);

/// The first word that is the old name of the list's flag; nothing without one.
std::optional<std::size_t> old_list_flag(const model::NodeModel& model);

/// Why the arguments must be corrected by hand before the list is changed; nothing where they need not.
std::optional<Error> argument_fault(const nodes::NodeSnapshot& snapshot,
                                    const model::NodeModel& model);

/// Whether a kubelet with the arguments of `after` has every flag and value that it reads in `before`, the
/// list's aside. Errors: kRefused with what it would lose.
Status keeps_arguments(const nodes::NodeSnapshot& snapshot, const model::NodeModel& before,
                       const model::NodeModel& after);

}  // namespace kubelet_sysctl::checks
