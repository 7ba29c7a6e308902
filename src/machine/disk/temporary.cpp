// SPDX-License-Identifier: Apache-2.0
// Makes, names and removes temporary files, those of a killed run too.
#include "disk/temporary.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/machine/fd.hpp"

namespace kubelet_sysctl::machine {
namespace {

constexpr std::size_t kRandomLetters = 6;

// A leading dot and an ending that is neither .conf nor a unit type: systemd reads no such file as
// a drop-in, a unit or a match of EnvironmentFile=DIR/*.
std::string prefix_of(const std::string& name) {
  constexpr std::size_t kMostOfName = 200;  // NAME_MAX is 255
  return "." + name.substr(0, kMostOfName) + ".kubelet-sysctl~";
}

std::string random_letters() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz012345";
  std::array<std::uint8_t, kRandomLetters> bytes{};
  // Not a secret: O_EXCL guards against a name that is taken.
  if (::getrandom(bytes.data(), bytes.size(), 0) < 0)
    bytes.fill(static_cast<std::uint8_t>(::getpid()));
  std::string letters;
  for (const std::uint8_t byte : bytes) letters += kLetters[byte % kLetters.size()];
  return letters;
}

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// The maker of a temporary file holds a lock on it, which the kernel drops with its last breath:
// what can be locked has no maker any more. Returns 0 or the errno of what could not be removed.
int remove_left_over(int directory, const std::string& prefix) {
  const int fd = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  const std::unique_ptr<DIR, DirectoryCloser> stream(::fdopendir(fd));
  if (!stream) {
    const int number = errno;
    ::close(fd);
    return number;
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with(prefix) && name.size() == prefix.size() + kRandomLetters) {
      names.emplace_back(name);
    }
  }
  int number = 0;
  bool removed = false;
  for (const std::string& name : names) {
    const UniqueFd old(::openat(directory, name.c_str(),
                                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!old || ::flock(old.get(), LOCK_EX | LOCK_NB) != 0) continue;
    if (::unlinkat(directory, name.c_str(), 0) == 0) {
      removed = true;
    } else if (errno != ENOENT) {
      number = errno;
    }
  }
  // Durable, since nobody searches for them again once the record is closed.
  if (removed && ::fsync(fd) != 0) number = errno;
  return number;
}

}  // namespace

Result<TemporaryFile> TemporaryFile::beside(int directory, const std::string& name,
                                            const std::string& path) {
  const std::string prefix = prefix_of(name);
  remove_left_over(directory, prefix);  // a failure is no concern of this write
  constexpr int kTries = 16;
  for (int attempt = 1;; ++attempt) {
    std::string own = prefix + random_letters();
    UniqueFd fd(::openat(directory, own.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (fd) {
      ::flock(fd.get(), LOCK_EX | LOCK_NB);
      return TemporaryFile(directory, std::move(own), std::move(fd));
    }
    if (errno != EEXIST || attempt == kTries) {
      return errno_error(errno, path, "cannot make a temporary file beside it");
    }
  }
}

int TemporaryFile::sweep(int directory, const std::string& name) {
  return remove_left_over(directory, prefix_of(name));
}

TemporaryFile::TemporaryFile(TemporaryFile&& other) noexcept
    : directory_(other.directory_),
      name_(std::exchange(other.name_, {})),
      fd_(std::move(other.fd_)) {}

TemporaryFile::~TemporaryFile() {
  if (!name_.empty()) ::unlinkat(directory_, name_.c_str(), 0);
}

int TemporaryFile::put_over(const std::string& name) {
  if (::renameat(directory_, name_.c_str(), directory_, name.c_str()) != 0) return errno;
  name_.clear();
  return 0;
}

void TemporaryFile::discard() {
  if (::unlinkat(directory_, name_.c_str(), 0) == 0) name_.clear();
}

int TemporaryFile::exchange_with(const std::string& name) {
  // By number: musl has no renameat2().
  const long done = ::syscall(SYS_renameat2, directory_, name_.c_str(), directory_, name.c_str(),
                              RENAME_EXCHANGE);
  return done == 0 ? 0 : errno;
}

int TemporaryFile::put_at(const std::string& name) {
  if (::syscall(SYS_renameat2, directory_, name_.c_str(), directory_, name.c_str(),
                RENAME_NOREPLACE) == 0) {
    name_.clear();
    return 0;
  }
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system without RENAME_NOREPLACE (rename(2)): a second link fails in the same way, and
  // the destructor takes the first one away.
  return ::linkat(directory_, name_.c_str(), directory_, name.c_str(), 0) == 0 ? 0 : errno;
}

}  // namespace kubelet_sysctl::machine
