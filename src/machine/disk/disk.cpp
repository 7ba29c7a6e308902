// SPDX-License-Identifier: Apache-2.0
// Reads files and directories of the node.
#include "kubelet_sysctl/machine/disk/disk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/machine/disk/rooted_paths.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {
namespace {

FileKind file_kind(mode_t mode) {
  if (S_ISREG(mode)) return FileKind::kRegular;
  if (S_ISDIR(mode)) return FileKind::kDirectory;
  return FileKind::kOther;
}

ports::EntryKind entry_kind(mode_t mode) {
  if (S_ISREG(mode)) return ports::EntryKind::kFile;
  if (S_ISDIR(mode)) return ports::EntryKind::kDirectory;
  if (S_ISLNK(mode)) return ports::EntryKind::kSymlink;
  if (S_ISFIFO(mode)) return ports::EntryKind::kFifo;
  return ports::EntryKind::kOther;
}

Error too_large(const std::string& path) {
  return Error{.kind = ErrorKind::kUnsupported,
               .message = fmt::format("will not read more than {} MiB", kMostBytes >> 20U),
               .path = path};
}

// In /proc a file is there until the moment it is opened or read, when its process has ended.
bool went_away(int number) { return number == ENOENT || number == ESRCH; }

std::string target_of(int directory, const char* name) {
  std::array<char, 4096> target{};
  const ssize_t size = ::readlinkat(directory, name, target.data(), target.size());
  return size > 0 ? std::string(target.data(), static_cast<std::size_t>(size)) : std::string();
}

/// The entry `name` of `directory` ("" with a descriptor of the thing itself), as fstatat(2) sees
/// it.
ports::DirEntry entry_of(int directory, const char* link, std::string name,
                         const struct stat& facts) {
  ports::DirEntry entry{.name = std::move(name),
                        .kind = entry_kind(facts.st_mode),
                        .target = {},
                        .size = static_cast<std::uint64_t>(facts.st_size),
                        .mode = static_cast<std::uint32_t>(facts.st_mode & 07777U)};
  if (entry.kind == ports::EntryKind::kSymlink) {
    entry.target = target_of(directory, link);
    entry.size = entry.target.size();  // st_size of a link in /proc is 0 or 64 (proc(5))
  }
  return entry;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

Result<SourceFile> Disk::read(const std::string& path) {
  SourceFile absent;
  absent.path = path;
  absent.real_path = path;
  auto place = paths_.locate(path);
  if (!place) return std::move(place).error();
  if (!place->fd) return absent;
  SourceFile file;
  file.path = path;
  file.real_path = place->real_path;
  file.kind = file_kind(place->facts.st_mode);
  file.meta = meta_of(place->facts);
  if (!file.exists()) return file;
  const auto size = static_cast<std::size_t>(place->facts.st_size);
  if (size > kMostBytes) return too_large(path);
  int number = 0;
  const UniqueFd fd = paths_.open_file(*place, O_RDONLY, number);
  // Facts first, bytes second: a writer in between shows as a conflict when the file is replaced.
  if (fd) number = read_to_end(fd.get(), size, kMostBytes, file.bytes.edit());
  if (went_away(number)) return absent;
  if (number != 0) return errno_error(number, path, "cannot read the file");
  if (file.bytes.size() > kMostBytes) return too_large(path);
  return file;
}

Result<std::string> Disk::read_end(const std::string& path, std::size_t most) {
  auto place = paths_.locate(path);
  if (!place) return std::move(place).error();
  std::string bytes;
  if (!place->fd || file_kind(place->facts.st_mode) != FileKind::kRegular) return bytes;
  int number = 0;
  const UniqueFd fd = paths_.open_file(*place, O_RDONLY, number);
  const auto size = static_cast<std::size_t>(place->facts.st_size);
  const std::size_t skip = size > most ? size - most : 0;
  if (fd && ::lseek(fd.get(), static_cast<off_t>(skip), SEEK_SET) < 0) number = errno;
  if (fd && number == 0) number = read_to_end(fd.get(), size - skip, most, bytes);
  if (went_away(number)) return std::string();
  if (number != 0) return errno_error(number, path, "cannot read the file");
  // It may have grown meanwhile.
  if (bytes.size() > most) bytes.erase(0, bytes.size() - most);
  return bytes;
}

Result<std::string> Disk::read_part(const std::string& path, std::uint64_t offset,
                                    std::size_t most) {
  auto place = paths_.locate(path);
  if (!place) return std::move(place).error();
  std::string bytes;
  if (!place->fd || file_kind(place->facts.st_mode) != FileKind::kRegular) return bytes;
  const auto size = static_cast<std::uint64_t>(place->facts.st_size);
  if (offset >= size) return bytes;
  int number = 0;
  const UniqueFd fd = paths_.open_file(*place, O_RDONLY, number);
  if (fd && ::lseek(fd.get(), static_cast<off_t>(offset), SEEK_SET) < 0) number = errno;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size - offset, most));
  if (fd && number == 0) number = read_to_end(fd.get(), wanted, wanted, bytes);
  if (number != 0) return errno_error(number, path, "cannot read the file");
  // read_to_end() reads one byte more, to see that there is no more.
  if (bytes.size() > wanted) bytes.resize(wanted);
  return bytes;
}

Result<std::vector<ports::DirEntry>> Disk::list(const std::string& path) {
  std::vector<ports::DirEntry> entries;
  int number = 0;
  UniqueFd fd = paths_.open_directory(path, number);
  if (!fd && paths_.root() >= 0 && (went_away(number) || number == ENOTDIR)) return entries;
  if (!fd) return errno_error(number, path, "cannot list the directory");
  const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(fd.get()));
  if (!stream) return errno_error(errno, path, "cannot list the directory");
  const int directory = fd.release();  // the stream closes it
  for (;;) {
    errno = 0;
    const dirent* found = ::readdir(stream.get());
    if (found == nullptr && errno != 0 && !went_away(errno)) {
      return errno_error(errno, path, "cannot list the directory");
    }
    if (found == nullptr) break;
    const std::string name = found->d_name;
    if (name == "." || name == "..") continue;
    // A directory of units has hundreds of files, and what the directory itself says is enough.
    if (found->d_type == DT_REG || found->d_type == DT_DIR) {
      const bool file = found->d_type == DT_REG;
      entries.push_back(
          {.name = name, .kind = file ? ports::EntryKind::kFile : ports::EntryKind::kDirectory});
      continue;
    }
    struct stat facts = {};
    if (::fstatat(directory, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
      if (went_away(errno)) continue;
      return errno_error(errno, path, fmt::format("cannot inspect '{}'", name));
    }
    entries.push_back(entry_of(directory, name.c_str(), name, facts));
  }
  std::sort(entries.begin(), entries.end(),
            [](const ports::DirEntry& a, const ports::DirEntry& b) { return a.name < b.name; });
  return entries;
}

Result<std::optional<ports::DirEntry>> Disk::stat(const std::string& path) {
  auto place = paths_.locate_link(path);
  if (!place) return std::move(place).error();
  if (!place->fd) return std::optional<ports::DirEntry>{};
  ports::DirEntry entry = entry_of(place->fd.get(), "", name_in(path), place->facts);
  const FileMeta meta = meta_of(place->facts);
  entry.device = meta.device;
  entry.inode = meta.inode;
  entry.mtime_ns = meta.mtime_ns;
  entry.ctime_ns = meta.ctime_ns;
  return std::optional<ports::DirEntry>(std::move(entry));
}

Result<std::string> Disk::real_path(const std::string& path) {
  auto place = paths_.locate(path);
  if (!place) return std::move(place).error();
  return std::move(place->real_path);
}

}  // namespace kubelet_sysctl::machine
