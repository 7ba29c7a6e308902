// SPDX-License-Identifier: Apache-2.0
// What commands that only read tell of the records of changes.
#pragma once

#include <vector>

#include "cli/session.hpp"
#include "kubelet_sysctl/report.hpp"

namespace kubelet_sysctl {

/// Now, on the node of the ports.
Moment moment_of(Ports& ports);

/// One line on standard error for a change that did not come to its end; with -o json nothing.
void say_unfinished(Session& session, const std::vector<Transaction>& all, const Moment& moment);

/// The changes that are open; an unfinished one is said, as above. Records that this user may not
/// read are passed over. A record that cannot be read becomes a warning: on standard error, or with
/// -o json in `findings`.
OpenChanges tell_open_changes(Session& session, Ports& ports, std::vector<Finding>& findings);

}  // namespace kubelet_sysctl
