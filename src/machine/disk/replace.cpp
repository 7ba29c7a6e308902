// SPDX-License-Identifier: Apache-2.0
// Replaces and removes files so that a reader and a power cut see the old bytes or the new ones.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "disk/in_place.hpp"
#include "disk/metadata.hpp"
#include "disk/temporary.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/machine/disk/rooted_paths.hpp"
#include "kubelet_sysctl/machine/disk/target.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {
namespace {

using Staged = Result<std::unique_ptr<ports::StagedWrite>>;

/// Equal bytes.
class StagedNothing final : public ports::StagedWrite {
 public:
  Result<ports::WriteMode> commit() override { return ports::WriteMode::kUnchanged; }
};

/// A temporary file beside the real one.
class StagedRename final : public ports::StagedWrite {
 public:
  StagedRename(Target target, TemporaryFile temporary, const SourceFile& before,
               const SharedText& bytes)
      : target_(std::move(target)),
        temporary_(std::move(temporary)),
        before_(before),
        bytes_(bytes) {}

  Result<ports::WriteMode> commit() override {
    const int directory = target_.directory.get();
    auto unchanged = open_unchanged(directory, target_.name, before_);
    if (!unchanged) return std::move(unchanged).error();
    // Between this look and the rename an editor may still come. So the two change places, and what
    // stood there is inspected once more before it goes.
    int number = temporary_->exchange_with(target_.name);
    if (number == EBUSY) return write_in_place();
    if (number == 0) {
      if (auto seen = open_unchanged(directory, temporary_->name(), before_); !seen) {
        return take_back(std::move(seen).error());
      }
      temporary_->discard();
    } else if (number == EINVAL || number == ENOSYS || number == EXDEV || number == EOPNOTSUPP) {
      // A file system that cannot exchange: a few microseconds stay open.
      number = temporary_->put_over(target_.name);
      if (number == EBUSY) return write_in_place();
    }
    if (number != 0) {
      return errno_error(number, before_.path, "cannot put the new content in place");
    }
    number = sync_directory(directory);
    if (number == 0) return ports::WriteMode::kRenamed;
    Error error = errno_error(number, before_.path, "cannot sync the directory to disk");
    // Whichever of the two inodes a power cut leaves at the name, it then holds the old bytes.
    if (const int again = overwrite(temporary_->fd(), before_.bytes)) {
      error.message += fmt::format("; nor put the old bytes back: {}", errno_text(again));
    }
    return error;
  }

 private:
  // Another process's bytes had the name in the end: they get it again.
  Error take_back(Error why) {
    const int number = temporary_->exchange_with(target_.name);
    if (number == 0) return why;
    why.kind = ErrorKind::kIo;
    why.message +=
        fmt::format("; the file that was there is in '{}' beside it and could not be put back: {}",
                    temporary_->name(), errno_text(number));
    temporary_->leave();
    return why;
  }

  // The file is a mount, and this kernel reports it only now.
  Result<ports::WriteMode> write_in_place() {
    temporary_.reset();  // makes room
    auto staged = stage_in_place(std::move(target_), before_, bytes_);
    if (!staged) return std::move(staged).error();
    return (*staged)->commit();
  }

  Target target_;
  std::optional<TemporaryFile> temporary_;
  SourceFile before_;
  SharedText bytes_;
};

Status fill(const TemporaryFile& temporary, const Target& target, const SourceFile& before,
            const SharedText& bytes) {
  if (const int number = write_all(temporary.fd(), bytes, 0)) {
    return errno_error(number, before.path, "cannot write the new content");
  }
  auto copied = copy_metadata(target.file.get(), temporary.fd(), target.facts, before.path);
  if (!copied) return copied;
  if (::fsync(temporary.fd()) != 0) {
    return errno_error(errno, before.path, "cannot sync the new content to disk");
  }
  return {};
}

Staged stage_beside(Target target, const SourceFile& before, const SharedText& bytes) {
  auto temporary = TemporaryFile::beside(target.directory.get(), target.name, before.path);
  if (!temporary) return std::move(temporary).error();
  auto filled = fill(*temporary, target, before, bytes);
  if (!filled) return std::move(filled).error();
  return std::unique_ptr<ports::StagedWrite>(
      std::make_unique<StagedRename>(std::move(target), std::move(*temporary), before, bytes));
}

}  // namespace

bool Disk::needs_writing_in_place(const Target& target) const {
  if (target.facts.st_nlink > 1 && linked_ == LinkedFiles::kWriteInPlace) return true;
  return is_mount(target.directory.get(), target.name).value_or(false);
}

Staged Disk::stage(const SourceFile& before, const SharedText& bytes) {
  if (before.kind == FileKind::kAbsent) return stage_creation(before, bytes);
  auto target = open_target(paths_, before);
  if (!target) return std::move(target).error();
  if (bytes == before.bytes)
    return std::unique_ptr<ports::StagedWrite>(std::make_unique<StagedNothing>());
  if (needs_writing_in_place(*target)) return stage_in_place(std::move(*target), before, bytes);
  return stage_beside(std::move(*target), before, bytes);
}

Result<ports::WriteMode> Disk::replace(const SourceFile& before, const SharedText& bytes) {
  auto staged = stage(before, bytes);
  // A full disk must not keep the old bytes from coming back: where they need no more blocks than
  // the file has, which is found out when they are set aside, they are written over the new ones.
  if (!staged && before.exists() && is_out_of_room(staged.error())) {
    auto target = open_target(paths_, before);
    if (!target) return std::move(target).error();
    const bool must_break = target->facts.st_nlink > 1 && linked_ == LinkedFiles::kBreak;
    if (must_break) return std::move(staged).error();
    staged = stage_in_place(std::move(*target), before, bytes);
  }
  if (!staged) return std::move(staged).error();
  return (*staged)->commit();
}

Result<ports::FileTraits> Disk::traits_of(const SourceFile& file) {
  auto place = paths_.locate(file.path);
  if (!place) return std::move(place).error();
  if (!place->fd) return conflict(file, "was removed");
  if (!S_ISREG(place->facts.st_mode)) return conflict(file, "was changed");
  int number = 0;
  // Attributes cannot be asked of an O_PATH descriptor (open(2)).
  const UniqueFd fd = paths_.open_file(*place, O_RDONLY, number);
  if (!fd) return errno_error(number, file.path, "cannot open the file");
  auto attributes = attributes_of(fd.get(), file.path);
  if (!attributes) return std::move(attributes).error();
  const UniqueFd directory = paths_.open_directory(directory_of(place->real_path), number);
  if (!directory) return errno_error(number, file.path, "cannot open its directory");
  const auto mount = is_mount(directory.get(), name_in(place->real_path));
  const bool linked = place->facts.st_nlink > 1 && linked_ == LinkedFiles::kWriteInPlace;
  return ports::FileTraits{.attributes = std::move(*attributes),
                           .in_place = linked || mount.value_or(true)};
}

Status Disk::remove(const SourceFile& before, bool and_directory) {
  auto target = open_target(paths_, before);
  if (!target) return std::move(target).error();
  if (::unlinkat(target->directory.get(), target->name.c_str(), 0) != 0) {
    return errno_error(errno, before.path, "cannot remove the file");
  }
  if (const int number = sync_directory(target->directory.get())) {
    return errno_error(number, before.path, "cannot sync the directory to disk");
  }
  if (!and_directory) return {};
  const std::string directory = directory_of(before.real_path);
  int number = 0;
  const UniqueFd above = paths_.open_directory(directory_of(directory), number);
  if (!above) return errno_error(number, before.path, "cannot open the parent directory");
  if (::unlinkat(above.get(), name_in(directory).c_str(), AT_REMOVEDIR) != 0) {
    // Not empty, or a mount: it stays.
    if (errno == ENOTEMPTY || errno == EEXIST || errno == EBUSY) return {};
    return errno_error(errno, directory, "cannot remove the directory");
  }
  number = sync_directory(above.get());
  if (number != 0) return errno_error(number, directory, "cannot sync the directory to disk");
  return {};
}

}  // namespace kubelet_sysctl::machine
