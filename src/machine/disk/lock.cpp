// SPDX-License-Identifier: Apache-2.0
// A lock that one run holds and the others wait for.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/clock.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/machine/disk/rooted_paths.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {
namespace {

/// Holds flock(2): it dies with the last descriptor of this opening, and no child inherits one.
class HeldLock final : public ports::FileLock {
 public:
  explicit HeldLock(UniqueFd fd) : fd_(std::move(fd)) {}
  HeldLock(const HeldLock&) = delete;
  HeldLock& operator=(const HeldLock&) = delete;
  ~HeldLock() override {
    // The file stays: removing it would let two runs lock two files of one name. What it says of
    // the holder is no longer true.
    if (::ftruncate(fd_.get(), 0) != 0) return;
  }

 private:
  UniqueFd fd_;
};

/// One line of text, whatever the note holds.
std::string one_line(std::string note) {
  const auto is_control = [](char byte) { return static_cast<unsigned char>(byte) < 0x20; };
  std::replace_if(note.begin(), note.end(), is_control, ' ');
  constexpr std::size_t kMostOfNote = 300;
  return note.substr(0, kMostOfNote);
}

/// Who holds it, by what the holder wrote: "process 4242 ('add net.core.somaxconn')". The number is
/// only believed while there is such a process.
std::string holder_of(int fd) {
  constexpr std::size_t kMost = 512;
  std::string text;
  if (::lseek(fd, 0, SEEK_SET) != 0 || read_to_end(fd, 0, kMost, text) != 0) text.clear();
  text = text.substr(0, text.find('\n'));
  pid_t pid = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, fault] = std::from_chars(text.data(), end, pid);
  if (fault != std::errc{} || pid <= 0) return "another process";
  if (::kill(pid, 0) != 0 && errno != EPERM) return "another process";
  if (stopped == end || stopped + 1 == end) return fmt::format("process {}", pid);
  return fmt::format("process {} ('{}')", pid, std::string(stopped + 1, end));
}

void say_who_holds(int fd, const std::string& note) {
  // For a person only: the lock is held whether or not this can be written.
  if (::ftruncate(fd, 0) != 0) return;
  write_all(fd, fmt::format("{} {}\n", ::getpid(), one_line(note)), 0);
}

// flock(2) cannot be asked to give up in time, short of a signal of our own. So it is asked, without
// waiting, until it says yes: the kernel answers each time, nothing is concluded from the pauses.
Status take(int fd, const std::string& path, Milliseconds wait) {
  const auto until = std::chrono::steady_clock::now() + wait;
  constexpr auto kPause = Milliseconds(5);
  for (;;) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return {};
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return errno_error(errno, path, "cannot lock the file");
    }
    if (stop_is_asked()) {
      return Error{.kind = ErrorKind::kInterrupted,
                   .message = "interrupted while another run held the lock",
                   .path = path};
    }
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= left.zero()) break;
    timespec pause = {};
    pause.tv_nsec = std::min<std::chrono::nanoseconds>(left, kPause).count();
    ::nanosleep(&pause, nullptr);
  }
  return Error{.kind = ErrorKind::kLocked,
               .message = fmt::format("{} holds the lock", holder_of(fd)),
               .path = path,
               .hint = "wait until it has ended, or wait longer with --lock-timeout"};
}

}  // namespace

Result<std::unique_ptr<ports::FileLock>> Disk::lock(const std::string& path, Milliseconds wait,
                                                    const std::string& note) {
  auto landing = paths_.landing_place(path);
  if (!landing) return std::move(landing).error();
  const std::string directory_path = directory_of(*landing);
  auto made = make_directory(directory_path, 0700);
  if (!made) return std::move(made).error();
  int number = 0;
  const UniqueFd directory = paths_.open_directory(directory_path, number);
  if (!directory) return errno_error(number, path, "cannot open its directory");
  UniqueFd fd(::openat(directory.get(), name_in(*landing).c_str(),
                       O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600));
  if (!fd) return errno_error(errno, path, "cannot open the lock file");
  struct stat facts = {};
  if (::fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return Error{.kind = ErrorKind::kIo, .message = "the lock is no regular file", .path = path};
  }
  auto taken = take(fd.get(), path, wait);
  if (!taken) return std::move(taken).error();
  say_who_holds(fd.get(), note);
  return std::unique_ptr<ports::FileLock>(std::make_unique<HeldLock>(std::move(fd)));
}

}  // namespace kubelet_sysctl::machine
