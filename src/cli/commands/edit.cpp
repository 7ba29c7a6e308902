// SPDX-License-Identifier: Apache-2.0
// add, remove and set: the three verbs that change the list.
#include <utility>

#include <fmt/format.h>

#include "change.hpp"
#include "commands.hpp"
#include "entries.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "options.hpp"
#include "session.hpp"
#include "values.hpp"

namespace kubelet_sysctl::cli {
namespace {

/// "add net.core.somaxconn kernel.msg*"
std::string note_of(planning::Verb verb, const std::vector<std::string>& entries) {
  constexpr std::size_t kMost = 200;
  std::string note = planning::name_of(verb);
  for (const std::string& entry : entries) {
    if (note.size() + entry.size() > kMost) return note + " ...";
    note += ' ' + entry;
  }
  return note;
}

/// That a verb has entries to work on. `set` without any reads like a script with an empty variable, so the
/// empty list has an option of its own. Errors: kUsage.
Status check_given(const Options& options, planning::Verb verb) {
  const bool none_given = options.arguments.empty() && options.from_file.empty();
  if (options.empty) {
    if (none_given) return {};
    return usage_error("'--empty' and entries contradict each other",
                       "'--empty' makes the list empty; leave it out to set entries");
  }
  if (!none_given) return {};
  if (verb == planning::Verb::kSet) {
    return usage_error("'set' without entries would empty the list",
                       "if that is intended, run: kubelet-sysctl set --empty");
  }
  return usage_error(fmt::format("'{}' needs an entry", planning::name_of(verb)),
                     fmt::format("write 'kubelet-sysctl {} net.core.somaxconn', or name a file of "
                                 "entries with '-f FILE'",
                                 planning::name_of(verb)));
}

int run_edit(Session& session, planning::Verb verb) {
  const Options& options = session.options;
  if (auto given = check_given(options, verb); !given) return fail(session, given.error());
  auto entries = desired_entries(options, session.host, verb == planning::Verb::kRemove);
  if (!entries) return fail(session, entries.error());
  const std::string note = note_of(verb, *entries);
  const planning::Change change = {.verb = verb,
                                   .entries = std::move(*entries),
                                   .exact = options.exact,
                                   .force = options.force,
                                   .allow_wide = options.allow_wide,
                                   .via = options.via,
                                   .file = options.file,
                                   .persist = options.persist};
  const auto plan = [&change](const nodes::NodeSnapshot& snapshot, const model::NodeModel& model) {
    return planning::make_plan(snapshot, model, change);
  };
  // Whether pods can set an entry is a question when it comes into the list, not at every run after.
  const auto inspect = [&](ports::Ports& ports, nodes::NodeSnapshot& snapshot,
                           const model::NodeModel& model) {
    if (verb != planning::Verb::kRemove) {
      ask_kernel(options, ports, planning::new_entries(model, change.entries), snapshot);
    }
  };
  return carry_out(session, note, [&](ports::Ports&) -> Result<ChangeRequest> {
    ChangeRequest request{.note = note, .plan = plan, .inspect = inspect};
    if (verb == planning::Verb::kAdd) request.waits_for_install = verb;
    return request;
  });
}

int run_add(Session& session) { return run_edit(session, planning::Verb::kAdd); }
int run_remove(Session& session) { return run_edit(session, planning::Verb::kRemove); }
int run_set(Session& session) { return run_edit(session, planning::Verb::kSet); }

}  // namespace

constexpr Command kAddCommand = {
    .bit = kAdd,
    .name = "add",
    .title = "add entries, restart the kubelet, check that it works",
    .arguments = "ENTRY...",
    .about =
        "Adds what the list lacks, where the list in force is. Then restarts the kubelet, "
        "watches\n"
        "it, and puts the old files back if it does not run with the new list or does not stay\n"
        "healthy. Where there is nothing to do, nothing is written and nothing restarts.",
    .examples =
        "kubelet-sysctl add net.core.somaxconn 'kernel.msg*'\n"
        "kubelet-sysctl add net.core.somaxconn --dry-run --diff\n"
        "kubelet-sysctl add -f entries.txt --unchanged-exit-77 -o json",
    .run = run_add};

constexpr Command kRemoveCommand = {
    .bit = kRemove,
    .name = "remove",
    .title = "remove entries from the list",
    .arguments = "ENTRY...",
    .about =
        "Removes entries, each exactly as the list spells it: a pattern is not split. At this "
        "restart the\nkubelet ends running pods that set what it no longer allows. They are "
        "searched for first; if\nthere are any, nothing is done without '--evict-pods'.",
    .examples =
        "kubelet-sysctl remove net.core.somaxconn\n"
        "kubelet-sysctl remove 'kernel.msg*' --reason 'ticket 1412'",
    .run = run_remove};

constexpr Command kSetCommand = {
    .bit = kSet,
    .name = "set",
    .title = "make the list exactly these entries",
    .arguments = "[ENTRY...]",
    .about =
        "Makes the list what is given, in that order, and nothing "
        "else. Without any entry, or with an\n"
        "empty file of '-f', it is an error: '--empty' makes the list empty.",
    .examples =
        "kubelet-sysctl set net.core.somaxconn net.ipv4.tcp_tw_reuse\n"
        "kubelet-sysctl set -f /etc/kubelet-sysctl.list\n"
        "kubelet-sysctl set --empty",
    .run = run_set};

}  // namespace kubelet_sysctl::cli
