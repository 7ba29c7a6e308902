// SPDX-License-Identifier: Apache-2.0
// Finds files under a root directory: by openat2(2) where the kernel has it, else link by link.
#include "kubelet_sysctl/machine/disk/rooted_paths.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/machine/fd.hpp"

namespace kubelet_sysctl::machine {
namespace {

constexpr std::size_t kMostPath = 4096;

// RESOLVE_IN_ROOT takes absolute link targets and ".." as chroot(2) would, and like it cannot
// leave.
UniqueFd open_in_root(int root, const char* path, int flags) {
  open_how how{};
  how.flags = static_cast<unsigned int>(flags);
  how.resolve = RESOLVE_IN_ROOT;
  constexpr int kTries = 16;  // EAGAIN: something was renamed while ".." was resolved (openat2(2))
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const long fd = ::syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return UniqueFd();
}

/// Opens `path`, in which no link is: one that another process puts there meanwhile is not followed.
UniqueFd open_step_by_step(int root, const std::string& path, int flags) {
  std::deque<std::string> parts;
  push_components(path, parts);
  UniqueFd at(::fcntl(root, F_DUPFD_CLOEXEC, 0));
  for (; at && parts.size() > 1; parts.pop_front()) {
    at = UniqueFd(
        ::openat(at.get(), parts.front().c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  if (!at) return at;
  const std::string last = parts.empty() ? "." : parts.front();
  return UniqueFd(::openat(at.get(), last.c_str(), flags | O_NOFOLLOW));
}

std::string joined(const std::vector<std::string>& parts) {
  std::string path;
  for (const std::string& part : parts) path += "/" + part;
  return path.empty() ? "/" : path;
}

/// Target of the link at `path` (no link in it but the last); nothing when it is no link. errno as
/// readlinkat(2) leaves it.
std::optional<std::string> link_target(int root, const std::string& path) {
  std::array<char, kMostPath> target{};
  const ssize_t size = ::readlinkat(root, below(path), target.data(), target.size());
  if (size < 0) return std::nullopt;
  return std::string(target.data(), static_cast<std::size_t>(size));
}

/// errno when `path` is no path to hand to the kernel, else 0. A NUL would cut it short.
int unusable(const std::string& path) {
  if (!path.starts_with('/') || path.find('\0') != std::string::npos) return EINVAL;
  return path.size() >= kMostPath ? ENAMETOOLONG : 0;
}

}  // namespace

void push_components(const std::string& path, std::deque<std::string>& todo) {
  std::size_t end = path.size();
  while (end > 0) {
    const std::size_t slash = path.rfind('/', end - 1);
    const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
    if (begin < end) todo.push_front(path.substr(begin, end - begin));
    end = slash == std::string::npos ? 0 : slash;
  }
}

const char* below(const std::string& path) {
  const std::size_t begin = path.find_first_not_of('/');
  return begin == std::string::npos ? "." : path.c_str() + begin;
}

std::string name_in(const std::string& path) { return path.substr(path.rfind('/') + 1); }

FileMeta meta_of(const struct stat& facts) {
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  return FileMeta{.uid = facts.st_uid,
                  .gid = facts.st_gid,
                  .mode = facts.st_mode & 07777U,
                  .device = facts.st_dev,
                  .inode = facts.st_ino,
                  .mtime_ns = facts.st_mtim.tv_sec * kNanoseconds + facts.st_mtim.tv_nsec,
                  .ctime_ns = facts.st_ctim.tv_sec * kNanoseconds + facts.st_ctim.tv_nsec};
}

RootedPaths::RootedPaths(std::string root)
    : is_host_(root.find_first_not_of('/') == std::string::npos) {
  root_ = UniqueFd(::open(is_host_ ? "/" : root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root_) root_number_ = errno;
  if (!root_ || is_host_) return;
  root_text_ = real_path_of(root_.get()).value_or(std::string{});
  // A root that is another name of "/" has nothing to take off.
  if (root_text_ == "/") root_text_.clear();
  resolves_in_kernel_ = static_cast<bool>(open_in_root(root_.get(), ".", O_PATH | O_CLOEXEC));
}

Error RootedPaths::fault(int number, const std::string& path, const char* what) const {
  if (root_number_ != 0) return errno_error(root_number_, {}, "cannot open the root directory");
  return errno_error(number, path, what);
}

UniqueFd RootedPaths::open(const std::string& path, int flags, int& number) const {
  number = root_number_ != 0 ? root_number_ : unusable(path);
  if (number != 0) return UniqueFd();
  UniqueFd fd;
  flags |= O_CLOEXEC;
  if (is_host_) {
    fd = UniqueFd(::open(path.c_str(), flags));
  } else if (resolves_in_kernel_) {
    fd = open_in_root(root_.get(), path.c_str(), flags);
  } else {
    const auto real = landing_place((flags & O_NOFOLLOW) != 0 ? directory_of(path) : path);
    if (!real) {
      number = ELOOP;
      return fd;
    }
    const std::string last = (flags & O_NOFOLLOW) != 0 ? "/" + name_in(path) : "";
    fd = open_step_by_step(root_.get(), *real + last, flags);
  }
  if (!fd) number = errno;
  return fd;
}

// Answers what realpath(3) would, in one call: the kernel knows the name of what it has opened.
// Nothing without /proc, or when the name is not below the root.
std::optional<std::string> RootedPaths::real_path_of(int fd) const {
  std::array<char, kMostPath> text{};
  std::array<char, 40> link{};
  fmt::format_to_n(link.data(), link.size() - 1, "/proc/self/fd/{}", fd);
  const ssize_t size = ::readlink(link.data(), text.data(), text.size());
  if (size <= 0 || static_cast<std::size_t>(size) == text.size() || text[0] != '/') {
    return std::nullopt;
  }
  const std::string_view found(text.data(), static_cast<std::size_t>(size));
  if (root_text_.empty()) return std::string(found);
  if (!found.starts_with(root_text_)) return std::nullopt;
  const std::string_view rest = found.substr(root_text_.size());
  if (rest.empty()) return "/";
  if (rest[0] != '/') return std::nullopt;
  return std::string(rest);
}

std::string RootedPaths::on_this_machine(const std::string& path) const {
  return path == "/" && !root_text_.empty() ? root_text_ : root_text_ + path;
}

Result<Place> RootedPaths::locate_once(const std::string& path, int flags) const {
  Place place;
  place.real_path = path;
  int number = 0;
  place.fd = open(path, O_PATH | flags, number);
  if (!place.fd) {
    // A file where a directory should be: nothing can be below it.
    if (root_number_ == 0 && (number == ENOENT || number == ENOTDIR)) return place;
    return fault(number, path, "cannot find the file");
  }
  if (::fstat(place.fd.get(), &place.facts) != 0) {
    return fault(errno, path, "cannot find the file");
  }
  auto real = is_host_ || !root_text_.empty() ? real_path_of(place.fd.get()) : std::nullopt;
  if (!real) {
    auto walked = landing_place((flags & O_NOFOLLOW) != 0 ? directory_of(path) : path);
    if (!walked) return std::move(walked).error();
    real = (flags & O_NOFOLLOW) != 0 ? *walked + "/" + name_in(path) : *walked;
  }
  place.real_path = std::move(*real);
  return place;
}

Result<Place> RootedPaths::locate(const std::string& path) const {
  // Another process renamed another file over this one just now: what was opened has no name any more.
  constexpr int kTries = 8;
  for (int attempt = 1;; ++attempt) {
    auto place = locate_once(path, 0);
    if (!place || !place->fd || place->facts.st_nlink > 0 || attempt == kTries) return place;
  }
}

Result<Place> RootedPaths::locate_link(const std::string& path) const {
  return locate_once(path, O_NOFOLLOW);
}

Result<std::string> RootedPaths::landing_place(const std::string& path) const {
  if (const int number = unusable(path)) return fault(number, path, "cannot use this path");
  std::deque<std::string> todo;
  push_components(path, todo);
  std::vector<std::string> done;
  int links = 0;
  while (!todo.empty()) {
    const std::string part = std::move(todo.front());
    todo.pop_front();
    if (part == ".") continue;
    if (part == "..") {
      if (!done.empty()) done.pop_back();
      continue;
    }
    done.push_back(part);
    const auto target = link_target(root_.get(), joined(done));
    if (!target && (errno == EINVAL || errno == ENOENT || errno == ENOTDIR)) continue;
    if (!target) return fault(errno, path, "cannot follow the path");
    if (++links > kMostLinks) return fault(ELOOP, path, "cannot follow the path");
    done.pop_back();
    if (target->starts_with('/')) done.clear();
    push_components(*target, todo);
  }
  return joined(done);
}

UniqueFd RootedPaths::open_directory(const std::string& path, int& number) const {
  return open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK, number);
}

UniqueFd RootedPaths::open_file(const Place& place, int flags, int& number) const {
  flags |= O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  number = 0;
  // Opening the descriptor again is opening the very file that was inspected.
  std::array<char, 40> link{};
  fmt::format_to_n(link.data(), link.size() - 1, "/proc/self/fd/{}", place.fd.get());
  UniqueFd fd(::open(link.data(), flags));
  if (!fd) number = errno;
  if (fd || number != ENOENT) return fd;
  // No /proc: by name, and then it must still be the same file.
  fd = open_step_by_step(root_.get(), place.real_path, flags);
  if (!fd) {
    number = errno;
    return fd;
  }
  struct stat facts = {};
  if (::fstat(fd.get(), &facts) != 0 || facts.st_ino != place.facts.st_ino ||
      facts.st_dev != place.facts.st_dev) {
    number = ESTALE;
    fd.reset();
    return fd;
  }
  number = 0;
  return fd;
}

}  // namespace kubelet_sysctl::machine
