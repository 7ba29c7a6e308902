// SPDX-License-Identifier: Apache-2.0
// history: what was changed on this node, by whom, when, and what became of it.
#include <utility>

#include <fmt/format.h>

#include "commands.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/nearest.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "options.hpp"
#include "records.hpp"
#include "session.hpp"
#include "values.hpp"

namespace kubelet_sysctl::cli {
namespace {

/// The error with what a person does about it, where the reader of the records cannot know.
Error with_way_out(Error error) {
  if (error.kind == ErrorKind::kPermission) {
    error.hint = "run it with sudo: the records are for root alone";
  } else if (error.kind == ErrorKind::kMalformed && error.hint.empty()) {
    error.hint = "move the folder of this record elsewhere, and the others can be read again";
  }
  return error;
}

Error not_found(const std::string& id, const std::vector<transaction::Transaction>& all) {
  std::vector<std::string> ids;
  for (const transaction::Transaction& one : all) ids.push_back(one.id);
  const auto meant = nearest(id, ids);
  return {.kind = ErrorKind::kNotFound,
          .message = fmt::format("there is no change '{}'", id),
          .hint = fmt::format("{}'kubelet-sysctl history' lists them",
                              meant ? fmt::format("did you mean '{}'? ", *meant) : std::string())};
}

int report_one(Session& session, ports::Ports& ports, const std::string& id,
               const std::vector<transaction::Transaction>& all,
               const transaction::Moment& moment) {
  const auto one = transaction::load_transaction(ports, id);
  if (!one) {
    const bool unknown = one.error().kind == ErrorKind::kNotFound;
    return fail(session, unknown ? not_found(id, all) : with_way_out(one.error()));
  }
  print(session, session.options.json ? report::history_json({*one}, all, moment, true)
                                      : report::transaction_text(*one, all, moment, session.out));
  return 0;
}

int run_history(Session& session) {
  const Options& options = session.options;
  if (options.arguments.size() > 1) {
    return fail(session,
                usage_error("'history' takes one change at a time", "without an id it lists all"));
  }
  ports::Ports ports = session.host.open(options.root);
  const auto records = transaction::read_records(ports);
  if (!records) return fail(session, with_way_out(records.error()));
  for (const Finding& finding : broken_records(*records, options)) {
    say(session, report::finding_text(finding, session.err));
  }
  const std::vector<transaction::Transaction>* all = &records->transactions;
  const transaction::Moment moment = moment_of(ports);
  say_in_progress(session, moment);
  say_unfinished(session, *all, moment);
  if (!options.arguments.empty()) {
    return report_one(session, ports, options.arguments.front(), *all, moment);
  }
  print(session, options.json ? report::history_json(*all, *all, moment, false)
                              : report::history_text(*all, moment, session.out));
  return 0;
}

}  // namespace

constexpr Command kHistoryCommand = {
    .bit = kHistory,
    .name = "history",
    .title = "the changes made on this node, by whom, and their results",
    .arguments = "[ID]",
    .about =
        "Lists the changes that this program made on the node, the newest last; the last 50 are\n"
        "kept. With ID all that is known of one: who, why, when, the list before and after, and "
        "how\n"
        "each file changed. Of a line of arguments only the changed words are shown.",
    .examples =
        "kubelet-sysctl history\n"
        "kubelet-sysctl history 20261120T225726Z-1\n"
        "kubelet-sysctl history -o json",
    .run = run_history};

}  // namespace kubelet_sysctl::cli
