// SPDX-License-Identifier: Apache-2.0
// Writes into a file itself: room first, then the bytes, and the old ones again if that fails.
#include "disk/in_place.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/machine/disk/rooted_paths.hpp"
#include "kubelet_sysctl/machine/disk/target.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {
namespace {

/// Gives the file its old time of change back: a manager that compares times would ask for a
/// reload, and nothing was written.
void set_mtime(int fd, std::int64_t mtime_ns) {
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  std::array<timespec, 2> times{};
  times[0].tv_nsec = UTIME_OMIT;
  times[1].tv_sec = mtime_ns / kNanoseconds;
  times[1].tv_nsec = mtime_ns % kNanoseconds;
  ::futimens(fd, times.data());
}

/// Has the blocks for a longer file set aside before the first old byte is lost. Returns 0 or
/// errno.
int reserve(int fd, std::size_t old_size, std::size_t new_size) {
  const auto from = static_cast<off_t>(old_size);
  if (::fallocate(fd, FALLOC_FL_KEEP_SIZE, from, static_cast<off_t>(new_size) - from) == 0)
    return 0;
  const int number = errno;
  if (number != ENOSPC && number != EDQUOT && number != EFBIG) return 0;  // cannot be asked here
  if (::ftruncate(fd, from) != 0) return errno;  // gives back what part was reserved
  return number;
}

bool holds(int fd, std::string_view bytes) {
  bool same = false;
  return ::lseek(fd, 0, SEEK_SET) == 0 && compare_to_end(fd, bytes, same) == 0 && same;
}

class StagedInPlace final : public ports::StagedWrite {
 public:
  StagedInPlace(Target target, UniqueFd fd, const SourceFile& before, const SharedText& bytes)
      : target_(std::move(target)), fd_(std::move(fd)), before_(before), bytes_(bytes) {}
  StagedInPlace(const StagedInPlace&) = delete;
  StagedInPlace& operator=(const StagedInPlace&) = delete;
  ~StagedInPlace() override {
    struct stat facts = {};
    // Gives the blocks back, unless another process uses them by now.
    if (!reserved_ || ::fstat(fd_.get(), &facts) != 0 ||
        meta_of(facts).mtime_ns != before_.meta.mtime_ns ||
        static_cast<std::size_t>(facts.st_size) != before_.bytes.size()) {
      return;
    }
    if (::ftruncate(fd_.get(), facts.st_size) == 0) set_mtime(fd_.get(), before_.meta.mtime_ns);
  }

  /// Makes room. Returns 0 or errno.
  int prepare() {
    const std::size_t size = before_.bytes.size();
    if (bytes_.size() > size) {
      const int number = reserve(fd_.get(), size, bytes_.size());
      set_mtime(fd_.get(), before_.meta.mtime_ns);
      if (number != 0) return number;
      reserved_ = true;
    }
    // What all this changed of the file's facts is what commit() expects. By name: overlayfs gives
    // another inode when a file of the lower layer is opened for writing.
    struct stat facts = {};
    const int directory = target_.directory.get();
    if (::fstatat(directory, target_.name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return errno;
    before_.meta = meta_of(facts);
    return 0;
  }

  Result<ports::WriteMode> commit() override {
    auto unchanged = open_unchanged(target_.directory.get(), target_.name, before_);
    if (!unchanged) return std::move(unchanged).error();
    reserved_ = false;
    const int number = overwrite(fd_.get(), bytes_);
    if (number == 0) return ports::WriteMode::kInPlace;
    Error error = errno_error(number, before_.path, "cannot write the file in place");
    if (holds(fd_.get(), before_.bytes)) return error;  // not a byte was written
    if (const int again = overwrite(fd_.get(), before_.bytes)) {
      error.message += fmt::format("; nor put the old bytes back: {}", errno_text(again));
    }
    return error;
  }

 private:
  Target target_;
  UniqueFd fd_;
  SourceFile before_;
  SharedText bytes_;
  bool reserved_ = false;
};

}  // namespace

Result<std::unique_ptr<ports::StagedWrite>> stage_in_place(Target target, const SourceFile& before,
                                                           const SharedText& bytes) {
  UniqueFd fd(::openat(target.directory.get(), target.name.c_str(),
                       O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) return errno_error(errno, before.path, "cannot open the file for writing");
  struct stat facts = {};
  // Not the inode: see prepare().
  if (::fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode) ||
      meta_of(facts).mtime_ns != before.meta.mtime_ns ||
      static_cast<std::size_t>(facts.st_size) != before.bytes.size()) {
    return conflict(before, "was changed");
  }
  auto staged = std::make_unique<StagedInPlace>(std::move(target), std::move(fd), before, bytes);
  if (const int number = staged->prepare()) {
    return errno_error(number, before.path, "cannot make room for the new content");
  }
  return std::unique_ptr<ports::StagedWrite>(std::move(staged));
}

int overwrite(int fd, std::string_view bytes) {
  if (const int number = write_all(fd, bytes, 0)) return number;
  if (::ftruncate(fd, static_cast<off_t>(bytes.size())) != 0) return errno;
  return ::fsync(fd) == 0 ? 0 : errno;
}

}  // namespace kubelet_sysctl::machine
