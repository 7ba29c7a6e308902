// SPDX-License-Identifier: Apache-2.0
// A kubelet does not start without the files that its command line names.
#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/model/config.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::model {
namespace {

Error missing(const std::string& path, std::string message, std::string hint) {
  return {.kind = ErrorKind::kRefused,
          .message = "the kubelet does not start: " + std::move(message),
          .path = path,
          .hint = std::move(hint)};
}

/// True where a command before the kubelet's own names the path: it may well make it, as OpenShift's mkdir.
bool is_made_before(const nodes::NodeSnapshot& snapshot, const std::string& path) {
  std::vector<std::int32_t> sources = snapshot.unit.drop_ins;
  sources.push_back(snapshot.unit.fragment);
  return std::any_of(sources.begin(), sources.end(), [&](std::int32_t source) {
    if (source == kNoSource) return false;
    const std::string& bytes = snapshot.files[static_cast<std::size_t>(source)].bytes;
    constexpr std::string_view kBefore = "ExecStartPre";
    for (std::size_t at = bytes.find(kBefore); at != std::string::npos;
         at = bytes.find(kBefore, at + 1)) {
      const std::size_t end = std::min(bytes.find('\n', at), bytes.size());
      if (bytes.substr(at, end - at).find(path) != std::string::npos) return true;
    }
    return false;
  });
}

/// True where a read at `path` found nothing; false where nobody looked, or may.
bool is_absent(const nodes::NodeSnapshot& snapshot, const std::string& path) {
  const SourceFile* file = nodes::find_file(snapshot, path);
  if (file == nullptr || file->kind != FileKind::kAbsent) return false;
  if (is_made_before(snapshot, path)) return false;
  const auto& hidden = snapshot.unreadable;
  return std::none_of(hidden.begin(), hidden.end(), [&](const std::string& one) {
    return path == one || path.starts_with(one + "/");
  });
}

/// Source: cmd/kubelet/app/server.go of 1.28 and 1.29; kubernetes PR 119390, dropped by PR 122907.
bool lacks_alpha_variable(const nodes::NodeSnapshot& snapshot, const NodeModel& model) {
  constexpr std::string_view kVariable = "KUBELET_CONFIG_DROPIN_DIR_ALPHA";
  constexpr sysctl::KubeletVersion kBeta{.major = 1, .minor = 30, .patch = 0};
  if (!snapshot.kubelet_version || *snapshot.kubelet_version >= kBeta) return false;
  // What the manager hands every unit is not known of a tree; a kubelet that runs has what it needs.
  if (snapshot.process || model.command.environment.contains(std::string(kVariable))) return false;
  const auto& passed = snapshot.manager_environment;
  return std::none_of(passed.begin(), passed.end(), [&](const std::string& one) {
    return one.starts_with(std::string(kVariable) + "=");
  });
}

}  // namespace

std::optional<Error> missing_config(const nodes::NodeSnapshot& snapshot, const NodeModel& model) {
  if (model.stopped || model.flags.fatal || launcher_of(snapshot) != nullptr) return std::nullopt;
  if (!model.config_path.empty() && is_absent(snapshot, model.config_path)) {
    return missing(model.config_path,
                   fmt::format("failed to read kubelet config file \"{0}\", error: open {0}: no "
                               "such file or directory",
                               model.config_path),
                   "put that file there first: 'kubeadm init' and 'kubeadm join' write theirs, "
                   "other installers likewise");
  }
  if (model.config_dir.empty()) return std::nullopt;
  if (is_absent(snapshot, model.config_dir)) {
    return missing(model.config_dir,
                   fmt::format("failed to walk through kubelet dropin directory \"{0}\": lstat "
                               "{0}: no such file or directory",
                               model.config_dir),
                   fmt::format("run: mkdir {}", shell_word(model.config_dir)));
  }
  if (!lacks_alpha_variable(snapshot, model)) return std::nullopt;
  return missing(snapshot.unit.fragment_path,
                 "flag --config-dir specified but environment variable "
                 "KUBELET_CONFIG_DROPIN_DIR_ALPHA not set, cannot start kubelet",
                 "set that variable for the unit, or remove '--config-dir': 1.30 needs none");
}

}  // namespace kubelet_sysctl::model
