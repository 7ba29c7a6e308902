// SPDX-License-Identifier: Apache-2.0
// One line in the system's log for each change that ended.
#include "system_log_entry.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/printable.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {
namespace {

constexpr int kError = 3;        ///< syslog(3): LOG_ERR
constexpr int kWarning = 4;      ///< LOG_WARNING
constexpr int kInformation = 6;  ///< LOG_INFO

/// Entries separated by commas; a long list is cut.
std::string cut(const EntryList& entries) {
  constexpr std::size_t kMost = 2000;
  std::string text;
  for (const std::string_view entry : entries) {
    if (text.size() + entry.size() > kMost) return text + ",...";
    if (!text.empty()) text += ',';
    text += entry;
  }
  return text;
}

std::string signed_entries(const std::string& added, const std::string& removed) {
  std::string text;
  if (!added.empty()) text += " +" + added;
  if (!removed.empty()) text += " -" + removed;
  return text.empty() ? std::string(" no entry added or removed") : text;
}

std::string user_of(const Transaction& transaction) {
  const std::string uid =
      transaction.uid == 0 ? std::string("root") : fmt::format("uid {}", transaction.uid);
  std::string user = uid;
  if (!transaction.sudo_user.empty()) user += fmt::format(" ({})", transaction.sudo_user);
  // The kernel keeps it through su and sudo; unlike the name, no caller can set it.
  if (transaction.login_uid) user += fmt::format(", login uid {}", *transaction.login_uid);
  return user;
}

int priority_of(OutcomeKind kind) {
  if (kind == OutcomeKind::kStranded) return kError;
  return kind == OutcomeKind::kRolledBack ? kWarning : kInformation;
}

}  // namespace

void log_change(ports::Ports& ports, const Transaction& transaction, const std::string& what,
                Outcome& outcome) {
  const ListChange change = change_between(transaction.before, transaction.after);
  const std::string added = cut(change.added);
  const std::string removed = cut(change.removed);
  const std::string user = user_of(transaction);
  ports::LogEntry entry;
  entry.priority = priority_of(outcome.kind);
  entry.message =
      fmt::format("{} {}:{}, transaction {}, by {}", planning::name_of(transaction.verb), what,
                  signed_entries(added, removed), transaction.id, user);
  if (outcome.cause) entry.message += ": " + outcome.cause->message;
  std::replace(entry.message.begin(), entry.message.end(), '\n', ' ');
  entry.message = printable(entry.message);
  entry.fields = {{"KUBELET_SYSCTL_TRANSACTION", transaction.id},
                  {"KUBELET_SYSCTL_VERB", planning::name_of(transaction.verb)},
                  {"KUBELET_SYSCTL_OUTCOME", name_of(outcome.kind)},
                  {"KUBELET_SYSCTL_STATE", name_of(transaction.state)},
                  {"KUBELET_SYSCTL_ADDED", printable(added)},
                  {"KUBELET_SYSCTL_REMOVED", printable(removed)},
                  {"KUBELET_SYSCTL_REASON", printable(transaction.reason)},
                  {"KUBELET_SYSCTL_USER", printable(user)}};
  auto written = ports.log.write(entry);
  if (written) return;
  outcome.findings.push_back(
      {.id = "not-logged",
       .severity = Severity::kWarning,
       .message = fmt::format("cannot write the line about this change to the system log: {}",
                              written.error().message)});
}

}  // namespace kubelet_sysctl::transaction
