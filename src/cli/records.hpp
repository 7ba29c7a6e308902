// SPDX-License-Identifier: Apache-2.0
// What commands that only read tell of the records of changes.
#pragma once

#include <optional>
#include <vector>

#include "cli/session.hpp"
#include "kubelet_sysctl/report.hpp"

namespace kubelet_sysctl {

/// Now, on the node of the ports.
Moment moment_of(Ports& ports);

/// One line on standard error for a run that is at work; none for programs.
void say_in_progress(Session& session, const Moment& moment);

/// One line on standard error for a change that did not come to its end; none for programs.
void say_unfinished(Session& session, const std::vector<Transaction>& all, const Moment& moment);

/// `error` with its command of the tree that the options name.
Error in_root(Error error, const Options& options);
/// What is said of records that do not parse: each is left out, and all else is told.
std::vector<Finding> broken_records(const Records& records, const Options& options);

/// All records; an unfinished change is said, as above. Nothing where they cannot be read: those that this
/// user may not read are passed over, a broken one becomes a warning: on standard error, or, where a
/// program reads what is printed, in `findings`.
std::optional<std::vector<Transaction>> tell_records(Session& session, Ports& ports,
                                                     const Moment& moment,
                                                     std::vector<Finding>& findings);

/// The changes that are open, of the records as above.
OpenChanges tell_open_changes(Session& session, Ports& ports, std::vector<Finding>& findings);

}  // namespace kubelet_sysctl
