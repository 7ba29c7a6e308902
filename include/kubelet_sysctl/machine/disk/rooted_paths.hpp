// SPDX-License-Identifier: Apache-2.0
// Finds files under a root directory, every symbolic link resolved inside it.
#pragma once

#include <sys/stat.h>

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/machine/fd.hpp"

namespace kubelet_sysctl::machine {

/// Links in one path: as many as the kernel follows itself. Source: path_resolution(7).
inline constexpr int kMostLinks = 40;

/// What a path leads to, held by a descriptor that cannot read or write (O_PATH): a pipe or a
/// device is never opened by finding it.
struct Place {
  UniqueFd fd;  ///< none when nothing is there
  struct stat facts = {};
  std::string real_path;  ///< without the root; the path itself when nothing is there
};

/// Paths of one node: absolute, as the node names them. "/" is the running host.
class RootedPaths {
 public:
  explicit RootedPaths(std::string root);

  /// What `path` leads to, links followed. Errors: kPermission, kIo.
  Result<Place> locate(const std::string& path) const;
  /// The same, but a symbolic link that is the last component is itself the answer.
  Result<Place> locate_link(const std::string& path) const;
  /// Where a file made as `path` would be: every link on the way resolved, the last one too, and
  /// what does not exist taken as it is spelt.
  Result<std::string> landing_place(const std::string& path) const;
  /// A directory that can be listed, synchronised and worked in. Errors as errno.
  UniqueFd open_directory(const std::string& path, int& number) const;
  /// Opens the regular file at `place`. Errors as errno.
  UniqueFd open_file(const Place& place, int flags, int& number) const;
  /// The root directory itself; paths below it go to the *at() calls as below().
  [[nodiscard]] int root() const { return root_.get(); }
  /// `path` with the root directory before it, as the kernel names that: for a person to type.
  [[nodiscard]] std::string on_this_machine(const std::string& path) const;

 private:
  Result<Place> locate_once(const std::string& path, int flags) const;
  UniqueFd open(const std::string& path, int flags, int& number) const;
  std::optional<std::string> real_path_of(int fd) const;
  Error fault(int number, const std::string& path, const char* what) const;

  bool is_host_;
  UniqueFd root_;
  int root_number_ = 0;    ///< errno of the root directory that cannot be opened
  std::string root_text_;  ///< real path of the root as the kernel says it; empty for the host
  bool resolves_in_kernel_ = false;  ///< openat2(2) is there: Linux 5.6 and not forbidden
};

/// `path` relative to the root directory, for the *at() calls: "etc/x" of "/etc/x", "." of "/".
const char* below(const std::string& path);

/// The components of `path` before those of `todo`.
void push_components(const std::string& path, std::deque<std::string>& todo);

/// "x" of "/etc/x".
std::string name_in(const std::string& path);

/// Facts of a file that a replacement keeps and a change is seen by.
FileMeta meta_of(const struct stat& facts);

}  // namespace kubelet_sysctl::machine
