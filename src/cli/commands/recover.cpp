// SPDX-License-Identifier: Apache-2.0
// recover and keep: what becomes of a change that was not finished, and of a trial.
#include <algorithm>

#include <fmt/format.h>

#include "change.hpp"
#include "commands.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/recover.hpp"
#include "kubelet_sysctl/transaction/recovery_table.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "records.hpp"
#include "session.hpp"
#include "values.hpp"

namespace kubelet_sysctl::cli {
namespace {

/// One document for all of them: the outcome of the last with the ids of all.
transaction::Outcome summary_of(const std::vector<transaction::Recovered>& all, bool dry_run) {
  transaction::Outcome summary;
  if (!all.empty() && all.back().outcome) summary = *all.back().outcome;
  if (!all.empty() && dry_run) summary.kind = transaction::OutcomeKind::kPlanned;
  summary.verb = planning::Verb::kRecover;
  summary.recovered.clear();
  for (const transaction::Recovered& one : all) {
    summary.recovered.push_back(one.transaction.id);
    summary.changed = summary.changed || (one.outcome && one.outcome->changed);
  }
  return summary;
}

void report_in_words(Session& session, const std::vector<transaction::Recovered>& all) {
  const bool dry_run = session.options.dry_run;
  std::string text = all.empty() ? "nothing to recover\n" : "";
  for (const transaction::Recovered& one : all) {
    const bool good = one.outcome && transaction::exit_code_of(*one.outcome, false) == 0;
    text += fmt::format("{}{}\n", good ? "recovered: " : "", recovered_line(one, dry_run));
    if (dry_run) text += fmt::format("  its files are {}\n", transaction::name_of(one.files));
    if (one.outcome) text += report::outcome_text(*one.outcome, session.out);
  }
  const bool bad = !all.empty() && all.back().outcome &&
                   transaction::exit_code_of(*all.back().outcome, false) != 0;
  if (!session.options.quiet) return print(session, text);
  if (bad) say(session, text);
}

int run_recover(Session& session) {
  const Options& options = session.options;
  if (auto status = require_root(session); !status) return fail(session, status.error());
  ports::Ports ports = session.host.open(options.root);
  Progress progress(session);
  const auto records = transaction::list_transactions(ports);
  if (!records) return fail(session, in_root(records.error(), options));
  std::vector<transaction::Recovered> all;
  const transaction::Moment moment = moment_of(ports);
  // Without an open change nothing is made, not even the lock.
  const bool open = !options.end_trial.empty() ||
                    transaction::has_stale_boot_unit(ports, *records) ||
                    !transaction::unfinished_line(*records, moment.now_ms, moment.boot_id).empty();
  std::unique_ptr<ports::FileLock> lock;
  if (open && !options.dry_run) {
    auto taken = take_lock(session, ports, progress, "recover");
    if (!taken) return fail(session, taken.error());
    lock = std::move(*taken);
  }
  // Nobody knows yet what the run at work will leave to be recovered.
  const bool at_work = options.dry_run && !moment.in_progress.empty();
  if (at_work) say_in_progress(session, moment);
  if (open && !at_work) {
    auto recovered = recover_now(session, ports, progress);
    if (!recovered) return fail(session, recovered.error());
    all = std::move(*recovered);
  }
  transaction::Outcome summary = summary_of(all, options.dry_run);
  if (at_work) summary.in_progress = moment.in_progress;
  session.host.node_was_changed = summary.changed;
  const int exit = transaction::exit_code_of(summary, false);
  if (options.json) {
    report::write_outcome_json(pieces(session), summary, exit);
  } else {
    report_in_words(session, all);
  }
  return exit;
}

/// The trial that runs, if one is not named. Errors: kNotFound, kConflict when there are several.
Result<std::string> running_trial(const std::vector<transaction::Transaction>& all) {
  const auto is_trial = [](const transaction::Transaction& one) {
    return one.state == transaction::TransactionState::kTrial;
  };
  const auto newest = std::find_if(all.rbegin(), all.rend(), is_trial);
  if (newest == all.rend()) {
    return Error{.kind = ErrorKind::kNotFound,
                 .message = "no trial runs",
                 .hint = "'kubelet-sysctl history' lists the changes and their results"};
  }
  if (std::count_if(all.begin(), all.end(), is_trial) > 1) {
    return Error{.kind = ErrorKind::kConflict,
                 .message = "several trials run",
                 .hint = fmt::format("name the one to keep: 'kubelet-sysctl keep {}'", newest->id)};
  }
  return newest->id;
}

/// Keeps the trial; nothing when it was kept before. Errors: those of keep_trial().
Result<transaction::Outcome> keep(Session& session, ports::Ports& ports) {
  const auto all = transaction::list_transactions(ports);
  if (!all) return all.error();
  std::string id = session.options.arguments.empty() ? "" : session.options.arguments.front();
  if (id.empty()) {
    auto found = running_trial(*all);
    if (!found) return std::move(found).error();
    id = std::move(*found);
  }
  auto trial = transaction::load_transaction(ports, id);
  if (!trial) return std::move(trial).error();
  transaction::Outcome outcome;
  outcome.verb = planning::Verb::kKeep;
  outcome.transaction = id;
  outcome.before = outcome.after = trial->after;
  if (trial->state == transaction::TransactionState::kConfirmed && trial->trial) return outcome;
  if (auto kept = transaction::keep_trial(ports, *trial, outcome); !kept)
    return std::move(kept).error();
  return outcome;
}

int run_keep(Session& session) {
  const Options& options = session.options;
  if (options.arguments.size() > 1) {
    return fail(session, usage_error("'keep' takes one trial at a time",
                                     "without an id it keeps the one that runs"));
  }
  if (!options.is_live()) {
    return fail(session, usage_error("'--root' has no meaning for 'keep'",
                                     "a trial runs on a running node only"));
  }
  if (auto status = require_root(session); !status) return fail(session, status.error());
  ports::Ports ports = session.host.open(options.root);
  Progress progress(session);
  auto lock = take_lock(session, ports, progress, "keep");
  if (!lock) return fail(session, lock.error());
  auto outcome = keep(session, ports);
  if (!outcome) return fail(session, outcome.error());
  if (options.json) {
    report::write_outcome_json(pieces(session), *outcome, 0);
    return 0;
  }
  for (const Finding& finding : outcome->findings) {
    say(session, report::finding_text(finding, session.err));
  }
  if (!options.quiet)
    print(session, fmt::format("kept: the change {} is final\n", outcome->transaction));
  return 0;
}

}  // namespace

constexpr Command kRecoverCommand = {
    .bit = kRecover,
    .name = "recover",
    .title = "finish or undo a change that was interrupted",
    .arguments = "",
    .about =
        "Searches for changes that were interrupted by a kill or a power failure, and for trials "
        "that\nhave expired. A change that the kubelet runs with is watched and kept if it stays "
        "healthy; any "
        "other\n"
        "is undone: its files are restored, and the kubelet is watched with them. A file that "
        "another "
        "process\n"
        "changed since is not touched. The commands that change do this first by themselves.",
    .examples =
        "kubelet-sysctl recover\n"
        "kubelet-sysctl recover --dry-run",
    .run = run_recover};

constexpr Command kKeepCommand = {.bit = kKeep,
                                  .name = "keep",
                                  .title = "make a change on trial final",
                                  .arguments = "[ID]",
                                  .about =
                                      "Makes the change of a trial final: it stays, and the timer "
                                      "that would undo it is stopped.\n"
                                      "Without ID it is the trial that runs.",
                                  .examples =
                                      "kubelet-sysctl keep\n"
                                      "kubelet-sysctl keep 20261120T225726Z-1",
                                  .run = run_keep};

}  // namespace kubelet_sysctl::cli
