// SPDX-License-Identifier: Apache-2.0
// Makes files and directories that were not there.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "host/disk.hpp"
#include "host/disk_temporary.hpp"

namespace kubelet_sysctl {
namespace {

/// Directories that were made on the way; they go again unless keep() is called.
class MadeDirectories {
 public:
  explicit MadeDirectories(int root) : root_(root) {}
  MadeDirectories(const MadeDirectories&) = delete;
  MadeDirectories& operator=(const MadeDirectories&) = delete;
  ~MadeDirectories() {
    while (!made_.empty()) {
      ::unlinkat(root_, below(made_.back()), AT_REMOVEDIR);
      made_.pop_back();
    }
  }
  void keep() { made_.clear(); }

  /// Makes `path` (no link in it) of mode `mode` and what is missing above it of mode 0755. Returns
  /// 0 or errno.
  int make(const std::string& path, mode_t mode) {
    struct stat facts = {};
    if (::fstatat(root_, below(path), &facts, AT_SYMLINK_NOFOLLOW) == 0) {
      return S_ISDIR(facts.st_mode) ? 0 : ENOTDIR;
    }
    for (std::size_t end = 0; end != std::string::npos;) {
      end = path.find('/', end + 1);
      const std::string part = path.substr(0, end);
      const int number = make_one(part, end == std::string::npos ? mode : 0755);
      if (number != 0) return number;
    }
    return 0;
  }

 private:
  int make_one(const std::string& path, mode_t mode) {
    if (::mkdirat(root_, below(path), mode) != 0) return errno == EEXIST ? 0 : errno;
    made_.push_back(path);
    // The umask took bits away.
    if (::fchmodat(root_, below(path), mode, 0) != 0) return errno;
    const UniqueFd above(
        ::openat(root_, below(parent_of(path)), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return above ? sync_directory(above.get()) : errno;
  }

  int root_;
  std::vector<std::string> made_;
};

Error appeared(const std::string& path) {
  return Error{.kind = ErrorKind::kConflict,
               .message = "the file was made by somebody else since it was looked for",
               .path = path,
               .hint = "nothing was written to it; see who made it, then run the command again"};
}

Status fill(const TemporaryFile& temporary, const SourceFile& before, const std::string& bytes) {
  if (const int number = write_all(temporary.fd(), bytes, 0)) {
    return errno_error(number, before.path, "cannot write the new file");
  }
  if (::fchmod(temporary.fd(), before.meta.mode) != 0) {
    return errno_error(errno, before.path, "cannot set the mode of the new file");
  }
  if (::fsync(temporary.fd()) != 0) {
    return errno_error(errno, before.path, "cannot bring the new file to the disk");
  }
  return {};
}

}  // namespace

Result<WriteMode> Disk::create(const SourceFile& before, const std::string& bytes) {
  // A dangling link is an absent file: what it leads to is made, as open(2) with O_CREAT would.
  auto landing = paths_.landing_place(before.path);
  if (!landing) return std::move(landing).error();
  const std::string name = name_in(*landing);
  MadeDirectories made(paths_.root());
  int number = made.make(parent_of(*landing), 0755);
  if (number != 0) return errno_error(number, before.path, "cannot make its directory");
  const UniqueFd directory = paths_.open_directory(parent_of(*landing), number);
  if (!directory) return errno_error(number, before.path, "cannot open its directory");
  struct stat facts = {};
  if (::fstatat(directory.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0) {
    return appeared(before.path);
  }
  auto temporary = TemporaryFile::beside(directory.get(), name, before.path);
  if (!temporary) return std::move(temporary).error();
  auto filled = fill(*temporary, before, bytes);
  if (!filled) return std::move(filled).error();
  number = temporary->put_at(name);
  if (number == EEXIST) return appeared(before.path);
  if (number != 0) return errno_error(number, before.path, "cannot put the new file in place");
  number = sync_directory(directory.get());
  if (number != 0) {
    ::unlinkat(directory.get(), name.c_str(), 0);
    return errno_error(number, before.path, "cannot bring the directory to the disk");
  }
  made.keep();
  return WriteMode::kRenamed;
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

}  // namespace kubelet_sysctl
