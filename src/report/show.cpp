// SPDX-License-Identifier: Apache-2.0
// What an operator reads: errors, findings, the state of the list and the command line.
#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/printable.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/checks/unknown_list.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/sysctl/pod_defaults.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::report {
namespace {

std::string heading(const TextStyle& style, std::string_view name) {
  return painted(style, Paint::kBold, name);
}

/// "kubelet.service  kOps  kubelet 1.29.6  running, pid 27340, started 2026-11-20T22:57:26Z, healthy"
std::string header_line(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                        const TextStyle& style) {
  std::string state;
  if (!snapshot.live) {
    state = fmt::format("files under '{}' alone, no process asked", printable(snapshot.root));
  } else if (snapshot.process) {
    state = fmt::format("running, pid {}", snapshot.process->pid);
    if (snapshot.process->started_at_ms > 0) {
      state += fmt::format(", started {} ({})", time_text(style, snapshot.process->started_at_ms),
                           relative_text(snapshot.process->started_at_ms, snapshot.read_at_ms));
    }
  } else if (snapshot.state) {
    state = fmt::format("not running ({}/{})", printable(snapshot.state->active_state),
                        printable(snapshot.state->sub_state));
  } else {
    state = "not running";
  }
  if (snapshot.health && snapshot.health->ok) {
    state += ", " + painted(style, Paint::kGreen, "healthy");
  } else if (snapshot.health) {
    // Why is in the finding above.
    state += ", " + painted(style, Paint::kRed, "not healthy");
  }
  std::string version;
  if (snapshot.kubelet_version) {
    version = fmt::format("kubelet {}  ", sysctl::text_of(*snapshot.kubelet_version));
  } else if (style.verbose && !snapshot.kubelet_version_why.empty()) {
    version = fmt::format("kubelet unknown ({})  ", printable(snapshot.kubelet_version_why));
  }
  return fmt::format("{}  {}  {}{}\n", heading(style, printable(snapshot.unit.name)),
                     model.kind == nullptr ? "-" : model.kind->title, version, state);
}

std::string variable_text(const std::string& variable) {
  return variable.empty() ? std::string() : '$' + printable(variable);
}

/// The place of a word or a list; what its launcher adds to the kubelet's words is nowhere.
std::string origin_text(const model::NodeModel& model, const Origin& origin) {
  if (origin.kind == OriginKind::kHost && model.kind != nullptr) {
    return fmt::format("{} itself", model.kind->title);
  }
  return place_text(origin.path, origin.line);
}

/// A list may have thousands: never all of them in cells, or in words, at once.
void write_entries(const Sink& out, const model::NodeModel& model, const model::Layer& layer) {
  constexpr std::size_t kPiece = 16384;
  std::vector<std::size_t> widths;
  std::string piece;
  for (const bool measures : {true, false}) {
    for (const model::Entry& entry : layer.entries) {
      const Origin at = model::origin_of(layer, entry);
      const std::vector<std::string> row = {entry.text.empty() ? "''" : printable(entry.text),
                                            origin_text(model, at), variable_text(at.variable)};
      if (measures) {
        widen(widths, row);
      } else {
        piece += aligned_row(row, widths, "  ");
      }
      if (piece.size() < kPiece) continue;
      out(piece);
      piece.clear();
    }
  }
  out(piece);
}

std::string layer_name(const model::Layer& layer) {
  switch (layer.kind) {
    case model::LayerKind::kConfig:
      return "the configuration file";
    case model::LayerKind::kConfigDir:
      return "a drop-in of the configuration directory";
    case model::LayerKind::kFlag:
      return "the flag on the command line";
  }
  bug("a LayerKind without a name");
}

void write_configured(const Sink& out, const model::NodeModel& model, const TextStyle& style) {
  const model::Layer* winner = model::winner_of(model);
  std::string line = '\n' + heading(style, "configured") + "  ";
  if (winner == nullptr) {
    const std::string why = model.wrapped                    ? "a wrapper runs the kubelet"
                            : checks::is_list_unknown(model) ? checks::unknown_list_text(model)
                                                             : std::string();
    line += why.empty() ? "(none)\n" : fmt::format("unknown: {}\n", why);
  } else if (winner->entries.empty()) {
    line += fmt::format("(none), set so by {} at {}\n", layer_name(*winner),
                        place_text(winner->at.path, winner->at.line));
  } else {
    line += fmt::format("{}, set by {}\n", count_text(winner->entries.size(), "entry", "entries"),
                        layer_name(*winner));
  }
  out(line);
  if (winner != nullptr) write_entries(out, model, *winner);
  for (const model::Layer& layer : model.layers) {
    if (layer.wins || layer.entries.empty()) continue;
    out('\n' +
        painted(style, Paint::kYellow,
                fmt::format("shadowed    {} in {} at {}: NOT in force",
                            count_text(layer.entries.size(), "entry", "entries"), layer_name(layer),
                            origin_text(model, layer.at))) +
        '\n');
    write_entries(out, model, layer);
  }
}

/// What pods get without an entry; nothing where no file says it.
std::string pod_defaults_text(const model::PodDefaults& defaults, const TextStyle& style) {
  if (defaults.sysctls.empty()) return {};
  std::string out =
      fmt::format("\n{}    {} by {}, set in pods without an entry\n", heading(style, "defaults"),
                  count_text(defaults.sysctls.size(), "sysctl", "sysctls"), sysctl::kDefaultsKey);
  if (const std::string_view why = sysctl::why_of(defaults.state); !why.empty()) {
    out = fmt::format(
        "\n{}    {}\n", heading(style, "defaults"),
        painted(style, Paint::kYellow,
                fmt::format("{} by {}, {}: {}",
                            count_text(defaults.sysctls.size(), "sysctl", "sysctls"),
                            sysctl::kDefaultsKey,
                            defaults.state == sysctl::DefaultsState::kUnknown ? "in force or not"
                                                                              : "NOT in force",
                            why)));
  }
  std::vector<std::vector<std::string>> rows;
  for (const model::PodDefault& one : defaults.sysctls) {
    rows.push_back({printable(fmt::format("{}={}", one.name, one.value)),
                    place_text(one.at.path, one.at.line)});
  }
  return out + aligned(rows, "  ");
}

std::string evidence_text(const nodes::NodeSnapshot& snapshot, const model::RunningList& running) {
  switch (running.evidence) {
    case model::RunningList::Evidence::kArgv:
      return "read from the arguments of the process";
    case model::RunningList::Evidence::kConfigFile:
      return "the files it was started with are older than the process";
    case model::RunningList::Evidence::kLog:
      return "read from the journal, which has the arguments of this start";
    case model::RunningList::Evidence::kConfigz:
      return "reported by the kubelet itself";
    case model::RunningList::Evidence::kNone:
      break;
  }
  const nodes::KubeletLauncher* launcher = model::launcher_of(snapshot);
  if (launcher != nullptr && !launcher->log_mark.empty() && !snapshot.logged_argv) {
    return "what it was started with is in the journal, which 'kubelet-sysctl doctor' reads";
  }
  return snapshot.health && !snapshot.health->ok
             ? "neither its arguments nor its files show it, and it is not healthy"
             : "its arguments do not say, and its files may have changed since it started";
}

bool also_said(const model::RunningList& running) {
  return running.configz == model::Configz::kOk &&
         running.evidence != model::RunningList::Evidence::kConfigz;
}

std::string running_text(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                         const TextStyle& style) {
  if (!model.running) return {};
  std::string out = '\n' + heading(style, "running") + "     ";
  const model::RunningList& running = *model.running;
  if (!running.entries) {
    return out + fmt::format("unknown: {}\n", checks::is_list_unknown(model)
                                                  ? checks::unknown_list_text(model)
                                                  : evidence_text(snapshot, running));
  }
  const bool same = !running.entries->empty() && !checks::is_list_unknown(model) &&
                    model::is_configured(model, *running.entries);
  out += running.entries->empty() ? "(none)"
         : same                   ? "the same"
                                  : count_text(running.entries->size(), "entry", "entries");
  out += fmt::format(", {}{}\n", evidence_text(snapshot, running),
                     also_said(running) ? ", and the kubelet itself reports it" : "");
  if (same) return out;
  for (const std::string& entry : *running.entries) {
    out += fmt::format("  {}\n", entry.empty() ? "''" : printable(entry));
  }
  return out;
}

std::string join(const EntryList& entries) {
  constexpr std::size_t kShown = 6;
  std::string out;
  for (std::size_t i = 0; i < std::min(entries.size(), kShown); ++i) {
    out += fmt::format("{}'{}'", i == 0 ? "" : ", ", printable(entries[i]));
  }
  if (entries.size() > kShown) out += fmt::format(" and {} more", entries.size() - kShown);
  return out;
}

std::string restart_command(const nodes::NodeSnapshot& snapshot) {
  return fmt::format(
      "{}systemctl restart {}",
      snapshot.state && snapshot.state->needs_reload ? "systemctl daemon-reload && " : "",
      shell_word(printable(snapshot.unit.name)));
}

/// "lacks 'a' and still allows 'b'": the running list against the configured one.
std::string difference_text(const model::NodeModel& model) {
  const ListChange change = change_between(*model.running->entries, model::configured_texts(model));
  std::string what;
  if (!change.added.empty()) what = "lacks " + join(change.added);
  if (!change.removed.empty()) {
    what += (what.empty() ? "still allows " : " and still allows ") + join(change.removed);
  }
  return what.empty() ? "has the entries in another order" : what;
}

/// What is said first, before any list.
bool is_of_a_kubelet_down(const Finding& finding) {
  return finding.id == "kubelet-stopped" || finding.id == "restart-loop" ||
         finding.id == "not-healthy";
}

/// The first line of the report in words.
std::string state_sentence(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                           NodeState state) {
  const std::string healthy = snapshot.health && snapshot.health->ok
                                  ? std::string("the kubelet is healthy")
                                  : std::string("the kubelet runs");
  const std::string count = count_text(model::configured_entries(model).size(), "entry", "entries");
  switch (state) {
    case NodeState::kOk:
      return fmt::format("{} and has the configured list, {}", healthy, count);
    case NodeState::kDrift:
      return fmt::format("{}, but its list is not the configured one: it {}; run: {}", healthy,
                         difference_text(model), restart_command(snapshot));
    case NodeState::kUnknown:
      return !model.running || checks::is_list_unknown(model)
                 ? fmt::format("{}, its list is unknown", healthy)
                 : fmt::format("{}, its list is unknown; to make it use the files, run: {}",
                               healthy, restart_command(snapshot));
    case NodeState::kFilesOnly:
      return checks::is_list_unknown(model) || model.wrapped
                 ? "the list is unknown; no process was asked"
                 : fmt::format("{} configured; no process was asked", count);
    case NodeState::kBroken:
      return healthy;
    case NodeState::kDown:
      return "the kubelet does not run";
  }
  bug("a NodeState without a sentence");
}

/// Trials that run: what ends by itself, when, and how to keep it.
std::string trials_text(const transaction::OpenChanges& open, std::int64_t now_ms,
                        const TextStyle& style) {
  std::string out;
  for (const transaction::Transaction& one : open.trials) {
    const ListChange change = change_between(one.before, one.after);
    std::string what;
    if (!change.added.empty()) what = "adds " + join(change.added);
    if (!change.removed.empty()) {
      what += (what.empty() ? "removes " : " and removes ") + join(change.removed);
    }
    if (what.empty()) what = "changes the list";
    const std::string until =
        one.trial ? fmt::format("until {} ({})", time_text(style, one.trial->until_ms),
                                relative_text(one.trial->until_ms, now_ms))
                  : std::string("without an end");
    out += painted(style, Paint::kYellow, "ON TRIAL " + until) +
           fmt::format(": {}; to keep it, run: kubelet-sysctl keep {}\n", what, one.id);
  }
  return out;
}

/// Findings that the report does not already show in its own way. Notes only when asked for, but
/// for the one that says how long the list will last.
bool is_worth_showing(const Finding& finding, const TextStyle& style) {
  for (const char* shown : {"drift", "newer-file", "shadowed-list"}) {
    if (finding.id == shown) return false;
  }
  if (is_of_a_kubelet_down(finding)) return false;
  return finding.severity != Severity::kNote || style.verbose || finding.id == "will-be-rewritten";
}

}  // namespace

std::string error_text(const Error& error, const TextStyle& style) {
  std::string out = "kubelet-sysctl: " + painted(style, Paint::kRed, "error:") + ' ';
  if (!error.path.empty()) {
    out += place_text(error.path, error.line);
    if (error.line > 0 && error.column > 0) out += fmt::format(":{}", error.column);
    out += ": ";
  }
  out += printable(error.message) + '\n';
  if (!error.excerpt.empty() && error.column > 0) out += excerpt_text(error, style);
  if (!error.hint.empty()) out += fmt::format("hint: {}\n", printable(error.hint));
  out += indented(error.detail, "  ");
  if (error.advice) out += advice_lines(*error.advice);
  return out;
}

std::string finding_text(const Finding& finding, const TextStyle& style) {
  return "kubelet-sysctl: " + finding_lines(finding, style, "");
}

NodeState state_of(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model) {
  if (!snapshot.live) return NodeState::kFilesOnly;
  if (!snapshot.process) return NodeState::kDown;
  const bool broken =
      std::any_of(model.findings.begin(), model.findings.end(), [](const Finding& one) {
        return one.severity == Severity::kError && !is_of_a_kubelet_down(one);
      });
  const bool down = std::any_of(model.findings.begin(), model.findings.end(), is_of_a_kubelet_down);
  if (down || (snapshot.health && !snapshot.health->ok)) return NodeState::kDown;
  if (broken) return NodeState::kBroken;
  if (!model.running || !model.running->entries || checks::is_list_unknown(model)) {
    return NodeState::kUnknown;
  }
  return model.drift ? NodeState::kDrift : NodeState::kOk;
}

const char* name_of(NodeState state) {
  switch (state) {
    case NodeState::kOk:
      return "ok";
    case NodeState::kDrift:
      return "drift";
    case NodeState::kUnknown:
      return "unknown";
    case NodeState::kDown:
      return "down";
    case NodeState::kBroken:
      return "broken";
    case NodeState::kFilesOnly:
      return "files";
  }
  bug("a NodeState without a name");
}

void write_show_text(const Sink& to, const nodes::NodeSnapshot& snapshot,
                     const model::NodeModel& model, const TextStyle& style,
                     const transaction::OpenChanges& open) {
  const NodeState state = state_of(snapshot, model);
  std::string out = trials_text(open, snapshot.read_at_ms, style);
  if (!open.in_progress.empty()) {
    out += painted(style, Paint::kYellow, "in progress: " + printable(open.in_progress)) + '\n';
  }
  // A problem is said before any fact, and once: its finding is the first line.
  std::string down;
  std::string errors;
  for (const Finding& finding : model.findings) {
    if (is_of_a_kubelet_down(finding)) {
      down += finding_lines(finding, style, "");
    } else if (finding.severity == Severity::kError) {
      errors += finding_lines(finding, style, "");
    }
  }
  if (down.empty() && errors.empty()) {
    const Paint paint = state == NodeState::kOk          ? Paint::kGreen
                        : state == NodeState::kFilesOnly ? Paint::kBold
                                                         : Paint::kYellow;
    out += fmt::format("{} {}\n", painted(style, paint, fmt::format("{}:", name_of(state))),
                       state_sentence(snapshot, model, state));
  }
  out += down + errors + '\n';
  out += header_line(snapshot, model, style);
  to(out);
  write_configured(to, model, style);
  out = pod_defaults_text(model.pod_defaults, style) + running_text(snapshot, model, style);
  bool first = true;
  for (const Finding& finding : model.findings) {
    if (finding.severity == Severity::kError || !is_worth_showing(finding, style)) continue;
    if (first) out += '\n';
    first = false;
    out += finding_lines(finding, style, "");
  }
  to(out);
}

std::string explain_text(const nodes::NodeSnapshot& snapshot, const systemd::CommandLine& command,
                         const TextStyle& style) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < command.words.size(); ++i) {
    const systemd::Word& word = command.words[i];
    const Origin origin = i < command.origins.size() ? command.origins[i] : Origin{};
    std::string variable = variable_text(origin.variable);
    for (const std::string& name : word.inner) {
      variable += fmt::format("{}${{{}}}", variable.empty() ? "" : " ", printable(name));
    }
    // The word is last: it may be very long, and must not push the others apart.
    const std::string place = origin.kind == OriginKind::kHost
                                  ? fmt::format("{} itself", nodes::kind_of(snapshot).title)
                                  : place_text(origin.path, origin.line);
    rows.push_back(
        {painted(style, Paint::kDim, place), variable, printable(shell_word(word.text.text))});
  }
  std::string out = aligned(rows, "");
  if (!command.unset.empty()) {
    out += '\n' + heading(style, "unset") + "  nothing sets these variables of the command:";
    for (const std::string& name : command.unset) out += ' ' + variable_text(name);
    out += '\n';
  }
  if (command.dropped_assignments > 0) {
    out += fmt::format("\nsystemd drops {} of Environment= as malformed\n",
                       count_text(command.dropped_assignments, "word", "words"));
  }
  return out;
}

}  // namespace kubelet_sysctl::report
