// SPDX-License-Identifier: Apache-2.0
// Choosing where the list is written: the arguments, the configuration file, or a drop-in of it.
#include "route.hpp"

#include <algorithm>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/model/rewritten.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "parts.hpp"

namespace kubelet_sysctl::planning {

using nodes::Route;

std::optional<Route> RouteChoice::current() const {
  const model::Layer* winner = model::winner_of(model_);
  if (winner == nullptr) return std::nullopt;
  if (winner->kind == model::LayerKind::kFlag) return Route::kArgs;
  return winner->kind == model::LayerKind::kConfig ? Route::kConfig : Route::kConfigDir;
}

const SourceFile* RouteChoice::config_file() const {
  if (model_.config_path.empty()) return nullptr;
  const SourceFile* file = nodes::find_file(snapshot_, model_.config_path);
  return file != nullptr && file->exists() ? file : nullptr;
}

bool RouteChoice::has_config_dir() const {
  return snapshot_.config_dirs.contains(model_.config_dir);
}

Result<Route> RouteChoice::choose() const {
  if (!change_.file.empty()) return of_file();
  const auto today = current();
  if (change_.via == Via::kArgs) return Route::kArgs;
  if (change_.via == Via::kConfig) {
    if (today == Route::kArgs) return shadowing_flag();
    return of_config();
  }
  const bool lost = today == std::optional<Route>(Route::kConfig) && is_config_regenerated();
  // A drop-in of our own outlives a file that something rewrites.
  const bool outlived = today == std::optional<Route>(Route::kConfig) && has_config_dir() &&
                        model::is_rewritten(model_, *config_file());
  if (outlived && !lost) return Route::kConfigDir;
  if (today && !lost) return *today;
  if (lost || model_.kind->new_list_route == Route::kArgs) return Route::kArgs;
  if (config_file() != nullptr || has_config_dir()) return of_config();
  return Route::kArgs;
}

bool RouteChoice::is_config_regenerated() const {
  const nodes::KubeletLauncher* launcher = model::launcher_of(snapshot_);
  return launcher != nullptr && launcher->writes_config;
}

Result<Route> RouteChoice::of_config() const {
  const auto today = current();
  if (is_config_regenerated()) return regenerated(model_);
  if (today == Route::kConfigDir || (today != Route::kConfig && has_config_dir())) {
    return Route::kConfigDir;
  }
  if (config_file() != nullptr) return Route::kConfig;
  if (has_config_dir()) return Route::kConfigDir;
  if (model_.config_path.empty()) {
    return refused("this kubelet reads no configuration file", "use '--via args'");
  }
  Error error = refused("the kubelet's configuration file does not exist yet", "use '--via args'");
  error.path = model_.config_path;
  return error;
}

Error RouteChoice::shadowing_flag() const {
  const model::Layer* winner = model::winner_of(model_);
  Error error = refused("will not edit the configuration file: this flag would hide its list",
                        model_.wrapped ? "remove the flag by hand first: 'kubelet-sysctl explain' "
                                         "shows the words of the unit and their places"
                                       : "use '--via args', or remove the flag first");
  error.path = winner->at.path;
  error.line = winner->at.line;
  if (winner->at.source != kNoSource) {
    const SourceFile& file = snapshot_.files[static_cast<std::size_t>(winner->at.source)];
    return error_at(error.kind, file, winner->at.span, error.message, error.hint);
  }
  return error;
}

bool RouteChoice::names(const SourceFile* file) const {
  return file != nullptr && (file->path == change_.file || file->real_path == change_.file);
}

/// --file names a file that the next start reads, or it is refused.
Result<Route> RouteChoice::of_file() const {
  const auto today = current();
  if (names(config_file()) || in_config_dir()) {
    if (change_.via == Via::kArgs) {
      return refused("'--via args' and this file contradict each other",
                     "leave one of the two out");
    }
    if (is_config_regenerated()) return regenerated(model_);
    if (today == Route::kArgs) return shadowing_flag();
    return in_config_dir() ? Route::kConfigDir : Route::kConfig;
  }
  if (change_.via != Via::kConfig && is_argument_file()) return Route::kArgs;
  Error error = refused("nothing reads this file when the kubelet starts",
                        "'kubelet-sysctl explain' names the files that count");
  error.path = change_.file;
  return error;
}

bool RouteChoice::in_config_dir() const {
  return has_config_dir() &&
         change_.file.compare(0, model_.config_dir.size() + 1, model_.config_dir + "/") == 0 &&
         change_.file.find('/', model_.config_dir.size() + 1) == std::string::npos &&
         systemd::is_drop_in_name(change_.file.substr(model_.config_dir.size() + 1));
}

bool RouteChoice::is_argument_file() const {
  const auto& files = model_.command.environment_files;
  const bool environment = std::any_of(files.begin(), files.end(), [this](const auto& line) {
    return line.path == change_.file || names(nodes::find_file(snapshot_, line.path));
  });
  if (environment || own_drop_in(snapshot_).path == change_.file) return true;
  const auto& of_launcher = snapshot_.launcher_files;
  if (std::any_of(of_launcher.begin(), of_launcher.end(), [this](std::int32_t source) {
        return names(&snapshot_.files[static_cast<std::size_t>(source)]);
      })) {
    return true;
  }
  const auto is_named = [this](std::int32_t source) {
    return source != kNoSource && names(&snapshot_.files[static_cast<std::size_t>(source)]);
  };
  return is_named(snapshot_.unit.fragment) ||
         std::any_of(snapshot_.unit.drop_ins.begin(), snapshot_.unit.drop_ins.end(), is_named);
}

}  // namespace kubelet_sysctl::planning
