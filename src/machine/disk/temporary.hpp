// SPDX-License-Identifier: Apache-2.0
// The file that new bytes are written to before they take the place of the old ones.
#pragma once

#include <string>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/machine/fd.hpp"

namespace kubelet_sysctl::machine {

/// A new, empty file of mode 0600 beside the file `name`; removed again unless it was put in place.
class TemporaryFile {
 public:
  /// `directory` stays open longer than the result. Files that a killed run left beside `name` are
  /// removed first. `path` is for messages. Errors: kPermission, kIo.
  static Result<TemporaryFile> beside(int directory, const std::string& name,
                                      const std::string& path);
  /// Removes what a killed run left beside the file `name`. Returns 0 or errno.
  static int sweep(int directory, const std::string& name);
  TemporaryFile(TemporaryFile&& other) noexcept;
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile();

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Renames it over `name`. Returns 0 or errno.
  int put_over(const std::string& name);
  /// Changes places with `name`: what stood there has the temporary name from now on, and goes with this
  /// object. Returns 0 or errno; EINVAL and the like where the file system cannot.
  int exchange_with(const std::string& name);
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Leaves what has the temporary name where it is.
  void leave() { name_.clear(); }
  /// Takes the temporary name away now; the descriptor stays. What cannot be removed is tried again by the
  /// destructor.
  void discard();
  /// Gives it the name `name`, which must be free: EEXIST when it is not. Returns 0 or errno.
  int put_at(const std::string& name);

 private:
  TemporaryFile(int directory, std::string name, UniqueFd fd)
      : directory_(directory), name_(std::move(name)), fd_(std::move(fd)) {}

  int directory_;
  std::string name_;  ///< empty once it was put in place
  UniqueFd fd_;
};

}  // namespace kubelet_sysctl::machine
