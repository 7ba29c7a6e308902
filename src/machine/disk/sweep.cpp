// SPDX-License-Identifier: Apache-2.0
// Takes away what killed runs and old records left.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "disk/temporary.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/machine/disk/rooted_paths.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {

Status Disk::sweep(const std::string& path) {
  auto landing = paths_.landing_place(path);
  if (!landing) return std::move(landing).error();
  int number = 0;
  const UniqueFd directory = paths_.open_directory(directory_of(*landing), number);
  if (!directory && (number == ENOENT || number == ENOTDIR)) return {};
  if (!directory) return errno_error(number, path, "cannot open its directory");
  number = TemporaryFile::sweep(directory.get(), name_in(*landing));
  if (number == 0) return {};
  return errno_error(number, path, "cannot remove a temporary file beside it");
}

Status Disk::remove_if_empty(const std::string& path) {
  int number = 0;
  const UniqueFd above = paths_.open_directory(directory_of(path), number);
  if (!above && (number == ENOENT || number == ENOTDIR)) return {};
  if (!above) return errno_error(number, path, "cannot open the parent directory");
  const int removed = ::unlinkat(above.get(), name_in(path).c_str(), AT_REMOVEDIR);
  number = removed == 0 ? 0 : errno;
  const bool stays = number == ENOTEMPTY || number == EEXIST || number == EBUSY ||
                     number == ENOENT || number == ENOTDIR;
  if (stays) return {};
  if (number == 0) number = sync_directory(above.get());
  if (number == 0) return {};
  return errno_error(number, path, "cannot remove the directory");
}

Status Disk::remove_folder(const std::string& path) {
  auto entries = list(path);
  if (!entries) return std::move(entries).error();
  int number = 0;
  const UniqueFd above = paths_.open_directory(directory_of(path), number);
  if (!above && number == ENOENT) return {};
  if (!above) return errno_error(number, path, "cannot open the parent directory");
  const UniqueFd folder(::openat(above.get(), name_in(path).c_str(),
                                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder && errno == ENOENT) return {};
  if (!folder) return errno_error(errno, path, "cannot open the directory");
  for (const ports::DirEntry& entry : *entries) {
    if (::unlinkat(folder.get(), entry.name.c_str(), 0) == 0 || errno == ENOENT) continue;
    return errno_error(errno, path, fmt::format("cannot remove '{}' in it", entry.name));
  }
  if (::unlinkat(above.get(), name_in(path).c_str(), AT_REMOVEDIR) != 0) {
    return errno_error(errno, path, "cannot remove the directory");
  }
  number = sync_directory(above.get());
  if (number == 0) return {};
  return errno_error(number, path, "cannot sync the parent directory to disk");
}

}  // namespace kubelet_sysctl::machine
