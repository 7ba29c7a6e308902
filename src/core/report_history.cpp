// SPDX-License-Identifier: Apache-2.0
// What was changed on this node, by whom, and what became of it: for an operator.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/report.hpp"
#include "layout.hpp"

namespace kubelet_sysctl {
namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr std::size_t kMostReason = 24;    ///< columns that the table keeps for the reason
constexpr std::size_t kLeastEntries = 20;  ///< columns of the entries, however wide the rest is

/// A trial whose time is over, or that a boot ended, and whose change is still there.
bool is_late_trial(const Transaction& one, const Moment& moment) {
  return one.state == TransactionState::kTrial && is_over(one, moment.now_ms, moment.boot_id);
}

/// "root (alice)": who ran it, and who sat before sudo.
std::string who_of(const Transaction& one) {
  std::string who = one.uid == 0 ? std::string("root") : fmt::format("uid {}", one.uid);
  if (!one.sudo_user.empty()) who += fmt::format(" ({})", printable(one.sudo_user));
  return who;
}

/// "+net.core.somaxconn -kernel.sem", one cell each.
std::vector<std::string> signed_entries(const Transaction& one) {
  const ListChange change = change_between(one.before, one.after);
  std::vector<std::string> entries;
  for (const std::string& entry : change.added) entries.push_back('+' + printable(entry));
  for (const std::string& entry : change.removed) entries.push_back('-' + printable(entry));
  if (change.reordered) entries.emplace_back("(order)");
  if (entries.empty()) entries.emplace_back("-");
  return entries;
}

/// As many entries as fit into `room` columns, and how many do not; the first stands in any case.
std::string fitting(const std::vector<std::string>& entries, std::size_t room) {
  std::string out = entries.front();
  for (std::size_t i = 1; i < entries.size(); ++i) {
    const std::string rest = fmt::format(" … {} more", entries.size() - i);
    const bool is_last = i + 1 == entries.size();
    const std::size_t needed =
        width_of(out) + 1 + width_of(entries[i]) + (is_last ? 0 : width_of(rest));
    if (needed > room) return out + rest;
    out += ' ' + entries[i];
  }
  return out;
}

std::string end_of(const Transaction& one, const std::vector<Transaction>& all,
                   const Moment& moment) {
  if (const Transaction* by = undone_by(all, one.id)) return "undone by " + by->id;
  if (!moment.in_progress.empty() && is_unfinished(one)) return "in progress";
  if (is_late_trial(one, moment)) return "trial, over";
  if (one.state == TransactionState::kTrial && one.trial) {
    return "trial until " + rfc3339(one.trial->until_ms);
  }
  return name_of(one.state);
}

std::string end_painted(const Transaction& one, const std::vector<Transaction>& all,
                        const Moment& moment, const TextStyle& style) {
  const std::string end = end_of(one, all, moment);
  const bool runs = !moment.in_progress.empty() && is_unfinished(one);
  if (one.state == TransactionState::kStranded && !runs) return painted(style, Paint::kRed, end);
  const bool is_open = is_unfinished(one) || one.state == TransactionState::kTrial;
  return is_open ? painted(style, Paint::kYellow, end) : end;
}

std::string trial_phrase(const Transaction& one, const Moment& moment) {
  const std::string until = rfc3339(one.trial->until_ms);
  if (is_late_trial(one, moment)) return fmt::format("until {}: over, and not undone yet", until);
  if (one.state == TransactionState::kTrial) {
    return fmt::format("until {}: 'kubelet-sysctl keep {}' makes it final", until, one.id);
  }
  return fmt::format("until {}{}", until,
                     one.state == TransactionState::kConfirmed ? ", kept" : "");
}

std::string versions_of(const Transaction& one) {
  std::string versions = "kubelet-sysctl " + printable(one.tool_version);
  if (one.systemd_version > 0) versions += fmt::format(", systemd {}", one.systemd_version);
  return versions;
}

std::string facts_text(const Transaction& one, const std::vector<Transaction>& all,
                       const Moment& moment) {
  Rows rows;
  const auto row = [&rows](const char* name, std::string value) {
    if (!value.empty()) rows.push_back({name, std::move(value)});
  };
  row("by", who_of(one) +
                (one.login_uid ? fmt::format(", login uid {}", *one.login_uid) : std::string()));
  row("reason", printable(one.reason));
  row("unit", printable(one.unit));
  row("versions", versions_of(one));
  row("undoes", printable(one.undoes));
  if (const Transaction* by = undone_by(all, one.id)) row("undone by", by->id);
  if (one.trial) row("trial", trial_phrase(one, moment));
  row("cause", printable(one.cause));
  if (one.was_down) row("note", "the kubelet was not healthy before this change either");
  return aligned(rows, "  ");
}

std::string states_text(const Transaction& one) {
  Rows rows;
  for (const StateReached& reached : one.reached) {
    rows.push_back({rfc3339(reached.at_ms), name_of(reached.state)});
  }
  // Records of the first release tell the start alone.
  if (rows.empty()) rows.push_back({rfc3339(one.at_ms), "begun"});
  return aligned(rows, "  ");
}

std::string list_text(const Transaction& one, const TextStyle& style) {
  const ListChange change = change_between(one.before, one.after);
  std::string out;
  if (change.reordered) {
    for (const std::string& entry : one.after) out += fmt::format("    {}\n", printable(entry));
    return out;
  }
  for (const std::string& entry : change.kept) out += fmt::format("    {}\n", printable(entry));
  for (const std::string& entry : change.removed) {
    out += "  " + painted(style, Paint::kRed, "- " + printable(entry)) + '\n';
  }
  for (const std::string& entry : change.added) {
    out += "  " + painted(style, Paint::kGreen, "+ " + printable(entry)) + '\n';
  }
  return out.empty() ? "  (none)\n" : out;
}

std::string file_text(const JournalFile& file, const TextStyle& style) {
  std::string out = fmt::format("  {} {} ({})\n",
                                file.removed   ? "removed"
                                : file.existed ? "edited"
                                               : "created",
                                printable(file.path), printable(file.route));
  const auto edit = edit_of(file);
  if (!edit) {
    return out + fmt::format("    cannot be shown: {}\n", printable(edit.error().message));
  }
  return out + indented(diff_text(*edit, style), "    ");
}

}  // namespace

std::string in_progress_text(const Moment& moment, const TextStyle& style) {
  if (moment.in_progress.empty()) return {};
  return fmt::format("{} in progress: {}\n", painted(style, Paint::kBold, "note:"),
                     printable(moment.in_progress));
}

OpenChanges open_changes(const std::vector<Transaction>& transactions, const Moment& moment) {
  OpenChanges open;
  open.in_progress = moment.in_progress;
  for (const Transaction& one : transactions) {
    if (is_unfinished(one) || is_late_trial(one, moment)) {
      // The run at work closes it, or brings it to its end before anything else.
      if (!moment.in_progress.empty()) continue;
      open.unfinished.push_back(one);
    } else if (one.state == TransactionState::kTrial) {
      open.trials.push_back(one);
    }
  }
  return open;
}

Result<FileEdit> edit_of(const JournalFile& file) {
  FileEdit edit;
  edit.before.path = file.path;
  edit.before.real_path = file.real_path;
  edit.before.kind = file.existed ? FileKind::kRegular : FileKind::kAbsent;
  edit.before.bytes = file.original;
  edit.before.meta = file.meta;
  edit.splices = file.splices;
  edit.route = file.route;
  edit.removes = file.removed;
  edit.daemon_reload = file.daemon_reload;
  if (file.removed) return edit;
  auto after = written_bytes(file);
  if (!after) return std::move(after).error();
  edit.after = std::move(*after);
  return edit;
}

std::string history_text(const std::vector<Transaction>& all, const Moment& moment,
                         const TextStyle& style) {
  if (all.empty()) return "no change was made yet\n";
  constexpr std::size_t kEntries = 4;
  Rows rows = {{"id", "time", "who", "verb", "entries", "outcome", "reason"}};
  for (const Transaction& one : all) {
    rows.push_back({printable(one.id),
                    rfc3339(one.at_ms),
                    who_of(one),
                    name_of(one.verb),
                    {},
                    end_painted(one, all, moment, style),
                    printable(one.reason)});
  }
  std::size_t taken = 0;
  for (std::size_t column = 0; column < rows.front().size(); ++column) {
    std::size_t widest = 0;
    for (const auto& row : rows) widest = std::max(widest, width_of(row[column]));
    // The last column may be as long as it likes; the entries leave it some room.
    taken += column + 1 < rows.front().size() ? widest + 2 : std::min(widest, kMostReason);
  }
  const std::size_t left = style.columns - std::min(taken, style.columns);
  // The head of the entries' own column was counted.
  const std::size_t room = std::max(left + width_of(rows.front()[kEntries]), kLeastEntries);
  for (std::size_t i = 0; i < all.size(); ++i) {
    rows[i + 1][kEntries] = fitting(signed_entries(all[i]), room);
  }
  for (std::string& head : rows.front()) head = painted(style, Paint::kDim, head);
  return aligned(rows, "");
}

std::string transaction_text(const Transaction& one, const std::vector<Transaction>& all,
                             const Moment& moment, const TextStyle& style) {
  const auto heading = [&style](const char* name) {
    return '\n' + painted(style, Paint::kBold, name) + '\n';
  };
  std::string out = fmt::format("{}  {}  {}\n", painted(style, Paint::kBold, printable(one.id)),
                                name_of(one.verb), end_painted(one, all, moment, style));
  out += facts_text(one, all, moment);
  out += heading("states") + states_text(one);
  out += heading("list") + list_text(one, style);
  out += heading("files");
  for (const JournalFile& file : one.files) out += file_text(file, style);
  return out;
}

std::string unfinished_text(const std::string& line, const std::string& root,
                            const TextStyle& style) {
  if (line.empty()) return {};
  const std::string tree = root == "/" ? std::string() : " --root " + shell_word(printable(root));
  return fmt::format(
      "kubelet-sysctl: {} {}\nhint: run 'kubelet-sysctl recover{}', or see 'kubelet-sysctl recover "
      "--dry-run{}'\n",
      painted(style, Paint::kYellow, "warning:"), printable(line), tree, tree);
}

}  // namespace kubelet_sysctl
