// SPDX-License-Identifier: Apache-2.0
// history: what was changed on this node, by whom, when, and what became of it.
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "change.hpp"
#include "commands.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/nearest.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/purge.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "options.hpp"
#include "progress.hpp"
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

/// Errors: those of the lock and of the records.
Result<std::vector<transaction::Transaction>> purge(Session& session, ports::Ports& ports) {
  constexpr std::int64_t kDay = 86'400'000;
  const Options& options = session.options;
  Progress progress(session);
  std::unique_ptr<ports::FileLock> lock;
  if (!options.dry_run) {
    auto taken = take_lock(session, ports, progress, "history --purge");
    if (!taken) return std::move(taken).error();
    lock = std::move(*taken);
  }
  auto all = transaction::list_transactions(ports);
  if (!all) return in_root(with_way_out(std::move(all).error()), options);
  auto go = transaction::purgeable(*all, ports.clock.wall_ms() - *options.purge * kDay);
  if (options.dry_run) return go;
  if (auto status = transaction::purge(ports, go); !status) return std::move(status).error();
  return go;
}

int run_purge(Session& session) {
  const Options& options = session.options;
  if (!options.arguments.empty()) {
    return fail(session, usage_error("'--purge' takes no id", "it goes by the age of a change"));
  }
  if (auto status = require_root(session); !status) return fail(session, status.error());
  ports::Ports ports = session.host.open(options.root);
  const auto gone = purge(session, ports);
  if (!gone) return fail(session, gone.error());
  const transaction::Moment moment = moment_of(ports);
  if (options.json) {
    print(session, report::history_json(*gone, *gone, moment, false));
  } else {
    const char* what = options.dry_run ? "would remove" : "removed";
    print(session, gone->empty() ? "nothing to remove\n"
                                 : report::history_text(*gone, moment, session.out) +
                                       fmt::format("{} {} record{}\n", what, gone->size(),
                                                   gone->size() == 1 ? "" : "s"));
  }
  return 0;
}

int run_history(Session& session) {
  const Options& options = session.options;
  if (options.purge) return run_purge(session);
  if (options.dry_run) {
    return fail(session, usage_error("'--dry-run' has no meaning for 'history' without '--purge'",
                                     "without '--purge' nothing is removed"));
  }
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
        "kubelet-sysctl history --purge 90 --dry-run\n"
        "kubelet-sysctl history -o json",
    .run = run_history};

}  // namespace kubelet_sysctl::cli
