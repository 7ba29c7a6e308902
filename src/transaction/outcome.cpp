// SPDX-License-Identifier: Apache-2.0
// The words for what a run did and how it ended, and the one table of exit codes.
#include "kubelet_sysctl/transaction/outcome.hpp"

#include <array>

#include "kubelet_sysctl/base/error.hpp"

namespace kubelet_sysctl::transaction {

const char* name_of(OutcomeKind kind) {
  // In the order of OutcomeKind.
  constexpr std::array kNames = {"unchanged", "planned",     "applied",
                                 "pending",   "rolled-back", "stranded"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view name_of(FileHolds holds) {
  constexpr std::array<std::string_view, 5> kNames = {"old", "new", "torn", "other", "unknown"};
  return kNames[static_cast<std::size_t>(holds)];
}

const std::vector<ExitCode>& exit_codes() {
  static const std::vector<ExitCode> codes = {
      {0, "ok", "the desired state holds, or the question was answered"},
      {1, "failed", "the run failed and nothing was changed"},
      {2, "usage", "the command line has no meaning, or an entry is malformed"},
      {3, "refused", "refused by a check, not provable as safe, or the node has another manager"},
      {4, "rolled-back", "the change failed and the old state is back"},
      {5, "stranded",
       "neither the new state nor the old one could be confirmed: manual action required"},
      {6, "found", "`check`, `doctor` or `show --exit-code` found something"},
      {7, "locked", "another run holds the lock"},
      {77, "unchanged", "there was nothing to do, only with `--unchanged-exit-77`"},
  };
  return codes;
}

int exit_code_of(const Outcome& outcome, bool unchanged_is_77) {
  switch (outcome.kind) {
    case OutcomeKind::kUnchanged:
      return unchanged_is_77 ? 77 : 0;
    case OutcomeKind::kPlanned:
    case OutcomeKind::kApplied:
    case OutcomeKind::kPending:
      return 0;
    case OutcomeKind::kRolledBack:
      return 4;
    case OutcomeKind::kStranded:
      return 5;
  }
  bug("an OutcomeKind without an exit code");
}

int exit_code_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kUsage:
    case ErrorKind::kBadEntry:
      return 2;
    case ErrorKind::kRefused:
    case ErrorKind::kUnsupported:
      return 3;
    case ErrorKind::kLocked:
      return 7;
    case ErrorKind::kMalformed:
    case ErrorKind::kNotFound:
    case ErrorKind::kPermission:
    case ErrorKind::kConflict:
    case ErrorKind::kIo:
    case ErrorKind::kNoSystemd:
    case ErrorKind::kTimeout:
    case ErrorKind::kInterrupted:
      return 1;
  }
  bug("an ErrorKind without an exit code");
}

}  // namespace kubelet_sysctl::transaction
