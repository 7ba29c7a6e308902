// SPDX-License-Identifier: Apache-2.0
// A trial: what ends a change when nobody comes to keep it.
#include "trial.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/recover.hpp"
#include "system_log_entry.hpp"

namespace kubelet_sysctl::transaction {
namespace {

/// Links made without a reload make later releases say that every unit wants one, and a unit whose
/// file is gone stays loaded: what we caused is read again.
Status reload_after_links(ports::Ports& ports) {
  constexpr Milliseconds kDeadline{90'000};
  const auto version = ports.services.version();
  if (!version || systemd::need_reload_is_reliable(*version)) return {};
  return ports.services.reload(kDeadline);
}

constexpr const char* kBootUnit = "kubelet-sysctl-recover.service";
constexpr const char* kBootUnitPath = "/etc/systemd/system/kubelet-sysctl-recover.service";

std::string timer_of(const Transaction& transaction) {
  return "kubelet-sysctl-trial-" + transaction.id;
}

/// After the kubelet's unit, so that the end of the trial is seen in a kubelet that runs.
std::string boot_unit_text(const Transaction& transaction, const std::string& program) {
  return fmt::format(
      "# Made by 'kubelet-sysctl --trial' for the time of a trial, and removed with its end.\n"
      "[Unit]\n"
      "Description=End a trial of kubelet-sysctl after a reboot\n"
      "After={}\n"
      "\n"
      "[Service]\n"
      "Type=oneshot\n"
      "ExecStart={} recover --lock-timeout 10m -q\n"
      "\n"
      "[Install]\n"
      "WantedBy=multi-user.target\n",
      transaction.unit, program);
}

bool is_ours(const SourceFile& unit) {
  return unit.exists() && unit.bytes.starts_with("# Made by 'kubelet-sysctl --trial'");
}

Status make_boot_unit(ports::Ports& ports, const Transaction& transaction,
                      const std::string& program) {
  auto unit = ports.files.read(kBootUnitPath);
  if (!unit) return std::move(unit).error();
  if (unit->kind == FileKind::kAbsent) {
    // One that a package brought is enough, wherever it is.
    auto known = ports.services.show(kBootUnit);
    if (!known) return std::move(known).error();
    if (known->load_state == "not-found") {
      auto made = ports.files.replace(*unit, boot_unit_text(transaction, program));
      if (!made) return std::move(made).error();
    }
  }
  if (auto status = ports.services.enable(kBootUnit); !status) return status;
  return reload_after_links(ports);
}

bool needs_boot_unit(const Transaction& one) {
  return one.trial && (one.state == TransactionState::kTrial || is_unfinished(one));
}

Status remove_boot_unit(ports::Ports& ports) {
  if (auto swept = ports.files.sweep(kBootUnitPath); !swept) return swept;
  auto unit = ports.files.read(kBootUnitPath);
  if (!unit) return std::move(unit).error();
  if (!is_ours(*unit)) return {};
  // Its links first: a link to a unit that is gone is a complaint at every boot.
  if (auto status = ports.services.disable(kBootUnit); !status) return status;
  if (auto status = ports.files.remove(*unit, false); !status) return status;
  return reload_after_links(ports);
}

/// A path that needs no quoting in ExecStart= and is no shell's matter either.
bool is_plain_path(const std::string& path) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+";
  return path.starts_with('/') && path.find_first_not_of(kPlain) == std::string::npos;
}

}  // namespace

Status arm_trial(ports::Ports& ports, const Transaction& transaction, Milliseconds duration,
                 const std::string& program) {
  if (!is_plain_path(program)) {
    return Error{
        .kind = ErrorKind::kRefused,
        .message = fmt::format(
            "will not begin a trial: the path of this program, '{}', cannot be used in a unit file",
            program),
        .hint = "install it as '/usr/local/bin/kubelet-sysctl'"};
  }
  const std::vector<std::string> command = {
      program, "recover", "--end-trial", transaction.id, "--lock-timeout", "10m", "-q"};
  auto armed = ports.services.arm_timer(
      timer_of(transaction), fmt::format("End the trial {} of kubelet-sysctl", transaction.id),
      duration, command);
  if (!armed) return armed;
  auto made = make_boot_unit(ports, transaction, program);
  if (made) return made;
  // What failed first is what is reported; a timer that stays finds no trial and does nothing.
  static_cast<void>(disarm_trial(ports, transaction, {}));
  return made;
}

Status disarm_trial(ports::Ports& ports, const Transaction& transaction,
                    const std::vector<Transaction>& others) {
  const auto stopped = ports.services.disarm_timer(timer_of(transaction));
  const bool needed = std::any_of(others.begin(), others.end(), [&](const Transaction& one) {
    return one.id != transaction.id && needs_boot_unit(one);
  });
  if (!needed) {
    if (auto removed = remove_boot_unit(ports); !removed) return removed;
  }
  return stopped;
}

bool has_stale_boot_unit(ports::Ports& ports, const std::vector<Transaction>& all) {
  if (std::any_of(all.begin(), all.end(), needs_boot_unit)) return false;
  const auto unit = ports.files.read(kBootUnitPath);
  return unit && is_ours(*unit);
}

Status tidy_trials(ports::Ports& ports) {
  auto records = read_records(ports);
  if (!records) return std::move(records).error();
  if (!records->broken.empty()) return {};  // it may be the trial that needs the unit
  const std::vector<Transaction>& all = records->transactions;
  const bool needed = std::any_of(all.begin(), all.end(), needs_boot_unit);
  const bool ever = std::any_of(all.begin(), all.end(),
                                [](const Transaction& one) { return one.trial.has_value(); });
  return needed || !ever ? Status() : remove_boot_unit(ports);
}

Status keep_trial(ports::Ports& ports, Transaction& transaction, Outcome& outcome) {
  if (transaction.state != TransactionState::kTrial) {
    return Error{.kind = ErrorKind::kConflict,
                 .message = fmt::format("'{}' is no trial that runs: it is {}", transaction.id,
                                        name_of(transaction.state)),
                 .hint = "'kubelet-sysctl history' lists the changes"};
  }
  auto all = list_transactions(ports);
  if (!all) return std::move(all).error();
  // The record first: from here on a timer that fires finds nothing to end.
  if (auto marked = mark_transaction(ports, transaction, TransactionState::kConfirmed); !marked) {
    return marked;
  }
  if (auto disarmed = disarm_trial(ports, transaction, *all); !disarmed) {
    outcome.findings.push_back(not_disarmed(disarmed.error()));
  }
  log_change(ports, transaction, "kept", outcome);
  return {};
}

Finding not_disarmed(const Error& error) {
  return {.id = "trial-not-disarmed",
          .severity = Severity::kWarning,
          .message = fmt::format(
              "the timer that was to end the trial is still there, and will find nothing to do: {}",
              error.message)};
}

}  // namespace kubelet_sysctl::transaction
