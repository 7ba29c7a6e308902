// SPDX-License-Identifier: Apache-2.0
// What commands that only read report the records of changes.
#include "records.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/ports/boot_id.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/recovery_table.hpp"
#include "options.hpp"
#include "session.hpp"

namespace kubelet_sysctl::cli {
namespace {

/// How a hint names the directory of a record; in a tree it is below the tree's.
constexpr std::string_view kSetsAside = "mv /var/lib/";

/// True when the kernel says that `pid` holds a lock of flock(2). Where it does not say, the process alone
/// counts. Source: proc_locks(5).
bool holds_lock(ports::Ports& ports, std::int64_t pid) {
  const auto stat = ports.files.read(fmt::format("/proc/{}/stat", pid));
  if (!stat || stat->bytes.empty() || is_dead(stat->bytes)) return false;
  const auto locks = ports.files.read("/proc/locks");
  if (!locks || locks->bytes.empty()) return true;
  const std::string number = fmt::format(" {} ", pid);
  for (const std::string_view line : lines_of(locks->bytes)) {
    const bool is_flock = line.find(" FLOCK ") != std::string_view::npos;
    // "->" marks one that waits.
    const bool waits = line.find("->") != std::string_view::npos;
    if (is_flock && !waits && line.find(number) != std::string_view::npos) return true;
  }
  return false;
}

/// What the holder of the lock wrote of itself, while it holds it: "add kernel.msgmax, pid 272, since 4 s".
std::string run_in_progress(ports::Ports& ports) {
  const auto lock = ports.files.read(fmt::format("{}/lock", transaction::kStateDirectory));
  if (!lock || lock->bytes.empty()) return {};
  const std::string_view text = std::string_view(lock->bytes).substr(0, lock->bytes.find('\n'));
  std::int64_t pid = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, fault] = std::from_chars(text.data(), end, pid);
  if (fault != std::errc{} || pid <= 0 || !holds_lock(ports, pid)) return {};
  const std::string_view what = stopped == end ? "a change" : std::string_view(stopped + 1, end);
  constexpr std::int64_t kNanoseconds = 1'000'000;
  constexpr std::int64_t kMilliseconds = 1000;
  const std::int64_t for_ms = ports.clock.wall_ms() - lock->meta.mtime_ns / kNanoseconds;
  return fmt::format("{}, pid {}, since {} s", what, pid,
                     std::max<std::int64_t>(for_ms, 0) / kMilliseconds);
}

}  // namespace

transaction::Moment moment_of(ports::Ports& ports) {
  return {.now_ms = ports.clock.wall_ms(),
          .boot_id = ports::boot_id_of(ports),
          .in_progress = run_in_progress(ports)};
}

void say_in_progress(Session& session, const transaction::Moment& moment) {
  if (session.options.is_for_programs()) return;
  const std::string text = report::in_progress_text(moment, session.err);
  if (!text.empty()) say(session, "kubelet-sysctl: " + text);
}

void say_unfinished(Session& session, const std::vector<transaction::Transaction>& all,
                    const transaction::Moment& moment) {
  // What is open is in the hands of the run that is at work.
  if (session.options.is_for_programs() || !moment.in_progress.empty()) return;
  const std::string line = transaction::unfinished_line(all, moment.now_ms, moment.boot_id);
  const std::string text = report::unfinished_text(line, session.options.root, session.err);
  if (!text.empty()) say(session, text);
}

Error in_root(Error error, const Options& options) {
  const std::size_t at = error.hint.find(kSetsAside);
  if (options.is_live() || at == std::string::npos) return error;
  error.hint.insert(at + kSetsAside.find('/'), options.root);
  return error;
}

std::vector<Finding> broken_records(const transaction::Records& records, const Options& options) {
  std::vector<Finding> findings;
  for (const transaction::BrokenRecord& one : records.broken) {
    const Error error = in_root(one.why, options);
    findings.push_back(
        {.id = "broken-record",
         .severity = Severity::kWarning,
         .message = fmt::format("the change '{}' is left out: {}", one.id, error.message),
         .path = error.path,
         .hint = error.hint});
  }
  return findings;
}

std::optional<std::vector<transaction::Transaction>> report_records(
    Session& session, ports::Ports& ports, const transaction::Moment& moment,
    std::vector<Finding>& findings) {
  auto records = transaction::read_records(ports);
  std::vector<Finding> found;
  if (records) {
    found = broken_records(*records, session.options);
  } else if (records.error().kind != ErrorKind::kPermission) {
    found.push_back({.id = "broken-record",
                     .severity = Severity::kWarning,
                     .message = "the records of changes cannot be read: " + records.error().message,
                     .path = records.error().path,
                     .hint = "see 'kubelet-sysctl history'"});
  }
  for (Finding& finding : found) {
    if (session.options.is_for_programs()) {
      findings.push_back(std::move(finding));
    } else {
      say(session, report::finding_text(finding, session.err));
    }
  }
  if (!records) return std::nullopt;
  say_unfinished(session, records->transactions, moment);
  return std::move(records->transactions);
}

transaction::OpenChanges tell_open_changes(Session& session, ports::Ports& ports,
                                           std::vector<Finding>& findings) {
  const transaction::Moment moment = moment_of(ports);
  say_in_progress(session, moment);
  const auto all = report_records(session, ports, moment, findings);
  return all ? transaction::open_changes(*all, moment) : transaction::OpenChanges();
}

}  // namespace kubelet_sysctl::cli
