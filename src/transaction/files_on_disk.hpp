// SPDX-License-Identifier: Apache-2.0
// How the files of a transaction are on the disk, and the way back for one of them.
#pragma once

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/recovery_table.hpp"

namespace kubelet_sysctl::transaction {

/// One file of a transaction as it is now.
struct FoundFile {
  FileHolds holds = FileHolds::kOld;
  SourceFile now;
};

/// Inspects the file. Pieces are only distinguished from another process's bytes in a transaction that did not come
/// to its end; in another they are foreign. Errors: those of read().
Result<FoundFile> inspect(ports::Ports& ports, const JournalFile& file, bool unfinished);

/// The edit that puts the original of `file` back in the place of `now`.
planning::FileEdit edit_back(const JournalFile& file, SourceFile now);

/// What the found files are together.
FilesFound files_found(const std::vector<FoundFile>& files);

}  // namespace kubelet_sysctl::transaction
