// SPDX-License-Identifier: Apache-2.0
// Counts, fails and reports the system calls that the linker leads here.
#include "faults/system_calls.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace kubelet_sysctl {
namespace {

/// The block size of most file systems: a file has room up to the next multiple of it.
constexpr long kBlock = 4096;

std::string path_of(int fd) {
  std::array<char, 4096> text{};
  std::array<char, 40> link{};
  fmt::format_to_n(link.data(), link.size() - 1, "/proc/self/fd/{}", fd);
  const ssize_t size = ::readlink(link.data(), text.data(), text.size());
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

SystemCalls& SystemCalls::instance() {
  static SystemCalls calls;
  return calls;
}

void SystemCalls::watch(const std::string& root, const Fault& fault, Volume* volume,
                        std::function<void()> on_death) {
  root_ = root;
  fault_ = fault;
  volume_ = volume;
  on_death_ = std::move(on_death);
  calls_.clear();
  need_room_.clear();
  struck_ = false;
  watching_ = true;
}

std::string SystemCalls::place(int directory, const char* name) const {
  if (!watching_) return {};
  const std::string path = name[0] == '/' || directory == AT_FDCWD
                               ? name
                               : fmt::format("{}/{}", path_of(directory), name);
  const std::string_view text = path;
  if (!text.starts_with(root_ + "/") || text.starts_with(root_ + "/proc/")) return {};
  return path.substr(root_.size());
}

std::string SystemCalls::place(int fd) const {
  if (!watching_) return {};
  const std::string path = path_of(fd);
  if (path == root_) return "/";
  return path.empty() ? path : place(AT_FDCWD, path.c_str());
}

int SystemCalls::note(const char* call, const std::string& place, bool room) {
  if (!watching_ || place.empty()) return 0;
  calls_.push_back(fmt::format("{} {}", call, place));
  need_room_.push_back(room);
  const std::size_t number = calls_.size();
  if (fault_.number == 0 || number < fault_.number) return 0;
  switch (fault_.kind) {
    case FaultKind::kNone:
    case FaultKind::kShort:
      return 0;
    case FaultKind::kOnce:
      if (number > fault_.number) return 0;
      break;
    case FaultKind::kForGood:
      break;
    case FaultKind::kFullDisk:
      if (!room) return 0;
      struck_ = true;
      return ENOSPC;
    case FaultKind::kMeanwhile:
      if (number == fault_.number && on_death_) on_death_();
      return 0;
    case FaultKind::kDeath:
      if (!struck_ && on_death_) on_death_();
      struck_ = true;
      return EIO;
  }
  struck_ = true;
  return fault_.error;
}

long SystemCalls::note_write(int fd, std::size_t size, long offset) {
  const auto all = static_cast<long>(size);
  const std::string at = place(fd);
  if (at.empty()) return all;
  struct stat facts = {};
  if (::fstat(fd, &facts) != 0) return -1;
  const long room = (facts.st_size + kBlock - 1) / kBlock * kBlock;
  const bool first = !struck_;
  const int number = note("write", at, offset + all > room);
  const bool strikes = calls_.size() == fault_.number;
  if (fault_.kind == FaultKind::kShort && strikes && size > 1) {
    struck_ = true;
    return all / 2;
  }
  // A disk that gets full in the middle of a write takes the first part of it.
  if (number == ENOSPC && fault_.kind == FaultKind::kFullDisk && first && size > 1) return all / 2;
  if (number == 0) return all;
  errno = number;
  return -1;
}

}  // namespace kubelet_sysctl
