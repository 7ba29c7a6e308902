// SPDX-License-Identifier: Apache-2.0
// The list in a configuration file or in one of its drop-ins.
#include "plan_parts.hpp"

namespace kubelet_sysctl::planning {
namespace {

/// The text of a line, counted from 1; empty when there is no such line.
std::string line_text(std::string_view bytes, std::size_t line) {
  std::size_t at = 0;
  for (; line > 1; --line) {
    const std::size_t end = bytes.find('\n', at);
    if (end == std::string_view::npos) return {};
    at = end + 1;
  }
  return std::string(line_at(bytes, at));
}

/// Our drop-in speaks as its neighbour does.
ConfigFormat format_of(const SourceFile* neighbour) {
  if (neighbour == nullptr) return ConfigFormat::kYaml;
  auto parsed = parse_kubelet_config(neighbour->bytes, ConfigRole::kMain);
  return parsed ? parsed->format : ConfigFormat::kYaml;
}

}  // namespace

Result<FileEdit> config_edit(const SourceFile& file, ConfigRole role,
                             const std::vector<std::string>& wanted) {
  // In a drop-in an empty list says something: it hides the lists before it.
  const bool drop_key = role == ConfigRole::kMain;
  auto splices = edit_kubelet_config(file.bytes, role, wanted, drop_key);
  if (!splices) {
    Error error = std::move(splices).error();
    error.path = file.path;
    if (error.excerpt.empty() && error.line > 0) error.excerpt = line_text(file.bytes, error.line);
    return error;
  }
  return edit_of(file, std::move(*splices), role == ConfigRole::kMain ? "config" : "config-dir");
}

Result<FileEdit> drop_in_edit(const NodeSnapshot& snapshot, const std::string& path,
                              const SourceFile* neighbour, const std::vector<std::string>& wanted) {
  const SourceFile* file = find_file(snapshot, path);
  if (file != nullptr && file->exists()) return config_edit(*file, ConfigRole::kDropIn, wanted);
  SourceFile made;
  if (file != nullptr) made = *file;
  made.path = path;
  if (made.real_path.empty()) made.real_path = path;
  return creation_of(made, new_config_drop_in(wanted, format_of(neighbour)), "config-dir");
}

}  // namespace kubelet_sysctl::planning
