// SPDX-License-Identifier: Apache-2.0
// Paths of a node: joined, taken apart, and followed to what they lead to.
#include "kubelet_sysctl/ports/paths.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::ports {
namespace {

/// Links that the kernel follows before it says ELOOP. Source: path_resolution(7).
constexpr int kMaxLinks = 40;

}  // namespace

std::string joined(std::string_view base, std::string_view path) {
  std::filesystem::path whole(path);
  if (!whole.is_absolute()) whole = std::filesystem::path(base) / whole;
  std::string clean = whole.lexically_normal().string();
  if (clean.size() > 1 && clean.back() == '/') clean.pop_back();
  return clean;
}

Result<std::string> with_real_directory(FileSystem& files, const std::string& path) {
  const std::string name(base_name(path));
  if (name.empty() || name == "." || name == "..") return files.real_path(path);
  auto directory = files.real_path(directory_of(path));
  if (!directory) return std::move(directory).error();
  return joined(*directory, name);
}

Result<PathEnd> target_of(FileSystem& files, const std::string& path) {
  PathEnd target{.path = path, .entry = std::nullopt, .through_link = false};
  for (int hop = 0; hop < kMaxLinks; ++hop) {
    auto entry = files.stat(target.path);
    if (!entry) return std::move(entry).error();
    if (!entry->has_value() || (*entry)->kind != EntryKind::kSymlink) {
      target.entry = std::move(*entry);
      return target;
    }
    target.through_link = true;
    const std::string& text = (*entry)->target;
    const std::string next = text.starts_with('/') ? text : directory_of(target.path) + "/" + text;
    auto real = with_real_directory(files, next);
    if (!real) return std::move(real).error();
    target.path = std::move(*real);
  }
  return target;  // A loop of links leads nowhere.
}

namespace {

/// What the files of a node come to together: its unit, their drop-ins, variables and configuration. The largest
/// nodes that are known have some fifty files and 64 KiB, and what is read takes up to ten times its size.
constexpr std::size_t kMostFiles = 1000;
constexpr std::size_t kMostOfOne = std::size_t{1} << 20U;
constexpr std::size_t kMostOfAll = 2 * kMostOfOne;
/// systemd gives up a unit file at a line of 1 MiB: one is read, so that the same can be said of it.
constexpr std::size_t kMostOfUnit = kMostOfOne + (std::size_t{64} << 10U);

bool is_of_unit(std::string_view path) {
  return path.ends_with(".service") || path.ends_with(".conf");
}

Status check_room(const SourceFile& file, const std::vector<SourceFile>& read) {
  Error error{.kind = ErrorKind::kUnsupported, .path = file.path};
  if (file.bytes.size() > (is_of_unit(file.path) ? kMostOfUnit : kMostOfOne)) {
    error.message = fmt::format(
        "will not read more than 1 MiB of settings in one file: it has {} "
        "bytes",
        file.bytes.size());
    error.hint = fmt::format("see what fills it: head -c 300 '{}'", file.path);
    return error;
  }
  if (read.size() >= kMostFiles) {
    error.message = fmt::format("will not read more than {} files of one node", kMostFiles);
    return error;
  }
  const auto all = std::accumulate(
      read.begin(), read.end(), file.bytes.size(),
      [](std::size_t sum, const SourceFile& one) { return sum + one.bytes.size(); });
  if (all <= kMostOfAll) return {};
  error.message =
      "will not read more than 2 MiB of settings of one node: with this file it is more";
  return error;
}

}  // namespace

Status check_lines(const std::vector<SourceFile>& read, const std::vector<std::int32_t>& sources,
                   std::string_view what) {
  constexpr std::size_t kMostLines = 5000;
  constexpr std::ptrdiff_t kMostMarks = 10'000;  // comments count too
  // Each begins a word, or makes what is read another text than what is there: every such place is kept.
  constexpr std::string_view kMarks = " \t%\\\"'$";
  std::ptrdiff_t marks = 0;
  std::size_t lines = 0;
  for (const std::int32_t source : sources) {
    if (source == kNoSource) continue;
    const SourceFile& file = read[static_cast<std::size_t>(source)];
    lines += static_cast<std::size_t>(std::count(file.bytes.begin(), file.bytes.end(), '\n'));
    marks += std::count_if(file.bytes.begin(), file.bytes.end(),
                           [&](char byte) { return kMarks.find(byte) != std::string_view::npos; });
    if (lines <= kMostLines && marks <= kMostMarks) continue;
    return Error{
        .kind = ErrorKind::kUnsupported,
        .message = fmt::format("will not read {} of more than {} lines or {} words, quotes "
                               "and escapes",
                               what, kMostLines, kMostMarks),
        .path = file.path,
        .hint = fmt::format("see what fills it: head -c 300 '{}'", file.path)};
  }
  return {};
}

Result<std::int32_t> add_file(FileSystem& files, const std::string& path,
                              std::vector<SourceFile>& read) {
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (read[i].path == path) return static_cast<std::int32_t>(i);
  }
  auto file = files.read(path);
  if (!file) return std::move(file).error();
  if (auto status = check_room(*file, read); !status) return std::move(status).error();
  read.push_back(std::move(*file));
  return static_cast<std::int32_t>(read.size() - 1);
}

}  // namespace kubelet_sysctl::ports
