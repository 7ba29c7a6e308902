// SPDX-License-Identifier: Apache-2.0
// The way of every change: look without the lock, and if there is work, look and do it under the lock.
#include "change.hpp"

#include <malloc.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "commands.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/discover/kubelet_version.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/diff.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/planning/relevance.hpp"
#include "kubelet_sysctl/pods/rejected_pods.hpp"
#include "kubelet_sysctl/ports/boot_id.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "kubelet_sysctl/transaction/apply.hpp"
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

namespace kubelet_sysctl::cli {
namespace {

constexpr const char* kLockFile = "/var/lib/kubelet-sysctl/lock";

/// What was read and what is to be done about it.
struct Prepared {
  ChangeRequest request;
  discover::DiscoverOptions discover;
  nodes::NodeSnapshot snapshot;
  model::NodeModel model;
  planning::Plan plan;
  bool not_installed = false;  ///< nothing here runs a kubelet: the model and the plan are empty

  [[nodiscard]] bool is_nothing() const { return plan.edits.empty() && !plan.restart; }
};

/// What was brought to its end before the change itself.
struct RecoveredFirst {
  std::vector<std::string> ids;
  bool changed = false;
};

/// True when the release of the kubelet was not known and now is.
bool ask_version(ports::Ports& ports, Prepared& prepared) {
  if (prepared.snapshot.kubelet_version || !prepared.snapshot.live) return false;
  discover::DiscoverOptions wanted = prepared.discover;
  wanted.version_from = discover::VersionFrom::kProgram;
  discover::learn_kubelet_version(ports, wanted, prepared.snapshot);
  return prepared.snapshot.kubelet_version.has_value();
}

/// A node of which `fault` let nothing be read.
Result<Prepared> prepare_unread(ports::Ports& ports, Prepared prepared, const Error& fault) {
  prepared.snapshot.root = prepared.discover.root;
  prepared.snapshot.live = prepared.discover.live && ports.services.booted();
  prepared.snapshot.unit.name = prepared.discover.unit;
  if (prepared.snapshot.live) {
    auto state = ports.services.show(prepared.discover.unit);
    if (!state) return std::move(state).error();
    prepared.snapshot.state = std::move(*state);
  }
  prepared.model.stopped = fault;
  auto plan = prepared.request.plan(prepared.snapshot, prepared.model);
  if (!plan) return std::move(plan).error();
  prepared.plan = std::move(*plan);
  return prepared;
}

Result<Prepared> prepare(Session& session, ports::Ports& ports, const RequestMaker& make_request) {
  auto request = make_request(ports);
  if (!request) return std::move(request).error();
  Prepared prepared;
  prepared.request = std::move(*request);
  prepared.discover = discover_options(session.options);
  if (!prepared.request.unit.empty()) prepared.discover.unit = prepared.request.unit;
  auto snapshot = discover::discover(ports, prepared.discover);
  const bool no_node = !snapshot && (snapshot.error().kind == ErrorKind::kNoSystemd ||
                                     snapshot.error().kind == ErrorKind::kPermission);
  if (!snapshot && (no_node || !prepared.request.takes_unread)) return std::move(snapshot).error();
  if (!snapshot) return prepare_unread(ports, std::move(prepared), snapshot.error());
  prepared.snapshot = std::move(*snapshot);
  prepared.discover.unit = prepared.snapshot.unit.name;
  auto model = checks::resolve_and_check(prepared.snapshot);
  // Where another manager owns the node, its way counts more than a unit that is not there.
  const bool goes_on = prepared.request.takes_unread || nodes::kind_of(prepared.snapshot).refuse;
  if (!model && !goes_on) {
    const bool waits = prepared.request.waits_for_install && session.options.unit.empty();
    if (!waits || !model::is_not_installed(prepared.snapshot)) {
      return as_refusal(std::move(model).error());
    }
    prepared.not_installed = true;
    return prepared;
  }
  prepared.model = model ? std::move(*model) : model::resolve_partly(prepared.snapshot);
  if (prepared.request.inspect) prepared.request.inspect(ports, prepared.snapshot, prepared.model);
  auto plan = prepared.request.plan(prepared.snapshot, prepared.model);
  // Which kubelet it is matters where there is something to do: only then its program is started.
  const bool may_matter =
      plan ? !plan->edits.empty() || plan->restart : plan.error().kind == ErrorKind::kRefused;
  if (may_matter && ask_version(ports, prepared)) {
    if (auto again = checks::resolve_and_check(prepared.snapshot))
      prepared.model = std::move(*again);
    plan = prepared.request.plan(prepared.snapshot, prepared.model);
  }
  if (!plan) return std::move(plan).error();
  prepared.plan = std::move(*plan);
  const pods::RejectedPodOptions options = {.evict = session.options.evict_pods,
                                            .restart = session.options.restart,
                                            .starts = session.options.before_start};
  auto spared =
      pods::check_rejected_pods(ports, prepared.snapshot, prepared.model, options, prepared.plan);
  if (!spared) return std::move(spared).error();
  planning::sort_by_relevance(prepared.plan.findings);
  return prepared;
}

/// True when another run may be at work: the holder of the lock writes its name into the file before it
/// changes anything, and empties it at its end.
bool may_be_busy(ports::Ports& ports) {
  const auto file = ports.files.read(kLockFile);
  return !file || !file->bytes.empty();
}

/// What is to be said while a change runs and how long it may take; `program` ends a trial.
transaction::ApplyOptions common_options(Session& session, Progress& progress) {
  const Options& options = session.options;
  transaction::ApplyOptions wanted;
  wanted.dry_run = options.dry_run;
  wanted.restart = options.restart;
  wanted.rollback = options.rollback;
  wanted.timeout = options.timeout;
  wanted.window = options.window;
  wanted.trial = options.trial;
  wanted.program = session.host.program;
  wanted.author = {.uid = session.host.uid,
                   .login_uid = session.host.login_uid,
                   .sudo_user = session.host.sudo_user,
                   .reason = options.reason,
                   .tool_version = std::string(tool_version())};
  wanted.on_begin = [&progress](const std::string&) { progress.begin(); };
  wanted.on_end = [&progress](const transaction::Step& step) { progress.end(step); };
  wanted.on_wait = [&progress](const transaction::Wait& wait) { progress.wait(wait); };
  wanted.on_signal = [&progress](const std::string& text) { progress.answer(text); };
  return wanted;
}

bool went_wrong(const transaction::Outcome& outcome) {
  return outcome.kind == transaction::OutcomeKind::kRolledBack ||
         outcome.kind == transaction::OutcomeKind::kStranded;
}

/// What a person should know before it happens. A document holds it among the findings.
std::vector<Finding> warn_first(Session& session, const planning::Plan& plan) {
  std::vector<Finding> said;
  const Options& options = session.options;
  if (options.json || options.quiet || options.dry_run || plan.edits.empty()) return said;
  for (const Finding& finding : plan.findings) {
    // Only a change that was confirmed says how to persist it.
    const bool advice = finding.id == "will-be-rewritten" || finding.id == "persist-hidden";
    if (finding.severity == Severity::kNote || advice) continue;
    say(session, report::finding_text(finding, session.err));
    said.push_back(finding);
  }
  return said;
}

/// Takes out of `outcome` what was said before.
void leave_out(transaction::Outcome& outcome, const std::vector<Finding>& said) {
  std::erase_if(outcome.findings, [&](const Finding& finding) {
    return std::any_of(said.begin(), said.end(), [&](const Finding& one) {
      return one.id == finding.id && one.message == finding.message;
    });
  });
}

int finish(Session& session, ports::Ports& ports, Progress& progress, const Prepared& prepared,
           const RecoveredFirst& first) {
  if (session.options.diff && !session.options.json) {
    for (const planning::FileEdit& edit : prepared.plan.edits)
      print_bytes(session, planning::diff_text(edit, session.out));
  }
  transaction::ApplyOptions wanted = common_options(session, progress);
  wanted.undoes = prepared.request.undoes;
  if (prepared.request.reason && wanted.author.reason.empty()) {
    wanted.author.reason = prepared.request.reason(prepared.plan);
  }
  const std::vector<Finding> said = warn_first(session, prepared.plan);
  // The plan of a long list took many small pieces, which are free now.
  ::malloc_trim(0);
  auto outcome = transaction::apply(ports, prepared.snapshot, prepared.model, prepared.plan,
                                    prepared.discover, wanted);
  if (!outcome) return fail(session, outcome.error());
  outcome->recovered = first.ids;
  outcome->changed = outcome->changed || first.changed;
  leave_out(*outcome, said);
  planning::sort_by_relevance(outcome->findings);
  if (session.options.dry_run) outcome->in_progress = moment_of(ports).in_progress;
  // 77 says that nothing was changed: not so where an older change was undone first.
  return report_outcome(session, *outcome, session.options.unchanged_is_77 && !first.changed);
}

/// A run that restarts the kubelet holds the lock and waits for its start, which waits for us: anyone who waited
/// here would wait for himself. What the kubelet starts with is that run's matter.
int leave_to_holder(Session& session, const Error& held) {
  transaction::Outcome outcome;
  outcome.verb = planning::Verb::kSync;
  outcome.findings.push_back({.id = "left-to-another-run",
                              .severity = Severity::kNote,
                              .message = fmt::format("nothing was inspected: {}", held.message),
                              .path = {},
                              .line = 0,
                              .hint = "that run decides what the kubelet starts with"});
  outcome.in_progress = held.message;
  const int exit = transaction::exit_code_of(outcome, false);
  if (session.options.json) {
    report::write_outcome_json(pieces(session), outcome, exit);
  } else if (!session.options.quiet) {
    say(session, report::finding_text(outcome.findings.front(), session.err));
  }
  return exit;
}

/// A script of a machine's first boot may run before the kubelet is installed.
int wait_for_install(Session& session, planning::Verb verb) {
  transaction::Outcome outcome;
  outcome.verb = verb;
  outcome.kind = transaction::OutcomeKind::kPending;
  outcome.findings.push_back(
      {.id = "not-installed",
       .severity = Severity::kNote,
       .message = "no unit here runs a kubelet yet: nothing was written",
       .path = {},
       .line = 0,
       .hint = verb == planning::Verb::kSync
                   ? "'kubelet-sysctl-sync.service' runs 'sync' at every start of the kubelet; or "
                     "run it again once the kubelet is installed"
                   : "run it again once the kubelet is installed; or put the entries into "
                     "/etc/kubelet-sysctl.conf, which 'kubelet-sysctl-sync.service' applies at "
                     "every start of the kubelet"});
  return report_outcome(session, outcome, session.options.unchanged_is_77);
}

/// True when there is something that recover() would do.
bool needs_recovery(const std::vector<transaction::Transaction>& all, ports::Ports& ports) {
  const std::int64_t now_ms = ports.clock.wall_ms();
  const std::string boot_id = ports::boot_id_of(ports);
  return !transaction::unfinished_line(all, now_ms, boot_id).empty();
}

/// A tree came with its records, and who made it may have written them: what they would put back is for a
/// person to decide. Errors: kRefused.
Status check_tree(const Options& options, ports::Ports& ports) {
  if (options.is_live()) return {};
  const auto records = transaction::list_transactions(ports);
  if (!records) return records.error();
  if (!needs_recovery(*records, ports)) return {};
  return Error{.kind = ErrorKind::kRefused,
               .message =
                   "will not change this tree: it has a record of an unfinished change, and a tree "
                   "is not recovered automatically",
               .path = fmt::format("{}/transactions", transaction::kStateDirectory),
               .hint = fmt::format("see 'kubelet-sysctl history --root {0}'; to undo that change: "
                                   "kubelet-sysctl recover --root {0}",
                                   options.root)};
}

}  // namespace

void ask_kernel(const Options& options, ports::Ports& ports,
                const std::vector<std::string>& entries, nodes::NodeSnapshot& snapshot) {
  // The kernel of this machine says nothing of the node that an image is for.
  if (!options.is_live()) return;
  std::vector<std::string> names;
  std::copy_if(entries.begin(), entries.end(), std::back_inserter(names),
               [](const std::string& entry) { return bool(sysctl::SysctlPattern::parse(entry)); });
  if (!names.empty()) snapshot.kernel = ports.kernel.ask(names);
}

Status require_root(const Session& session) {
  const Options& options = session.options;
  if (!options.is_live() || options.dry_run || session.host.uid == 0) return {};
  return Error{.kind = ErrorKind::kPermission,
               .message = "only root can change what the kubelet allows",
               .hint = "run it with sudo, or see what it would do with '--dry-run'"};
}

Result<std::unique_ptr<ports::FileLock>> take_lock(Session& session, ports::Ports& ports,
                                                   Progress& progress, const std::string& note) {
  if (auto trusted = transaction::check_state_directory(ports.files); !trusted)
    return std::move(trusted).error();
  if (auto made = ports.files.make_directory(transaction::kStateDirectory, 0700); !made) {
    return std::move(made).error();
  }
  // From here on a signal is acted on where stopping leaves nothing half done.
  if (auto held = ports.clock.hold_signals(); !held) return std::move(held).error();
  auto lock = ports.files.lock(kLockFile, Milliseconds{0}, note);
  const Milliseconds wait =
      session.options.before_start ? Milliseconds{0} : session.options.lock_timeout;
  if (lock || lock.error().kind != ErrorKind::kLocked || wait <= Milliseconds{0}) return lock;
  progress.note(fmt::format("waiting: {}", lock.error().message));
  return ports.files.lock(kLockFile, wait, note);
}

int report_outcome(Session& session, const transaction::Outcome& outcome, bool unchanged_is_77) {
  const int exit = transaction::exit_code_of(outcome, unchanged_is_77);
  session.host.node_was_changed = session.host.node_was_changed || outcome.changed;
  if (session.options.json) {
    report::write_outcome_json(pieces(session), outcome, exit);
  } else if (!session.options.quiet) {
    const std::string persistent =
        session.options.persist ? report::persistent_text(outcome) : std::string();
    print(session, report::outcome_text(outcome, session.out) + persistent);
  } else if (went_wrong(outcome)) {
    // -q promises an empty standard output, not that a node is left stranded without a word.
    say(session, report::outcome_text(outcome, session.err));
  }
  return exit;
}

Result<std::vector<transaction::Recovered>> recover_now(Session& session, ports::Ports& ports,
                                                        Progress& progress) {
  transaction::RecoverOptions wanted;
  wanted.apply = common_options(session, progress);
  wanted.end_trial = session.options.end_trial;
  wanted.before_start = session.options.before_start;
  return transaction::recover(ports, discover_options(session.options), wanted);
}

std::string recovered_line(const transaction::Recovered& one, bool would) {
  const auto what = [&]() -> std::string_view {
    if (one.outcome && one.outcome->kind == transaction::OutcomeKind::kStranded) {
      return "is still stranded: no healthy kubelet was seen";
    }
    switch (one.action) {
      case transaction::RecoveryAction::kNothing:
        return would ? "would be left alone" : "is at its end";
      case transaction::RecoveryAction::kUndo:
        return would ? "would be undone" : "was undone";
      case transaction::RecoveryAction::kConfirm:
        if (would) return "would be watched, and undone if the kubelet does not stay healthy";
        return transaction::stands(one.transaction) ? "is in force: the kubelet was seen with it"
                                                    : "was undone";
      case transaction::RecoveryAction::kFinish:
        return would ? "would be closed: its files are complete" : "kept: its files are complete";
      case transaction::RecoveryAction::kLeave:
        return would ? "would be closed: another process changed its files, which are kept"
                     : "was closed: another process changed its files, which are kept";
      case transaction::RecoveryAction::kAskPerson:
        return "manual action required: some of its files are old, some new, some changed by "
               "another process";
    }
    bug("a recovery action without a line");
  }();
  return fmt::format("the change {} ({}) {}", one.transaction.id,
                     planning::name_of(one.transaction.verb), what);
}

int carry_out(Session& session, const std::string& note, const RequestMaker& make_request) {
  const Options& options = session.options;
  if (auto status = require_root(session); !status) return fail(session, status.error());
  ports::Ports ports = session.host.open(options.root);
  Progress progress(session);
  // The records are read while the manager answers. Not while another run is at work: the answer would
  // be older than the lock.
  const bool in_use = !options.dry_run && may_be_busy(ports);
  if (!in_use) ask_early(options, ports);
  auto read = transaction::read_records(ports);
  if (read && !options.is_for_programs()) {
    for (const Finding& finding : broken_records(*read, options)) {
      if (read->broken.back().may_be_open) break;  // the refusal names it
      say(session, report::finding_text(finding, session.err));
    }
  }
  auto records = read ? transaction::usable(std::move(*read))
                      : Result<std::vector<transaction::Transaction>>(read.error());
  const bool unreadable = !records && records.error().kind != ErrorKind::kPermission;
  if (unreadable) return fail(session, in_root(records.error(), options));
  const bool open = records && needs_recovery(*records, ports);
  if (open && options.dry_run) {
    const transaction::Moment moment = moment_of(ports);
    say_in_progress(session, moment);
    say_unfinished(session, *records, moment);
  }
  // Most runs of a fleet find nothing to do. Reading needs no lock, but another run may yet roll back
  // what it wrote: so no run may hold the lock before the reading, nor after it.
  const bool busy = in_use || (open && !options.dry_run);
  if (!busy) {
    auto prepared = prepare(session, ports, make_request);
    if (!prepared) return fail(session, prepared.error());
    if (prepared->not_installed) {
      return wait_for_install(session, *prepared->request.waits_for_install);
    }
    const bool nothing = prepared->is_nothing() && !may_be_busy(ports);
    if (!prepared->is_nothing()) {
      auto trusted = transaction::check_state_directory(ports.files);
      const bool refused = !trusted && trusted.error().kind != ErrorKind::kPermission;
      if (refused) return fail(session, trusted.error());
    }
    if (options.dry_run || nothing) return finish(session, ports, progress, *prepared, {});
  }
  auto lock = take_lock(session, ports, progress, note);
  if (!lock && options.before_start && lock.error().kind == ErrorKind::kLocked) {
    return leave_to_holder(session, lock.error());
  }
  if (!lock) return fail(session, lock.error());
  ports.services.drop_show();
  if (auto status = check_tree(options, ports); !status) return fail(session, status.error());
  RecoveredFirst first;
  auto recovered = recover_now(session, ports, progress);
  if (!recovered) return fail(session, recovered.error());
  for (const transaction::Recovered& one : *recovered) {
    if (one.outcome && went_wrong(*one.outcome)) {
      return report_outcome(session, *one.outcome, false);
    }
    if (!options.json && !options.quiet) {
      say(session, fmt::format("kubelet-sysctl: first, {}\n", recovered_line(one, false)));
    }
    first.ids.push_back(one.transaction.id);
    first.changed = first.changed || (one.outcome && one.outcome->changed);
  }
  auto prepared = prepare(session, ports, make_request);
  if (!prepared) return fail(session, prepared.error());
  if (prepared->not_installed) {
    return wait_for_install(session, *prepared->request.waits_for_install);
  }
  return finish(session, ports, progress, *prepared, first);
}

}  // namespace kubelet_sysctl::cli
