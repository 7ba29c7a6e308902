// SPDX-License-Identifier: Apache-2.0
// Where the linker leads the system calls that change files: to the faults first, then to the kernel.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>

#include "faults/system_calls.hpp"

using kubelet_sysctl::SystemCalls;
using kubelet_sysctl::Volume;

// The names are the linker's: ld(1), --wrap.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,cert-dcl50-cpp)
extern "C" {

int __real_openat(int directory, const char* name, int flags, ...);
ssize_t __real_pwrite(int fd, const void* bytes, size_t size, off_t offset);
ssize_t __real_write(int fd, const void* bytes, size_t size);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_ftruncate(int fd, off_t size);
int __real_fallocate(int fd, int mode, off_t offset, off_t size);
int __real_fchmod(int fd, mode_t mode);
int __real_fchmodat(int directory, const char* name, mode_t mode, int flags);
int __real_fchown(int fd, uid_t owner, gid_t group);
int __real_fsetxattr(int fd, const char* name, const void* value, size_t size, int flags);
int __real_fremovexattr(int fd, const char* name);
int __real_futimens(int fd, const timespec* times);
int __real_renameat(int from_directory, const char* from, int to_directory, const char* to);
int __real_linkat(int from_directory, const char* from, int to_directory, const char* to,
                  int flags);
int __real_unlinkat(int directory, const char* name, int flags);
int __real_mkdirat(int directory, const char* name, mode_t mode);
long __real_syscall(long number, ...);

}  // extern "C"

namespace {

SystemCalls& calls() { return SystemCalls::instance(); }

bool fails(const char* call, const std::string& place, bool room = false) {
  const int number = calls().note(call, place, room);
  if (number != 0) errno = number;
  return number != 0;
}

/// The volume, when `place` is on it.
Volume* volume_of(const std::string& place) { return place.empty() ? nullptr : calls().volume(); }

int change_name(const char* call, int from_directory, const char* from, int to_directory,
                const char* to, unsigned flags) {
  const std::string old_place = calls().place(from_directory, from);
  const std::string new_place = calls().place(to_directory, to);
  if (fails(call, new_place)) return -1;
  const int done = flags == 0 ? __real_renameat(from_directory, from, to_directory, to)
                              : static_cast<int>(__real_syscall(SYS_renameat2, from_directory, from,
                                                                to_directory, to, flags));
  if (done != 0 || volume_of(new_place) == nullptr) return done;
  if ((flags & RENAME_EXCHANGE) != 0) {
    volume_of(new_place)->exchanged(old_place, new_place);
  } else {
    volume_of(new_place)->moved(old_place, new_place);
  }
  return done;
}

int sync(const char* call, int fd, int (*real)(int)) {
  const std::string place = calls().place(fd);
  if (fails(call, place)) return -1;
  const int done = real(fd);
  if (done == 0 && volume_of(place) != nullptr) volume_of(place)->synced(place);
  return done;
}

}  // namespace

extern "C" {

int __wrap_openat(int directory, const char* name, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  const bool changes = (flags & (O_CREAT | O_WRONLY | O_RDWR)) != 0;
  const std::string place = changes ? calls().place(directory, name) : std::string();
  struct stat facts = {};
  const bool was_there =
      place.empty() || ::fstatat(directory, name, &facts, AT_SYMLINK_NOFOLLOW) == 0;
  if (fails("openat", place, !was_there)) return -1;
  const int fd = __real_openat(directory, name, flags, mode);
  if (fd >= 0 && !was_there && volume_of(place) != nullptr) volume_of(place)->made(place);
  return fd;
}

ssize_t __wrap_pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  const long allowed = calls().note_write(fd, size, offset);
  return allowed < 0 ? -1 : __real_pwrite(fd, bytes, static_cast<size_t>(allowed), offset);
}

ssize_t __wrap_write(int fd, const void* bytes, size_t size) {
  const off_t offset = calls().place(fd).empty() ? 0 : ::lseek(fd, 0, SEEK_CUR);
  const long allowed = calls().note_write(fd, size, offset);
  return allowed < 0 ? -1 : __real_write(fd, bytes, static_cast<size_t>(allowed));
}

int __wrap_fsync(int fd) { return sync("fsync", fd, __real_fsync); }

int __wrap_fdatasync(int fd) { return sync("fdatasync", fd, __real_fdatasync); }

int __wrap_ftruncate(int fd, off_t size) {
  return fails("ftruncate", calls().place(fd)) ? -1 : __real_ftruncate(fd, size);
}

int __wrap_fallocate(int fd, int mode, off_t offset, off_t size) {
  constexpr off_t kBlock = 4096;
  const std::string place = calls().place(fd);
  struct stat facts = {};
  const bool grows = !place.empty() && ::fstat(fd, &facts) == 0 &&
                     offset + size > (facts.st_size + kBlock - 1) / kBlock * kBlock;
  return fails("fallocate", place, grows) ? -1 : __real_fallocate(fd, mode, offset, size);
}

int __wrap_fchmod(int fd, mode_t mode) {
  return fails("fchmod", calls().place(fd)) ? -1 : __real_fchmod(fd, mode);
}

int __wrap_fchmodat(int directory, const char* name, mode_t mode, int flags) {
  return fails("fchmodat", calls().place(directory, name))
             ? -1
             : __real_fchmodat(directory, name, mode, flags);
}

int __wrap_fchown(int fd, uid_t owner, gid_t group) {
  return fails("fchown", calls().place(fd)) ? -1 : __real_fchown(fd, owner, group);
}

int __wrap_fsetxattr(int fd, const char* name, const void* value, size_t size, int flags) {
  return fails("fsetxattr", calls().place(fd), true)
             ? -1
             : __real_fsetxattr(fd, name, value, size, flags);
}

int __wrap_fremovexattr(int fd, const char* name) {
  return fails("fremovexattr", calls().place(fd)) ? -1 : __real_fremovexattr(fd, name);
}

int __wrap_futimens(int fd, const timespec* times) {
  return fails("futimens", calls().place(fd)) ? -1 : __real_futimens(fd, times);
}

int __wrap_renameat(int from_directory, const char* from, int to_directory, const char* to) {
  return change_name("renameat", from_directory, from, to_directory, to, 0);
}

int __wrap_linkat(int from_directory, const char* from, int to_directory, const char* to,
                  int flags) {
  const std::string old_place = calls().place(from_directory, from);
  const std::string new_place = calls().place(to_directory, to);
  if (fails("linkat", new_place, true)) return -1;
  const int done = __real_linkat(from_directory, from, to_directory, to, flags);
  if (done == 0 && volume_of(new_place) != nullptr)
    volume_of(new_place)->linked(old_place, new_place);
  return done;
}

int __wrap_unlinkat(int directory, const char* name, int flags) {
  const std::string place = calls().place(directory, name);
  if (fails("unlinkat", place)) return -1;
  const int done = __real_unlinkat(directory, name, flags);
  if (done == 0 && volume_of(place) != nullptr) volume_of(place)->removed(place);
  return done;
}

int __wrap_mkdirat(int directory, const char* name, mode_t mode) {
  const std::string place = calls().place(directory, name);
  struct stat facts = {};
  // A directory that is there already is found without any room.
  const bool room = !place.empty() && ::fstatat(directory, name, &facts, AT_SYMLINK_NOFOLLOW) != 0;
  if (fails("mkdirat", place, room)) return -1;
  const int done = __real_mkdirat(directory, name, mode);
  if (done == 0 && volume_of(place) != nullptr) volume_of(place)->made(place);
  return done;
}

// No call of Linux takes more than six arguments (syscall(2)); those that were not given are not looked
// at by the kernel.
long __wrap_syscall(long number, ...) {
  std::array<long, 6> given{};
  va_list rest;
  va_start(rest, number);
  for (long& one : given) one = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_renameat2) {
    // NOLINTBEGIN(performance-no-int-to-ptr): syscall(2) takes all of them as numbers
    return change_name("renameat2", static_cast<int>(given[0]),
                       reinterpret_cast<const char*>(given[1]), static_cast<int>(given[2]),
                       reinterpret_cast<const char*>(given[3]), static_cast<unsigned>(given[4]));
    // NOLINTEND(performance-no-int-to-ptr)
  }
  return __real_syscall(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,cert-dcl50-cpp)
