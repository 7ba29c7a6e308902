// SPDX-License-Identifier: Apache-2.0
// Replaces, makes and removes files so that a reader and a power cut see the old bytes or the new
// ones.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "host/disk.hpp"
#include "host/disk_metadata.hpp"
#include "host/disk_temporary.hpp"

namespace kubelet_sysctl {
namespace {

/// The file to change, opened for reading, and the directory that holds it.
struct Target {
  UniqueFd directory;
  std::string name;
  UniqueFd file;
  struct stat facts = {};
};

Error conflict(const SourceFile& before, std::string_view how) {
  return Error{
      .kind = ErrorKind::kConflict,
      .message = fmt::format("the file {} since it was read", how),
      .path = before.path,
      .hint = "nothing was written to it; see who else edits it, then run the command again"};
}

// The inode and times tell of a writer who wrote the same bytes, and the bytes of one who was
// quicker than the clock of the file system is fine.
bool same_facts(const struct stat& facts, const SourceFile& before) {
  const FileMeta now = meta_of(facts);
  return now.device == before.meta.device && now.inode == before.meta.inode &&
         now.mtime_ns == before.meta.mtime_ns &&
         static_cast<std::size_t>(facts.st_size) == before.bytes.size();
}

/// Opens `name` for reading if it still is the file `before`. Errors: kConflict, kPermission, kIo.
Result<UniqueFd> open_unchanged(int directory, const std::string& name, const SourceFile& before) {
  struct stat facts = {};
  // Looked at before it is opened: it may have become a pipe.
  if (::fstatat(directory, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return conflict(before, "was removed");
    return errno_error(errno, before.path, "cannot look at the file");
  }
  if (!S_ISREG(facts.st_mode) || !same_facts(facts, before)) return conflict(before, "was changed");
  UniqueFd fd(
      ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd && (errno == ENOENT || errno == ELOOP)) return conflict(before, "was changed");
  if (!fd) return errno_error(errno, before.path, "cannot open the file");
  std::string bytes;
  const int number = read_to_end(fd.get(), before.bytes.size(), kMostBytes, bytes);
  if (number != 0) return errno_error(number, before.path, "cannot read the file");
  if (::fstat(fd.get(), &facts) != 0 || !same_facts(facts, before) || bytes != before.bytes) {
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
  target.directory = paths.open_directory(parent_of(before.real_path), number);
  if (!target.directory) return errno_error(number, before.path, "cannot open its directory");
  auto file = open_unchanged(target.directory.get(), target.name, before);
  if (!file) return std::move(file).error();
  target.file = std::move(*file);
  if (::fstat(target.file.get(), &target.facts) != 0) {
    return errno_error(errno, before.path, "cannot look at the file");
  }
  return target;
}

// A rename would break other names of the file off, or fail with EBUSY where the file itself is a
// mount (docker -v FILE:FILE). Linux before 5.8 does not tell of mounts here; there EBUSY does.
bool needs_writing_in_place(const Target& target) {
  if (target.facts.st_nlink > 1) return true;
  struct statx facts = {};
  if (::statx(target.directory.get(), target.name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE,
              &facts) != 0) {
    return false;
  }
  return (facts.stx_attributes_mask & facts.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/// Makes `bytes` all that `fd` holds. Returns 0 or errno.
int overwrite(int fd, std::string_view bytes) {
  if (const int number = write_all(fd, bytes, 0)) return number;
  if (::ftruncate(fd, static_cast<off_t>(bytes.size())) != 0) return errno;
  return ::fsync(fd) == 0 ? 0 : errno;
}

/// Has the blocks for a longer file set aside before the first old byte is lost. Returns 0 or
/// errno.
int reserve(int fd, std::size_t old_size, std::size_t new_size) {
  if (new_size <= old_size) return 0;
  const auto from = static_cast<off_t>(old_size);
  if (::fallocate(fd, FALLOC_FL_KEEP_SIZE, from, static_cast<off_t>(new_size) - from) == 0)
    return 0;
  const int number = errno;
  if (number != ENOSPC && number != EDQUOT && number != EFBIG) return 0;  // cannot be asked here
  if (::ftruncate(fd, from) != 0) return errno;  // gives back what part was reserved
  return number;
}

Result<WriteMode> write_in_place(const Target& target, const SourceFile& before,
                                 const std::string& bytes) {
  auto unchanged = open_unchanged(target.directory.get(), target.name, before);
  if (!unchanged) return std::move(unchanged).error();
  const UniqueFd fd(::openat(target.directory.get(), target.name.c_str(),
                             O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) return errno_error(errno, before.path, "cannot open the file for writing");
  struct stat facts = {};
  // Not the inode: overlayfs gives another one when a lower file is opened for writing.
  if (::fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode) ||
      meta_of(facts).mtime_ns != before.meta.mtime_ns ||
      static_cast<std::size_t>(facts.st_size) != before.bytes.size()) {
    return conflict(before, "was changed");
  }
  int number = reserve(fd.get(), before.bytes.size(), bytes.size());
  if (number == 0) number = overwrite(fd.get(), bytes);
  if (number == 0) return WriteMode::kInPlace;
  Error error = errno_error(number, before.path, "cannot write the file in place");
  if (const int again = overwrite(fd.get(), before.bytes)) {
    error.message += fmt::format("; nor put the old bytes back: {}", errno_text(again));
  }
  return error;
}

Status fill(const TemporaryFile& temporary, const Target& target, const SourceFile& before,
            const std::string& bytes) {
  if (const int number = write_all(temporary.fd(), bytes, 0)) {
    return errno_error(number, before.path, "cannot write the new content");
  }
  auto copied = copy_metadata(target.file.get(), temporary.fd(), target.facts, before.path);
  if (!copied) return copied;
  if (::fsync(temporary.fd()) != 0) {
    return errno_error(errno, before.path, "cannot bring the new content to the disk");
  }
  return {};
}

Result<WriteMode> replace_by_rename(const Target& target, const SourceFile& before,
                                    const std::string& bytes) {
  auto temporary = TemporaryFile::beside(target.directory.get(), target.name, before.path);
  if (!temporary) return std::move(temporary).error();
  auto filled = fill(*temporary, target, before, bytes);
  if (!filled) return std::move(filled).error();
  // The last look: what is left between it and the rename is a few microseconds, and no system call
  // that Linux has closes them.
  auto unchanged = open_unchanged(target.directory.get(), target.name, before);
  if (!unchanged) return std::move(unchanged).error();
  int number = temporary->put_over(target.name);
  if (number == EBUSY) return write_in_place(target, before, bytes);
  if (number != 0) return errno_error(number, before.path, "cannot put the new content in place");
  number = sync_directory(target.directory.get());
  if (number == 0) return WriteMode::kRenamed;
  Error error = errno_error(number, before.path, "cannot bring the directory to the disk");
  if (const int again = overwrite(temporary->fd(), before.bytes)) {
    error.message += fmt::format("; nor put the old bytes back: {}", errno_text(again));
  }
  return error;
}

}  // namespace

Result<WriteMode> Disk::replace(const SourceFile& before, const std::string& bytes) {
  if (before.kind == FileKind::kAbsent) return create(before, bytes);
  auto target = open_target(paths_, before);
  if (!target) return std::move(target).error();
  if (bytes == before.bytes) return WriteMode::kUnchanged;
  if (needs_writing_in_place(*target)) return write_in_place(*target, before, bytes);
  return replace_by_rename(*target, before, bytes);
}

Status Disk::remove(const SourceFile& before, bool and_directory) {
  auto target = open_target(paths_, before);
  if (!target) return std::move(target).error();
  if (::unlinkat(target->directory.get(), target->name.c_str(), 0) != 0) {
    return errno_error(errno, before.path, "cannot remove the file");
  }
  if (const int number = sync_directory(target->directory.get())) {
    return errno_error(number, before.path, "cannot bring the directory to the disk");
  }
  if (!and_directory) return {};
  const std::string directory = parent_of(before.real_path);
  int number = 0;
  const UniqueFd above = paths_.open_directory(parent_of(directory), number);
  if (!above) return errno_error(number, before.path, "cannot open the directory above");
  if (::unlinkat(above.get(), name_in(directory).c_str(), AT_REMOVEDIR) != 0) {
    // Not empty, or a mount: it stays.
    if (errno == ENOTEMPTY || errno == EEXIST || errno == EBUSY) return {};
    return errno_error(errno, directory, "cannot remove the directory");
  }
  number = sync_directory(above.get());
  if (number != 0) return errno_error(number, directory, "cannot bring the directory to the disk");
  return {};
}

}  // namespace kubelet_sysctl
