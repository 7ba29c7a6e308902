// SPDX-License-Identifier: Apache-2.0
// Says the files of a transaction apart: as before, as written, half written, or another process's.
#include "files_on_disk.hpp"

#include <algorithm>
#include <string_view>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "kubelet_sysctl/transaction/recovery_table.hpp"

namespace kubelet_sysctl::transaction {
namespace {

/// True when `now` begins with `over` and goes on with `under` from the same offset on: what a killed
/// write(2) into a file leaves behind.
bool is_written_over(std::string_view now, std::string_view over, std::string_view under) {
  std::size_t head = 0;
  while (head < now.size() && head < over.size() && now[head] == over[head]) ++head;
  // Every split up to `head` is possible; the last bytes must be those of `under`.
  std::size_t tail = now.size();
  while (tail > 0 && tail <= under.size() && now[tail - 1] == under[tail - 1]) --tail;
  if (now.size() == under.size()) return tail <= head;
  return now.size() > under.size() && head == now.size();
}

/// After a power cut the pages of a file come to the disk in any order, and what was allocated and never
/// written reads as zeros.
bool is_byte_mix(std::string_view now, std::string_view a, std::string_view b) {
  // By value: minmax() of two arguments gives references, here to what is gone at the semicolon.
  const auto [least, most] = std::minmax({a.size(), b.size()});
  if (now.size() < least || now.size() > most) return false;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const bool of_a = i < a.size() && now[i] == a[i];
    const bool of_b = i < b.size() && now[i] == b[i];
    const bool hole = now[i] == '\0' && i >= least;
    if (!of_a && !of_b && !hole) return false;
  }
  return true;
}

bool is_torn(const JournalFile& file, std::string_view now, std::string_view written) {
  if (file.in_place && is_byte_mix(now, file.original, written)) return true;
  return is_written_over(now, written, file.original) ||
         is_written_over(now, file.original, written);
}

/// Attributes that a file may get from a record: access lists, what users set, and the label that a policy
/// reads. Not what gives a program rights (security.capability), nor what the kernel or a file system keeps
/// for itself (security.ima, trusted.overlay.*). Source: xattr(7), capabilities(7).
bool is_given_back(const ExtendedAttribute& attribute) {
  const std::string_view name = attribute.name;
  return name.starts_with("user.") || name.starts_with("system.") || name == "security.selinux" ||
         name == "security.SMACK64";
}

/// What of the facts in a record a file gets back: no file of a kubelet has a set-ID bit.
FileMeta given_back(const FileMeta& recorded) {
  constexpr std::uint32_t kPermissions = 0777;
  FileMeta meta = recorded;
  meta.mode &= kPermissions;
  std::erase_if(meta.attributes, [](const auto& one) { return !is_given_back(one); });
  meta.exact = true;
  return meta;
}

}  // namespace

Result<FoundFile> inspect(ports::Ports& ports, const JournalFile& file, bool unfinished) {
  auto now = ports.files.read(file.path);
  if (!now) return std::move(now).error();
  auto written = written_bytes(file);
  if (!written) return std::move(written).error();
  FoundFile found;
  found.now = std::move(*now);
  const bool is_gone = found.now.kind == FileKind::kAbsent;
  // A link that leads elsewhere now shows another process's file.
  const bool is_there = found.now.exists() && found.now.real_path == file.real_path;
  const auto has = [&](const std::string& bytes) { return is_there && found.now.bytes == bytes; };
  if (file.existed ? has(file.original) : is_gone) {
    found.holds = FileHolds::kOld;
  } else if (file.removed ? is_gone : has(*written)) {
    found.holds = FileHolds::kNew;
  } else {
    const bool can_tear = unfinished && is_there && file.existed && !file.removed;
    const bool torn = can_tear && is_torn(file, found.now.bytes, *written);
    found.holds = torn ? FileHolds::kTorn : FileHolds::kOther;
  }
  return found;
}

planning::FileEdit edit_back(const JournalFile& file, SourceFile now) {
  planning::FileEdit edit;
  edit.before = std::move(now);
  if (!edit.before.exists()) edit.before.meta = given_back(file.meta);
  edit.after = file.original;
  edit.route = file.route;
  edit.removes = !file.existed;
  edit.daemon_reload = file.daemon_reload;
  edit.splices = {difference(edit.before.bytes, edit.after)};
  return edit;
}

FilesFound files_found(const std::vector<FoundFile>& files) {
  const auto count = [&files](FileHolds kind) {
    return std::count_if(files.begin(), files.end(),
                         [kind](const FoundFile& file) { return file.holds == kind; });
  };
  const auto old_ones = count(FileHolds::kOld);
  const auto new_ones = count(FileHolds::kNew);
  const bool mixed = count(FileHolds::kTorn) > 0 || (old_ones > 0 && new_ones > 0);
  if (count(FileHolds::kOther) > 0) {
    return mixed ? FilesFound::kForeignMixed : FilesFound::kForeign;
  }
  if (mixed) return FilesFound::kMixed;
  return new_ones > 0 ? FilesFound::kNew : FilesFound::kOld;
}

}  // namespace kubelet_sysctl::transaction
