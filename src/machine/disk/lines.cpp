// SPDX-License-Identifier: Apache-2.0
// Reads files of any length line by line, in the memory of one block.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/ports/part_reader.hpp"

namespace kubelet_sysctl::machine {
namespace {

constexpr std::size_t kBlock = std::size_t{256} * 1024;

/// Gives the whole lines of `text` away and returns what is left.
std::string_view take_lines(std::string_view text, const ports::TakeLine& take) {
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    take(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return text;
}

}  // namespace

Status Disk::read_lines(const std::string& path, const ports::TakeLine& take) {
  auto place = paths_.locate(path);
  if (!place) return std::move(place).error();
  if (!place->fd || !S_ISREG(place->facts.st_mode)) return {};
  int number = 0;
  const UniqueFd fd = paths_.open_file(*place, O_RDONLY, number);
  if (!fd && (number == ENOENT || number == ESRCH)) return {};
  if (!fd) return errno_error(number, path, "cannot read the file");
  std::vector<char> block(kBlock);
  std::size_t filled = 0;
  for (;;) {
    // A line that fills the block is no line of a table: its pieces are given as lines.
    if (filled == block.size()) {
      take(std::string_view(block.data(), filled));
      filled = 0;
    }
    const ssize_t got = ::read(fd.get(), block.data() + filled, block.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    // A process of /proc may end while it is read.
    if (got < 0 && errno != ESRCH) return errno_error(errno, path, "cannot read the file");
    if (got <= 0) break;
    const std::string_view rest =
        take_lines(std::string_view(block.data(), filled + static_cast<std::size_t>(got)), take);
    filled = rest.size();
    std::copy(rest.begin(), rest.end(), block.begin());
  }
  if (filled > 0) take(std::string_view(block.data(), filled));
  return {};
}

}  // namespace kubelet_sysctl::machine
