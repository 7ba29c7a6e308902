// SPDX-License-Identifier: Apache-2.0
// How a run ended, for an operator: one sentence, then the list, the files and the evidence.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "kubelet_sysctl/base/advice.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/printable.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/kubelet/last_words.hpp"
#include "kubelet_sysctl/nodes/advice.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"

namespace kubelet_sysctl::report {
namespace {

constexpr std::size_t kKeptShown = 12;  ///< unchanged entries are listed up to here, then counted

/// "2 entries added and 1 entry removed"; `would` puts it in the conditional.
std::string change_phrase(const transaction::Outcome& outcome, bool would) {
  const ListChange change = change_between(outcome.before, outcome.after);
  const std::string_view verb = would ? " would be " : " ";
  std::string out;
  if (!change.added.empty()) {
    out = count_text(change.added.size(), "entry", "entries") + fmt::format("{}added", verb);
  }
  if (!change.removed.empty()) {
    if (!out.empty()) out += " and ";
    out += count_text(change.removed.size(), "entry", "entries") + fmt::format("{}removed", verb);
  }
  if (!out.empty()) return out;
  return change.reordered ? "the same entries in another order" : "the list stays as it is";
}

/// What the evidence says, and nothing more: ", seen in the running kubelet (pid 27340), healthy
/// for 10.0 s".
std::string seen_phrase(const std::optional<transaction::Evidence>& evidence) {
  if (!evidence || evidence->pid <= 0) return {};
  const bool list_seen = evidence->argv.value_or(false) || evidence->config_file.has_value() ||
                         evidence->configz == model::Configz::kOk;
  std::string out = list_seen ? fmt::format(", seen in the running kubelet (pid {})", evidence->pid)
                              : fmt::format(", the kubelet runs as pid {}", evidence->pid);
  if (evidence->configz == model::Configz::kOk) out += ", which reports it itself";
  const std::string window = duration_text(evidence->window_ms);
  if (evidence->health == "ok") {
    out += evidence->window_ms > 0 ? fmt::format(", healthy for {}", window) : ", healthy";
  } else if (evidence->health == "off") {
    out += ", its health endpoint is off";
    if (evidence->window_ms > 0) out += fmt::format(", the same process for {}", window);
  } else if (!evidence->health.empty()) {
    out += fmt::format(", health: {}", printable(evidence->health));
  }
  return out;
}

std::string sentence(const transaction::Outcome& outcome) {
  switch (outcome.kind) {
    case transaction::OutcomeKind::kUnchanged:
      if (outcome.verb == planning::Verb::kFix) return "there is nothing to fix automatically";
      return outcome.after.empty()
                 ? "the list is empty as desired"
                 : fmt::format("the list is as desired, {}",
                               count_text(outcome.after.size(), "entry", "entries"));
    case transaction::OutcomeKind::kPlanned:
      return fmt::format("{}{}; nothing was written", change_phrase(outcome, true),
                         outcome.restart ? ", the kubelet would be restarted" : "");
    case transaction::OutcomeKind::kApplied:
      if (outcome.edits.empty() && outcome.restart) {
        return "the files had this list already, the kubelet was restarted" +
               seen_phrase(outcome.evidence);
      }
      return change_phrase(outcome, false) + seen_phrase(outcome.evidence);
    case transaction::OutcomeKind::kPending:
      if (std::any_of(outcome.findings.begin(), outcome.findings.end(),
                      [](const Finding& one) { return one.id == "not-installed"; })) {
        return "the kubelet is not installed yet";
      }
      if (outcome.verb == planning::Verb::kSync && outcome.edits.empty()) {
        return "nothing was written, the configuration of the kubelet is not there yet";
      }
      return fmt::format("{} takes effect at the next start of the kubelet",
                         outcome.edits.empty() ? "the files had this list already; it"
                                               : change_phrase(outcome, false) + "; written, it");
    case transaction::OutcomeKind::kRolledBack:
      if (outcome.was_down && !outcome.evidence) {
        return "the files are as before; the kubelet was not healthy before this run either, so no "
               "healthy one was restored";
      }
      return (outcome.cause && outcome.cause->kind == ErrorKind::kInterrupted
                  ? std::string("a second signal asked for it; the files are as before")
                  : std::string("the change failed, the files are as before")) +
             seen_phrase(outcome.evidence);
    case transaction::OutcomeKind::kStranded:
      return outcome.was_down ? "neither the new state nor the old one could be confirmed; the "
                                "kubelet was not healthy "
                                "before this run either; manual action required"
                              : "neither the new state nor the old one could be confirmed; manual "
                                "action required";
  }
  bug("an OutcomeKind without a sentence");
}

bool is_on_trial(const transaction::Outcome& outcome) {
  return outcome.trial_until_ms != 0 && outcome.kind == transaction::OutcomeKind::kApplied;
}

std::string first_line(const transaction::Outcome& outcome, const TextStyle& style) {
  if (is_on_trial(outcome)) {
    const std::string title = "ON TRIAL until " + time_text(style, outcome.trial_until_ms);
    return painted(style, Paint::kYellow, title) + ": " + sentence(outcome) + '\n';
  }
  struct Title {
    std::string_view text;
    Paint paint;
  };
  const Title title = [&]() -> Title {
    switch (outcome.kind) {
      case transaction::OutcomeKind::kUnchanged:
        return {"unchanged", Paint::kGreen};
      case transaction::OutcomeKind::kPlanned:
        return {"planned", Paint::kBold};
      case transaction::OutcomeKind::kApplied:
        return {"applied", Paint::kGreen};
      case transaction::OutcomeKind::kPending:
        return {"pending", Paint::kYellow};
      case transaction::OutcomeKind::kRolledBack:
        return {"rolled back", Paint::kRed};
      case transaction::OutcomeKind::kStranded:
        return {"STRANDED", Paint::kRed};
    }
    bug("an OutcomeKind without a title");
  }();
  return painted(style, title.paint, fmt::format("{}:", title.text)) + ' ' + sentence(outcome) +
         '\n';
}

bool went_wrong(const transaction::Outcome& outcome) {
  return outcome.kind == transaction::OutcomeKind::kRolledBack ||
         outcome.kind == transaction::OutcomeKind::kStranded;
}

/// An entry as text; the empty one is visible too.
std::string entry_text(std::string_view entry) { return entry.empty() ? "''" : printable(entry); }

std::string list_text(const transaction::Outcome& outcome, const TextStyle& style) {
  const ListChange change = change_between(outcome.before, outcome.after);
  if (change.added.empty() && change.removed.empty() && !change.reordered) return {};
  std::string out = went_wrong(outcome) ? "  what was tried\n" : "";
  if (change.reordered) {
    for (const std::string_view entry : outcome.after)
      out += fmt::format("    {}\n", entry_text(entry));
    return out;
  }
  if (change.kept.size() <= kKeptShown) {
    for (const std::string_view entry : change.kept)
      out += fmt::format("    {}\n", entry_text(entry));
  } else {
    out += fmt::format("    {} stay\n", count_text(change.kept.size(), "entry", "entries"));
  }
  for (const std::string_view entry : change.removed) {
    out += "  " + painted(style, Paint::kRed, "- " + entry_text(entry)) + '\n';
  }
  for (const std::string_view entry : change.added) {
    out += "  " + painted(style, Paint::kGreen, "+ " + entry_text(entry)) + '\n';
  }
  return out;
}

std::string_view bytes_phrase(transaction::FileHolds holds) {
  // In the order of transaction::FileHolds.
  constexpr std::array kNames = {
      "holds the old bytes", "holds the new bytes", "holds a mixture of old and new bytes",
      "was changed by another process since", "cannot be read, so what it holds is not known"};
  return kNames[static_cast<std::size_t>(holds)];
}

std::string files_text(const transaction::Outcome& outcome) {
  std::string out;
  for (const planning::FileEdit& edit : outcome.edits) {
    const std::string path = printable(edit.before.path);
    switch (outcome.kind) {
      case transaction::OutcomeKind::kUnchanged:
        break;
      case transaction::OutcomeKind::kPlanned:
        out += fmt::format("  would {} {}\n",
                           edit.removes           ? "remove"
                           : edit.before.exists() ? "edit"
                                                  : "create",
                           path);
        break;
      case transaction::OutcomeKind::kApplied:
      case transaction::OutcomeKind::kPending:
        out += fmt::format("  {} {}\n",
                           edit.removes           ? "removed"
                           : edit.before.exists() ? "edited"
                                                  : "created",
                           path);
        break;
      case transaction::OutcomeKind::kRolledBack:
        out += fmt::format("  as before: {}\n", path);
        break;
      case transaction::OutcomeKind::kStranded:
        break;
    }
  }
  for (const transaction::FileNow& file : outcome.on_disk) {
    out += fmt::format("  {}: {}\n", bytes_phrase(file.holds), printable(file.path));
  }
  return out;
}

/// How to keep a change on trial.
std::string trial_line(const transaction::Outcome& outcome) {
  if (!is_on_trial(outcome)) return {};
  return fmt::format("  to keep it, run: kubelet-sysctl keep {}\n", printable(outcome.transaction));
}

std::string evidence_lines(const transaction::Outcome& outcome, const TextStyle& style) {
  if (!outcome.evidence) return {};
  const transaction::Evidence& seen = *outcome.evidence;
  std::string out;
  if (seen.pid > 0) {
    out += fmt::format("  process: pid {}", seen.pid);
    if (seen.started_at_ms > 0) out += ", started " + time_text(style, seen.started_at_ms);
    out += '\n';
  }
  if (seen.argv) {
    out += *seen.argv ? "  list: is in the arguments of the process\n"
                      : "  list: not in the arguments of the process\n";
  }
  if (seen.config_file) {
    out += fmt::format("  list: the process was started with '{}', which is older than it\n",
                       printable(*seen.config_file));
  }
  if (!seen.health.empty()) out += fmt::format("  health: {}\n", printable(seen.health));
  if (seen.restarts > 0) {
    out += fmt::format("  automatic restarts since ours: {}\n", seen.restarts);
  }
  return out;
}

/// Why, once: what was seen of the kubelet, what its last words mean, and the line of them that matters.
std::string failure_text(const transaction::Outcome& outcome, const TextStyle& style) {
  std::string out;
  // Of a signal the sentence speaks already.
  const bool by_signal = outcome.kind == transaction::OutcomeKind::kRolledBack && outcome.cause &&
                         outcome.cause->kind == ErrorKind::kInterrupted;
  if (outcome.cause && !by_signal) {
    const Error& cause = *outcome.cause;
    out += "  cause: ";
    if (!cause.path.empty()) out += place_text(cause.path, cause.line) + ": ";
    out += printable(cause.message) + '\n';
  }
  if (!outcome.recognised.empty()) {
    out += fmt::format("  recognised: {}\n", printable(outcome.recognised));
  }
  const std::vector<std::string> words = style.verbose ? kubelet::reason_first(outcome.last_words)
                                                       : kubelet::reason_of(outcome.last_words);
  if (words.empty()) return out;
  const std::size_t others = outcome.last_words.size() - words.size();
  out += others > 0 ? fmt::format("  the kubelet's last words ({} more with -v):\n",
                                  count_text(others, "line", "lines"))
                    : std::string("  the kubelet's last words:\n");
  for (const std::string& line : words) {
    out += "    " + painted(style, Paint::kDim, "| " + printable(line)) + '\n';
  }
  return out;
}

std::string what_to_do(const transaction::Outcome& outcome) {
  std::string out;
  if (outcome.cause && !outcome.cause->hint.empty()) {
    out += fmt::format("hint: {}\n", printable(outcome.cause->hint));
  }
  if (outcome.kind != transaction::OutcomeKind::kStranded) return out;
  if (!outcome.transaction.empty()) {
    out += fmt::format("the files as they were are kept in transaction {}\n",
                       printable(outcome.transaction));
  }
  if (!outcome.commands.empty()) {
    out += "type these:\n";
    for (const std::string& command : outcome.commands) {
      out += fmt::format("  {}\n", printable(command));
    }
  }
  return out;
}

}  // namespace

std::string advice_lines(const Advice& advice) {
  const std::string text = nodes::advice_text(advice);
  std::string out;
  for (const std::string_view line : lines_of(text)) out += printable(line) + '\n';
  return out;
}

std::string persistent_text(const transaction::Outcome& outcome) {
  if (!outcome.advice || went_wrong(outcome)) return {};
  const Advice advice = outcome.advice();
  return fmt::format("\nto persist it, on new machines too: {}\n\n{}", printable(advice.what),
                     advice_lines(advice));
}

std::string outcome_text(const transaction::Outcome& outcome, const TextStyle& style) {
  // Of a kubelet that is down nothing else matters as much.
  const bool down_first = outcome.was_down && !outcome.findings.empty() &&
                          (outcome.kind == transaction::OutcomeKind::kUnchanged ||
                           outcome.kind == transaction::OutcomeKind::kPending) &&
                          outcome.findings.front().severity == Severity::kError;
  std::string out = down_first ? finding_lines(outcome.findings.front(), style, "") : std::string();
  out += first_line(outcome, style);
  out += trial_line(outcome);
  if (went_wrong(outcome)) out += failure_text(outcome, style);
  out += list_text(outcome, style);
  out += files_text(outcome);
  out += evidence_lines(outcome, style);
  for (const transaction::Step& step : outcome.steps) {
    // The failure of a step is the cause above.
    if ((step.error && !outcome.cause) || style.verbose) out += step_text(step, style);
  }
  if (outcome.was_down && outcome.kind == transaction::OutcomeKind::kApplied) {
    out += "  the kubelet was not healthy before this run\n";
  }
  if (!outcome.transaction.empty() && outcome.kind != transaction::OutcomeKind::kStranded) {
    out += fmt::format("  transaction {}\n", printable(outcome.transaction));
  }
  // Notes too: each is about this very wanted, "is not in the list" or "is already allowed by".
  for (std::size_t i = down_first ? 1 : 0; i < outcome.findings.size(); ++i) {
    out += finding_lines(outcome.findings[i], style, "");
  }
  if (went_wrong(outcome)) out += what_to_do(outcome);
  return out;
}

std::string step_text(const transaction::Step& step, const TextStyle& style) {
  const std::string& what = step.error || step.done.empty() ? step.what : step.done;
  std::string out = fmt::format("  {}  {}", printable(what), duration_text(step.milliseconds));
  if (step.error) {
    out += "  " + painted(style, Paint::kRed, "failed") + ": " + printable(step.error->message);
  }
  return out + '\n';
}

}  // namespace kubelet_sysctl::report
