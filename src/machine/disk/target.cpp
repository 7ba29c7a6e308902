// SPDX-License-Identifier: Apache-2.0
// Finds the file that a change is about and compares it with what was read.
#include "kubelet_sysctl/machine/disk/target.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/machine/disk/rooted_paths.hpp"
#include "kubelet_sysctl/machine/fd.hpp"

namespace kubelet_sysctl::machine {
namespace {

// The inode and times report a writer who wrote the same bytes, and the bytes of one who was
// quicker than the clock of the file system is fine.
bool same_facts(const struct stat& facts, const SourceFile& before) {
  const FileMeta now = meta_of(facts);
  return now.device == before.meta.device && now.inode == before.meta.inode &&
         now.mtime_ns == before.meta.mtime_ns &&
         static_cast<std::size_t>(facts.st_size) == before.bytes.size();
}

}  // namespace

Error conflict(const SourceFile& before, std::string_view how) {
  return Error{
      .kind = ErrorKind::kConflict,
      .message = fmt::format("the file {} since it was read", how),
      .path = before.path,
      .hint = "nothing was written to it; see who else edits it, then run the command again"};
}

Result<UniqueFd> open_unchanged(int directory, const std::string& name, const SourceFile& before) {
  struct stat facts = {};
  // Looked at before it is opened: it may have become a pipe.
  if (::fstatat(directory, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return conflict(before, "was removed");
    return errno_error(errno, before.path, "cannot inspect the file");
  }
  if (!S_ISREG(facts.st_mode) || !same_facts(facts, before)) return conflict(before, "was changed");
  UniqueFd fd(
      ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd && (errno == ENOENT || errno == ELOOP)) return conflict(before, "was changed");
  if (!fd) return errno_error(errno, before.path, "cannot open the file");
  bool same = true;
  const int number = compare_to_end(fd.get(), before.bytes, same);
  if (number != 0) return errno_error(number, before.path, "cannot read the file");
  if (::fstat(fd.get(), &facts) != 0 || !same_facts(facts, before) || !same) {
    return conflict(before, "was changed");
  }
  return fd;
}

Result<Target> open_target(const RootedPaths& paths, const SourceFile& before) {
  if (!before.exists()) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .message = "will not write to what is no regular file",
                 .path = before.path};
  }
  auto place = paths.locate(before.path);
  if (!place) return std::move(place).error();
  if (!place->fd) return conflict(before, "was removed");
  if (place->real_path != before.real_path) return conflict(before, "was moved, or a link to it,");
  Target target;
  target.name = name_in(before.real_path);
  int number = 0;
  target.directory = paths.open_directory(directory_of(before.real_path), number);
  if (!target.directory) return errno_error(number, before.path, "cannot open its directory");
  auto file = open_unchanged(target.directory.get(), target.name, before);
  if (!file) return std::move(file).error();
  target.file = std::move(*file);
  if (::fstat(target.file.get(), &target.facts) != 0) {
    return errno_error(errno, before.path, "cannot inspect the file");
  }
  return target;
}

std::optional<bool> is_mount(int directory, const std::string& name) {
  struct statx facts = {};
  if (::statx(directory, name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &facts) != 0) {
    return std::nullopt;
  }
  if ((facts.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) == 0) return std::nullopt;
  return (facts.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

}  // namespace kubelet_sysctl::machine
