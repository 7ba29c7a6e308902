// SPDX-License-Identifier: Apache-2.0
// Paths of a node: joined, taken apart, and followed to what they lead to.
#include "paths.hpp"

#include <filesystem>
#include <utility>

namespace kubelet_sysctl {
namespace {

/// Links that the kernel follows before it says ELOOP. Source: path_resolution(7).
constexpr int kMaxLinks = 40;

}  // namespace

std::string base_name(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string directory_of(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return "/";
  return std::string(path.substr(0, slash));
}

std::string joined(std::string_view base, std::string_view path) {
  std::filesystem::path whole(path);
  if (!whole.is_absolute()) whole = std::filesystem::path(base) / whole;
  std::string clean = whole.lexically_normal().string();
  if (clean.size() > 1 && clean.back() == '/') clean.pop_back();
  return clean;
}

Result<std::string> with_real_directory(FileSystem& files, const std::string& path) {
  const std::string name = base_name(path);
  if (name.empty() || name == "." || name == "..") return files.real_path(path);
  auto directory = files.real_path(directory_of(path));
  if (!directory) return std::move(directory).error();
  return joined(*directory, name);
}

Result<PathEnd> target_of(FileSystem& files, const std::string& path) {
  PathEnd target{.path = path, .entry = std::nullopt, .through_link = false};
  for (int hop = 0; hop < kMaxLinks; ++hop) {
    auto entry = files.look(target.path);
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

Result<std::int32_t> add_file(FileSystem& files, const std::string& path,
                              std::vector<SourceFile>& read) {
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (read[i].path == path) return static_cast<std::int32_t>(i);
  }
  auto file = files.read(path);
  if (!file) return std::move(file).error();
  read.push_back(std::move(*file));
  return static_cast<std::int32_t>(read.size() - 1);
}

}  // namespace kubelet_sysctl
