// SPDX-License-Identifier: Apache-2.0
// Owns, reads and writes file descriptors, and turns errno into an Error.
#include "kubelet_sysctl/machine/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"

namespace kubelet_sysctl::machine {
namespace {

ErrorKind kind_of(int number) {
  switch (number) {
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::kPermission;
    default:
      return ErrorKind::kIo;
  }
}

std::string hint_of(int number, const std::string& path) {
  switch (number) {
    case EACCES:
      return geteuid() == 0
                 ? "root was refused: inspect SELinux, AppArmor or the container's limits"
                 : "run it as root";
    case EPERM:
      return geteuid() == 0
                 ? fmt::format("see 'lsattr {0}': if it is immutable, 'chattr -i {0}' lifts that",
                               path)
                 : "run it as root";
    case EROFS:
      return fmt::format("its file system is mounted read-only: see 'findmnt -T {}'", path);
    case ENOSPC:
    case EDQUOT:
      return "make room on its file system and run the command again";
    case ETXTBSY:
      return "a process runs this file as a program";
    case ELOOP:
      return "its symbolic links form a loop";
    default:
      return {};
  }
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void UniqueFd::reset() {
  // Never repeated after EINTR: Linux has let go of the descriptor by then (close(2)).
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::string errno_text(int number) { return std::generic_category().message(number); }

Error errno_error(int number, const std::string& path, std::string_view what) {
  return Error{.kind = kind_of(number),
               .message = fmt::format("{}: {}", what, errno_text(number)),
               .path = path,
               .hint = hint_of(number, path),
               .number = number};
}

bool is_out_of_room(const Error& error) { return error.number == ENOSPC || error.number == EDQUOT; }

int read_to_end(int fd, std::size_t expected, std::size_t limit, std::string& bytes) {
  constexpr std::size_t kStep = 32768;
  std::size_t filled = bytes.size();
  // One byte more than expected: the read that meets the end needs room too.
  bytes.resize(filled + (expected == 0 ? kStep : std::min(expected, limit) + 1));
  int number = 0;
  while (filled <= limit) {
    if (filled == bytes.size()) bytes.resize(filled + kStep);
    const ssize_t got = ::read(fd, bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) number = errno;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return number;
}

int compare_to_end(int fd, std::string_view bytes, bool& same) {
  std::array<char, 16384> block;
  for (;;) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) break;
    const std::string_view read(block.data(), static_cast<std::size_t>(got));
    same = bytes.starts_with(read);
    if (!same) return 0;
    bytes.remove_prefix(read.size());
  }
  same = bytes.empty();
  return 0;
}

int write_all(int fd, std::string_view bytes, std::size_t offset) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::size_t>(put);
  }
  return 0;
}

int sync_directory(int directory) {
  // Some file systems have nothing to synchronise in a directory and say EINVAL (fsync(2)).
  return ::fsync(directory) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : errno;
}

}  // namespace kubelet_sysctl::machine
