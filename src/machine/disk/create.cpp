// SPDX-License-Identifier: Apache-2.0
// Makes files and directories that were not there.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "disk/metadata.hpp"
#include "disk/temporary.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/machine/disk/rooted_paths.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {
namespace {

/// Directories that were made on the way; they go again unless keep() is called. Each is opened from the one
/// above, never by a path: anyone who may write one of them may put a link in the place of the next.
class MadeDirectories {
 public:
  explicit MadeDirectories(int root) : at_(::fcntl(root, F_DUPFD_CLOEXEC, 0)) {}
  MadeDirectories(MadeDirectories&& other) noexcept
      : at_(std::move(other.at_)), made_(std::exchange(other.made_, {})) {}
  MadeDirectories& operator=(MadeDirectories&&) = delete;
  ~MadeDirectories() {
    while (!made_.empty()) {
      ::unlinkat(made_.back().above.get(), made_.back().name.c_str(), AT_REMOVEDIR);
      made_.pop_back();
    }
  }
  void keep() { made_.clear(); }

  /// Makes `path` (no link in it) of mode `mode` and what is missing above it of mode 0755. Returns
  /// 0 or errno: ELOOP or ENOTDIR when another process puts a link there meanwhile.
  int make(const std::string& path, mode_t mode) {
    if (!at_) return EMFILE;
    std::deque<std::string> parts;
    push_components(path, parts);
    while (!parts.empty()) {
      const int number = enter(parts.front(), parts.size() == 1 ? mode : 0755);
      if (number != 0) return number;
      parts.pop_front();
    }
    return 0;
  }

  /// The directory itself, to be worked in and synchronised. Errors as errno.
  [[nodiscard]] UniqueFd open(int& number) const {
    UniqueFd fd(::openat(at_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    number = fd ? 0 : errno;
    return fd;
  }

 private:
  struct Made {
    UniqueFd above;
    std::string name;
  };

  int enter(const std::string& name, mode_t mode) {
    // Who may pass through a directory need not be able to list it.
    constexpr int kFlags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    UniqueFd next(::openat(at_.get(), name.c_str(), O_PATH | kFlags));
    if (!next && errno != ENOENT) return errno;
    if (!next) {
      const int refused = ::mkdirat(at_.get(), name.c_str(), mode) == 0 ? 0 : errno;
      if (refused != 0 && refused != EEXIST) return refused;
      if (refused == 0) {
        made_.push_back({UniqueFd(::fcntl(at_.get(), F_DUPFD_CLOEXEC, 0)), name});
      }
      next = UniqueFd(::openat(at_.get(), name.c_str(), O_RDONLY | kFlags));
      if (!next) return errno;
      const int number = refused == 0 ? finish(next.get(), mode) : 0;
      if (number != 0) return number;
    }
    at_ = std::move(next);
    return 0;
  }

  /// Of the directory that was made: the umask took bits away, and its name must survive a power cut.
  int finish(int fd, mode_t mode) {
    struct stat facts = {};
    if (::fstat(fd, &facts) != 0) return errno;
    // Another one is there now.
    if (facts.st_uid != ::geteuid()) return ESTALE;
    if (::fchmod(fd, mode) != 0) return errno;
    const UniqueFd above(::openat(at_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return above ? sync_directory(above.get()) : errno;
  }

  UniqueFd at_;  ///< the root, then the last directory
  std::vector<Made> made_;
};

Error appeared(const std::string& path) {
  return Error{.kind = ErrorKind::kConflict,
               .message = "the file was made by another process since it was searched for",
               .path = path,
               .hint = "nothing was written to it; see who made it, then run the command again"};
}

Status fill(const TemporaryFile& temporary, const SourceFile& before, const SharedText& bytes) {
  if (const int number = write_all(temporary.fd(), bytes, 0)) {
    return errno_error(number, before.path, "cannot write the new file");
  }
  if (before.meta.exact) {
    auto given = give_metadata(temporary.fd(), before.meta, before.path);
    if (!given) return given;
  } else if (::fchmod(temporary.fd(), before.meta.mode) != 0) {
    return errno_error(errno, before.path, "cannot set the mode of the new file");
  }
  if (::fsync(temporary.fd()) != 0) {
    return errno_error(errno, before.path, "cannot sync the new file to disk");
  }
  return {};
}

/// A temporary file in the directory of the one that is to be made. The members go in the opposite
/// order: the file, then the directories, which must be empty to go.
class StagedCreation final : public ports::StagedWrite {
 public:
  StagedCreation(MadeDirectories made, UniqueFd directory, std::string name,
                 TemporaryFile temporary, std::string path)
      : made_(std::move(made)),
        directory_(std::move(directory)),
        name_(std::move(name)),
        temporary_(std::move(temporary)),
        path_(std::move(path)) {}

  Result<ports::WriteMode> commit() override {
    int number = temporary_.put_at(name_);
    if (number == EEXIST) return appeared(path_);
    if (number != 0) return errno_error(number, path_, "cannot put the new file in place");
    number = sync_directory(directory_.get());
    if (number != 0) {
      ::unlinkat(directory_.get(), name_.c_str(), 0);
      return errno_error(number, path_, "cannot sync the directory to disk");
    }
    made_.keep();
    return ports::WriteMode::kRenamed;
  }

 private:
  MadeDirectories made_;
  UniqueFd directory_;
  std::string name_;
  TemporaryFile temporary_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<ports::StagedWrite>> Disk::stage_creation(const SourceFile& before,
                                                                 const SharedText& bytes) {
  // A dangling link is an absent file: what it leads to is made, as open(2) with O_CREAT would.
  auto landing = paths_.landing_place(before.path);
  if (!landing) return std::move(landing).error();
  const std::string name = name_in(*landing);
  MadeDirectories made(paths_.root());
  int number = made.make(directory_of(*landing), 0755);
  if (number != 0) return errno_error(number, before.path, "cannot make its directory");
  UniqueFd directory = made.open(number);
  if (!directory) return errno_error(number, before.path, "cannot open its directory");
  struct stat facts = {};
  if (::fstatat(directory.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0) {
    return appeared(before.path);
  }
  auto temporary = TemporaryFile::beside(directory.get(), name, before.path);
  if (!temporary) return std::move(temporary).error();
  auto filled = fill(*temporary, before, bytes);
  if (!filled) return std::move(filled).error();
  return std::unique_ptr<ports::StagedWrite>(std::make_unique<StagedCreation>(
      std::move(made), std::move(directory), name, std::move(*temporary), before.path));
}

Status Disk::make_directory(const std::string& path, std::uint32_t mode) {
  auto landing = paths_.landing_place(path);
  if (!landing) return std::move(landing).error();
  MadeDirectories made(paths_.root());
  const int number = made.make(*landing, mode);
  if (number != 0) return errno_error(number, path, "cannot make the directory");
  made.keep();
  return {};
}

}  // namespace kubelet_sysctl::machine
