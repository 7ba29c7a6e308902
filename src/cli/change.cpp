// SPDX-License-Identifier: Apache-2.0
// The way of every change: look without the lock, and if there is work, look and do it under the lock.
#include "cli/change.hpp"

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/progress.hpp"
#include "kubelet_sysctl/apply.hpp"
#include "kubelet_sysctl/outcome.hpp"
#include "kubelet_sysctl/transaction.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kLockFile = "/var/lib/kubelet-sysctl/lock";

/// What was read and what is to be done about it.
struct Prepared {
  Wish wish;
  DiscoverOptions discover;
  NodeSnapshot snapshot;
  NodeModel model;
  Plan plan;

  [[nodiscard]] bool is_nothing() const { return plan.edits.empty() && !plan.restart; }
};

Result<Prepared> prepare(Session& session, Ports& ports, const Wisher& wisher) {
  auto wish = wisher(ports);
  if (!wish) return std::move(wish).error();
  Prepared prepared;
  prepared.wish = std::move(*wish);
  prepared.discover = discover_options(session.options);
  if (!prepared.wish.unit.empty()) prepared.discover.unit = prepared.wish.unit;
  auto snapshot = discover(ports, prepared.discover);
  if (!snapshot) return std::move(snapshot).error();
  prepared.snapshot = std::move(*snapshot);
  auto model = resolve(prepared.snapshot);
  if (!model) return std::move(model).error();
  prepared.model = std::move(*model);
  auto plan = prepared.wish.plan(prepared.snapshot, prepared.model);
  if (!plan) return std::move(plan).error();
  prepared.plan = std::move(*plan);
  return prepared;
}

/// True when another run may be at work: the holder of the lock writes its name into the file before it
/// changes anything, and empties it at its end.
bool may_be_busy(Ports& ports) {
  const auto file = ports.files.read(kLockFile);
  return !file || !file->bytes.empty();
}

/// The lock, at once if nobody holds it; while waiting, a terminal shows for whom.
Result<std::unique_ptr<FileLock>> take_lock(Session& session, Ports& ports, Progress& progress,
                                            const std::string& note) {
  if (auto made = ports.files.make_directory(kStateDirectory, 0700); !made) {
    return std::move(made).error();
  }
  auto lock = ports.files.lock(kLockFile, Milliseconds{0}, note);
  const Milliseconds wait = session.options.lock_timeout;
  if (lock || lock.error().kind != ErrorKind::kLocked || wait <= Milliseconds{0}) return lock;
  progress.note(fmt::format("waiting: {}", lock.error().message));
  return ports.files.lock(kLockFile, wait, note);
}

ApplyOptions apply_options(Session& session, Progress& progress, const Wish& wish) {
  const Options& options = session.options;
  ApplyOptions wanted;
  wanted.dry_run = options.dry_run;
  wanted.restart = options.restart;
  wanted.rollback = options.rollback;
  wanted.timeout = options.timeout;
  wanted.window = options.window;
  wanted.author = {.uid = session.host.uid,
                   .sudo_user = session.host.sudo_user,
                   .reason = options.reason,
                   .tool_version = std::string(tool_version())};
  wanted.undoes = wish.undoes;
  wanted.on_begin = [&progress](const std::string& what) { progress.begin(what); };
  wanted.on_end = [&progress](const Step& step) { progress.end(step); };
  return wanted;
}

void report(Session& session, const Outcome& outcome) {
  if (session.options.json) return print(session, outcome_json(outcome));
  const bool went_wrong =
      outcome.kind == OutcomeKind::kRolledBack || outcome.kind == OutcomeKind::kStranded;
  if (!session.options.quiet) return print(session, outcome_text(outcome, session.out));
  // -q promises an empty standard output, not that a node is left stranded without a word.
  if (went_wrong) session.host.err(outcome_text(outcome, session.err));
}

int finish(Session& session, Ports& ports, Progress& progress, const Prepared& prepared) {
  if (session.options.diff && !session.options.json) {
    for (const FileEdit& edit : prepared.plan.edits) print(session, diff_text(edit, session.out));
  }
  auto outcome = apply(ports, prepared.snapshot, prepared.model, prepared.plan, prepared.discover,
                       apply_options(session, progress, prepared.wish));
  if (!outcome) return fail(session, outcome.error());
  report(session, *outcome);
  return exit_code_of(*outcome, session.options.unchanged_is_77);
}

}  // namespace

int carry_out(Session& session, const std::string& note, const Wisher& wisher) {
  const Options& options = session.options;
  if (options.is_live() && !options.dry_run && session.host.uid != 0) {
    return fail(session,
                Error{.kind = ErrorKind::kPermission,
                      .message = "only root can change what the kubelet allows",
                      .hint = "run it with sudo, or see what it would do with '--dry-run'"});
  }
  Ports ports = session.host.open(options.root);
  Progress progress(session);
  // Most runs of a fleet find nothing to do. Reading needs no lock, but what another run has only tried
  // so far is no state to call wished: so nobody may be at work before the reading, nor after it.
  const bool busy = !options.dry_run && may_be_busy(ports);
  auto prepared = prepare(session, ports, wisher);
  if (!busy && !prepared) return fail(session, prepared.error());
  const bool nothing = !busy && prepared->is_nothing() && !may_be_busy(ports);
  if (options.dry_run || nothing) return finish(session, ports, progress, *prepared);

  auto lock = take_lock(session, ports, progress, note);
  if (!lock) return fail(session, lock.error());
  prepared = prepare(session, ports, wisher);
  if (!prepared) return fail(session, prepared.error());
  return finish(session, ports, progress, *prepared);
}

}  // namespace kubelet_sysctl
