// SPDX-License-Identifier: Apache-2.0
// File descriptors with an owner, and errors made of errno.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "kubelet_sysctl/base/error.hpp"

namespace kubelet_sysctl::machine {

/// A file descriptor that is closed when its owner goes.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }
  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();
  /// Gives the descriptor away.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// "Permission denied" for EACCES: the C library's words, whatever the locale.
std::string errno_text(int number);

/// `what` failed at `path` with errno `number`: kPermission for EACCES, EPERM and EROFS, else kIo,
/// with a hint where there is something to do about it.
Error errno_error(int number, const std::string& path, std::string_view what);

/// True when errno_error() made it of ENOSPC or EDQUOT: the disk, or a quota on it, is full.
bool is_out_of_room(const Error& error);

/// Appends to `bytes` what `fd` still holds, but stops reading once it has more than `limit` bytes.
/// `expected` is a guess at the size. Returns 0 or errno.
int read_to_end(int fd, std::size_t expected, std::size_t limit, std::string& bytes);

/// Whether what `fd` still holds is `bytes`, without a copy of it. Returns 0 or errno.
int compare_to_end(int fd, std::string_view bytes, bool& same);

/// Writes all of `bytes` from `offset` on. Returns 0 or errno.
int write_all(int fd, std::string_view bytes, std::size_t offset);

/// Brings the names in a directory to the disk, where its file system can. Returns 0 or errno.
int sync_directory(int directory);

}  // namespace kubelet_sysctl::machine
