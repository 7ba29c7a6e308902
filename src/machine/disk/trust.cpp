// SPDX-License-Identifier: Apache-2.0
// Walks to a file by descriptors and inspects who may write each directory on the way.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/machine/disk/rooted_paths.hpp"
#include "kubelet_sysctl/machine/fd.hpp"

namespace kubelet_sysctl::machine {
namespace {

std::string target_of(int link) {
  std::array<char, 4096> target{};
  const ssize_t size = ::readlinkat(link, "", target.data(), target.size());
  return size > 0 ? std::string(target.data(), static_cast<std::size_t>(size)) : std::string();
}

/// Who else may write it: "it belongs to uid 1000", or nothing.
std::string fault_of_owner(const struct stat& facts) {
  if (facts.st_uid == ::geteuid() || facts.st_uid == 0) return {};
  return fmt::format("it belongs to uid {}", facts.st_uid);
}

/// The same by its mode. An access list shows in the bits of the group, as its mask (acl(5)).
std::string fault_of_mode(const struct stat& facts, bool is_last) {
  const bool group = (facts.st_mode & S_IWGRP) != 0;
  const bool others = (facts.st_mode & S_IWOTH) != 0;
  if (others && (is_last || (facts.st_mode & S_ISVTX) == 0)) return "every user may write it";
  if (group && is_last) return fmt::format("group {} may write it", facts.st_gid);
  const bool own_group = facts.st_gid == ::getegid();
  if (group && !own_group && (facts.st_mode & S_ISVTX) == 0) {
    return fmt::format("group {} may write it", facts.st_gid);
  }
  return {};
}

class Walk {
 public:
  Walk(const RootedPaths& paths, const std::string& path) : paths_(paths), path_(path) {
    push_components(path, todo_);
  }

  Status run() {
    open_.emplace_back(::fcntl(paths_.root(), F_DUPFD_CLOEXEC, 0));
    struct stat facts = {};
    if (!open_.back() || ::fstat(open_.back().get(), &facts) != 0) {
      return errno_error(errno, "/", "cannot inspect the root directory");
    }
    if (auto status = check(facts, todo_.empty()); !status) return status;
    while (!todo_.empty()) {
      const std::string part = std::move(todo_.front());
      todo_.pop_front();
      if (part == ".") continue;
      if (part == "..") {
        go_up();
        continue;
      }
      bool ended = false;
      if (auto status = enter(part, ended); !status) return status;
      if (ended) break;
    }
    return {};
  }

 private:
  void go_up() {
    if (open_.size() == 1) return;
    open_.pop_back();
    names_.pop_back();
  }

  Status enter(const std::string& part, bool& ended) {
    UniqueFd fd(::openat(open_.back().get(), part.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!fd && (errno == ENOENT || errno == ENOTDIR)) {
      ended = true;
      return {};
    }
    names_.push_back(part);
    struct stat facts = {};
    if (!fd || ::fstat(fd.get(), &facts) != 0) {
      return errno_error(errno, path_, "cannot inspect the file");
    }
    if (S_ISLNK(facts.st_mode)) {
      if (auto status = check_owner(facts); !status) return status;
      return follow(target_of(fd.get()));
    }
    if (auto status = check(facts, todo_.empty()); !status) return status;
    open_.push_back(std::move(fd));
    return {};
  }

  /// Links lead to places inside the root, as everywhere (RootedPaths).
  Status follow(const std::string& target) {
    names_.pop_back();
    if (++links_ > kMostLinks) return errno_error(ELOOP, path_, "cannot follow the path");
    while (target.starts_with('/') && open_.size() > 1) go_up();
    push_components(target, todo_);
    return {};
  }

  Status check(const struct stat& facts, bool is_last) {
    if (auto status = check_owner(facts); !status) return status;
    const std::string fault = fault_of_mode(facts, is_last);
    if (fault.empty()) return {};
    return refusal(fault, fmt::format("chmod go-w {}", quoted_place()));
  }

  Status check_owner(const struct stat& facts) {
    const std::string fault = fault_of_owner(facts);
    if (fault.empty()) return {};
    return refusal(fault, fmt::format("chown -h {} {}", ::geteuid(), quoted_place()));
  }

  [[nodiscard]] std::string place() const {
    std::string text;
    for (const std::string& name : names_) text += "/" + name;
    return text.empty() ? "/" : text;
  }

  /// The path on this machine, --root included, quoted for a shell.
  [[nodiscard]] std::string quoted_place() const {
    std::string word = "'";
    for (const char byte : paths_.on_this_machine(place())) {
      word += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
    }
    return word + "'";
  }

  [[nodiscard]] Error refusal(const std::string& fault, const std::string& command) const {
    return Error{.kind = ErrorKind::kRefused,
                 .message = fmt::format("will not take records of changes from '{}': {}, and this "
                                        "program runs as uid {}",
                                        path_, fault, ::geteuid()),
                 .path = place(),
                 .hint = fmt::format("inspect what is in it; if you trust that: {}", command)};
  }

  const RootedPaths& paths_;
  const std::string& path_;
  std::deque<std::string> todo_;
  std::vector<UniqueFd> open_;  ///< from the root directory down to where the walk is
  std::vector<std::string> names_;
  int links_ = 0;
};

}  // namespace

Status Disk::check_trusted(const std::string& path) { return Walk(paths_, path).run(); }

}  // namespace kubelet_sysctl::machine
