// SPDX-License-Identifier: Apache-2.0
// The list in a configuration file or in one of its drop-ins.
#include <algorithm>
#include <string_view>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/yaml/events.hpp"
#include "parts.hpp"

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
yaml::ConfigFormat format_of(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                             const SourceFile* neighbour) {
  if (neighbour == nullptr) return yaml::ConfigFormat::kYaml;
  const std::int32_t source = nodes::find_source(snapshot, neighbour->path);
  const auto file =
      std::find_if(model.config_files.begin(), model.config_files.end(),
                   [source](const model::ConfigFile& one) { return one.source == source; });
  return file == model.config_files.end() ? yaml::ConfigFormat::kYaml : file->reading.file.format;
}

bool is_own(const std::string& path) {
  return path.ends_with(std::string("/") + model::kOwnDropIn);
}

/// True when no other place sets the list: an empty one there would hide only what something writes later.
bool hides_nothing(const model::NodeModel& model, const std::string& path) {
  return std::all_of(model.layers.begin(), model.layers.end(), [&path](const model::Layer& layer) {
    return !layer.sets || layer.at.path == path;
  });
}

/// Our drop-in without its key; without the file where nothing else is in it.
Result<FileEdit> emptied(const SourceFile& file) {
  auto splices = kubelet::edit_kubelet_config(file.bytes, kubelet::ConfigRole::kDropIn, {}, true);
  if (!splices) return std::move(splices).error();
  auto edit = edit_of(file, std::move(*splices), nodes::Route::kConfigDir);
  if (!edit) return edit;
  // What is left of a file that holds the list alone, in either format.
  constexpr std::string_view kNoWords = " \t\r\n{}\",";
  std::string left = edit->after;
  for (const std::string_view words :
       {"apiVersion", "kubelet.config.k8s.io/v1beta1", "kind", "KubeletConfiguration"}) {
    const std::size_t at = left.find(words);
    if (at != std::string::npos) left.erase(at, words.size());
  }
  std::erase(left, ':');
  if (left.find_first_not_of(kNoWords) != std::string::npos) return edit;
  edit->removes = true;
  edit->after.clear();
  edit->splices = {{.at = {0, file.bytes.size()}, .text = {}}};
  return edit;
}

}  // namespace

Result<FileEdit> config_edit(const SourceFile& file, kubelet::ConfigRole role,
                             const EntryList& wanted) {
  // In a drop-in an empty list says something: it hides the lists before it.
  const bool drop_key = role == kubelet::ConfigRole::kMain;
  auto splices = kubelet::edit_kubelet_config(file.bytes, role, wanted, drop_key);
  if (!splices) {
    Error error = std::move(splices).error();
    error.path = file.path;
    if (error.excerpt.empty() && error.line > 0) error.excerpt = line_text(file.bytes, error.line);
    return error;
  }
  return edit_of(
      file, std::move(*splices),
      role == kubelet::ConfigRole::kMain ? nodes::Route::kConfig : nodes::Route::kConfigDir);
}

Result<FileEdit> drop_in_edit(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                              const std::string& path, const SourceFile* neighbour,
                              const EntryList& wanted) {
  const SourceFile* file = nodes::find_file(snapshot, path);
  const bool is_there = file != nullptr && file->exists();
  if (is_there && wanted.empty() && is_own(path) && hides_nothing(model, path)) {
    return emptied(*file);
  }
  if (is_there) return config_edit(*file, kubelet::ConfigRole::kDropIn, wanted);
  SourceFile made;
  if (file != nullptr) made = *file;
  made.path = path;
  if (made.real_path.empty()) made.real_path = path;
  return creation_of(made,
                     kubelet::new_config_drop_in(wanted, format_of(snapshot, model, neighbour)),
                     nodes::Route::kConfigDir);
}

}  // namespace kubelet_sysctl::planning
