// SPDX-License-Identifier: Apache-2.0
// What commands that only read report the records of changes.
#pragma once

#include <optional>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "options.hpp"
#include "session.hpp"

namespace kubelet_sysctl::cli {

/// Now, on the node of the ports.
transaction::Moment moment_of(ports::Ports& ports);

/// One line on standard error for a run that is at work; none for programs.
void say_in_progress(Session& session, const transaction::Moment& moment);

/// One line on standard error for a change that was not finished; none for programs.
void say_unfinished(Session& session, const std::vector<transaction::Transaction>& all,
                    const transaction::Moment& moment);

/// `error` with its command of the tree that the options name.
Error in_root(Error error, const Options& options);
/// What is said of records that do not parse: each is left out, and all else is reported.
std::vector<Finding> broken_records(const transaction::Records& records, const Options& options);

/// All records; an unfinished change is said, as above. Nothing where they cannot be read: those that this
/// user may not read are passed over, a broken one becomes a warning: on standard error, or, where a
/// program reads what is printed, in `findings`.
std::optional<std::vector<transaction::Transaction>> report_records(
    Session& session, ports::Ports& ports, const transaction::Moment& moment,
    std::vector<Finding>& findings);

/// The changes that are open, of the records as above.
transaction::OpenChanges tell_open_changes(Session& session, ports::Ports& ports,
                                           std::vector<Finding>& findings);

}  // namespace kubelet_sysctl::cli
