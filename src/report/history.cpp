// SPDX-License-Identifier: Apache-2.0
// What was changed on this node, by whom, and what became of it: for an operator.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/printable.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/planning/diff.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::report {
namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr std::size_t kMostReason = 24;    ///< columns that the table keeps for the reason
constexpr std::size_t kLeastEntries = 20;  ///< columns of the entries, however wide the rest is

/// "root (alice)": who ran it, and who sat before sudo.
std::string who_of(const transaction::Transaction& one) {
  std::string who = one.uid == 0 ? std::string("root") : fmt::format("uid {}", one.uid);
  if (!one.sudo_user.empty()) who += fmt::format(" ({})", printable(one.sudo_user));
  return who;
}

/// "+net.core.somaxconn -kernel.sem", one cell each.
std::vector<std::string> signed_entries(const transaction::Transaction& one) {
  const ListChange change = change_between(one.before, one.after);
  std::vector<std::string> entries;
  for (const std::string_view entry : change.added) entries.push_back('+' + printable(entry));
  for (const std::string_view entry : change.removed) entries.push_back('-' + printable(entry));
  if (change.reordered) entries.emplace_back("(order)");
  if (entries.empty()) entries.emplace_back("-");
  return entries;
}

/// As many entries as fit into `room` columns, and how many do not; the first is in any case.
std::string fitting(const std::vector<std::string>& entries, std::size_t room) {
  std::string out = entries.front();
  for (std::size_t i = 1; i < entries.size(); ++i) {
    const std::string rest = fmt::format(" ... {} more", entries.size() - i);
    const bool is_last = i + 1 == entries.size();
    const std::size_t needed =
        width_of(out) + 1 + width_of(entries[i]) + (is_last ? 0 : width_of(rest));
    if (needed > room) return out + rest;
    out += ' ' + entries[i];
  }
  return out;
}

std::string end_of(const transaction::Transaction& one,
                   const std::vector<transaction::Transaction>& all,
                   const transaction::Moment& moment, const TextStyle& style) {
  if (const transaction::Transaction* by = transaction::undone_by(all, one.id))
    return "undone by " + by->id;
  if (!moment.in_progress.empty() && transaction::is_unfinished(one)) return "in progress";
  if (transaction::is_late_trial(one, moment)) return "trial, over";
  if (one.state == transaction::TransactionState::kTrial && one.trial) {
    return "trial until " + time_text(style, one.trial->until_ms);
  }
  return transaction::name_of(one.state);
}

std::string end_painted(const transaction::Transaction& one,
                        const std::vector<transaction::Transaction>& all,
                        const transaction::Moment& moment, const TextStyle& style) {
  const std::string end = end_of(one, all, moment, style);
  const bool runs = !moment.in_progress.empty() && transaction::is_unfinished(one);
  if (one.state == transaction::TransactionState::kStranded && !runs)
    return painted(style, Paint::kRed, end);
  const bool is_open =
      transaction::is_unfinished(one) || one.state == transaction::TransactionState::kTrial;
  return is_open ? painted(style, Paint::kYellow, end) : end;
}

std::string trial_phrase(const transaction::Transaction& one, const transaction::Moment& moment,
                         const TextStyle& style) {
  const std::string until = time_text(style, one.trial->until_ms);
  if (transaction::is_late_trial(one, moment))
    return fmt::format("until {}: over, and not undone yet", until);
  if (one.state == transaction::TransactionState::kTrial) {
    return fmt::format("until {}: 'kubelet-sysctl keep {}' makes it final", until, one.id);
  }
  return fmt::format("until {}{}", until,
                     one.state == transaction::TransactionState::kConfirmed ? ", kept" : "");
}

std::string versions_of(const transaction::Transaction& one) {
  std::string versions = "kubelet-sysctl " + printable(one.tool_version);
  if (one.systemd_version > 0) versions += fmt::format(", systemd {}", one.systemd_version);
  return versions;
}

std::string facts_text(const transaction::Transaction& one,
                       const std::vector<transaction::Transaction>& all,
                       const transaction::Moment& moment, const TextStyle& style) {
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
  if (const transaction::Transaction* by = transaction::undone_by(all, one.id))
    row("undone by", by->id);
  if (one.trial) row("trial", trial_phrase(one, moment, style));
  row("cause", printable(one.cause));
  if (one.was_down) row("note", "the kubelet was not healthy before this change either");
  return aligned(rows, "  ");
}

std::string states_text(const transaction::Transaction& one, const TextStyle& style) {
  Rows rows;
  for (const transaction::StateReached& reached : one.reached) {
    rows.push_back({time_text(style, reached.at_ms), transaction::name_of(reached.state)});
  }
  // Records of the first release tell the start alone.
  if (rows.empty()) rows.push_back({time_text(style, one.at_ms), "begun"});
  return aligned(rows, "  ");
}

std::string list_text(const transaction::Transaction& one, const TextStyle& style) {
  const ListChange change = change_between(one.before, one.after);
  std::string out;
  if (change.reordered) {
    for (const std::string_view entry : one.after) out += fmt::format("    {}\n", printable(entry));
    return out;
  }
  for (const std::string_view entry : change.kept) out += fmt::format("    {}\n", printable(entry));
  for (const std::string_view entry : change.removed) {
    out += "  " + painted(style, Paint::kRed, "- " + printable(entry)) + '\n';
  }
  for (const std::string_view entry : change.added) {
    out += "  " + painted(style, Paint::kGreen, "+ " + printable(entry)) + '\n';
  }
  return out.empty() ? "  (none)\n" : out;
}

std::string file_text(const transaction::JournalFile& file, const TextStyle& style) {
  std::string out = fmt::format("  {} {} ({})\n",
                                file.removed   ? "removed"
                                : file.existed ? "edited"
                                               : "created",
                                printable(file.path), name_of(file.route));
  const auto edit = transaction::edit_of(file);
  if (!edit) {
    return out + fmt::format("    cannot be shown: {}\n", printable(edit.error().message));
  }
  return out + indented(planning::diff_text(*edit, style), "    ");
}

}  // namespace

std::string in_progress_text(const transaction::Moment& moment, const TextStyle& style) {
  if (moment.in_progress.empty()) return {};
  return fmt::format("{} in progress: {}\n", painted(style, Paint::kBold, "note:"),
                     printable(moment.in_progress));
}

std::string history_text(const std::vector<transaction::Transaction>& all,
                         const transaction::Moment& moment, const TextStyle& style) {
  if (all.empty()) return "no change was made yet\n";
  constexpr std::size_t kEntries = 4;
  Rows rows = {{"id", "time", "who", "verb", "entries", "outcome", "reason"}};
  for (const transaction::Transaction& one : all) {
    rows.push_back({printable(one.id),
                    time_text(style, one.at_ms),
                    who_of(one),
                    planning::name_of(one.verb),
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

std::string transaction_text(const transaction::Transaction& one,
                             const std::vector<transaction::Transaction>& all,
                             const transaction::Moment& moment, const TextStyle& style) {
  const auto heading = [&style](const char* name) {
    return '\n' + painted(style, Paint::kBold, name) + '\n';
  };
  std::string out = fmt::format("{}  {}  {}\n", painted(style, Paint::kBold, printable(one.id)),
                                planning::name_of(one.verb), end_painted(one, all, moment, style));
  out += facts_text(one, all, moment, style);
  out += heading("states") + states_text(one, style);
  out += heading("list") + list_text(one, style);
  out += heading("files");
  for (const transaction::JournalFile& file : one.files) out += file_text(file, style);
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

}  // namespace kubelet_sysctl::report
