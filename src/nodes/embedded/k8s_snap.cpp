// SPDX-License-Identifier: Apache-2.0
// The kubelet of Canonical Kubernetes: a bash script reads its words from a file and becomes it.
// Source: canonical/k8s-snap k8s/wrappers/services/kubelet, k8s/lib.sh k8s::common::execute_service.
#include <optional>

#include "embedded/bash_words.hpp"
#include "embedded/snaps.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::nodes {
namespace {

constexpr const char* kArgs = "/var/snap/k8s/common/args/kubelet";
/// Where the first releases had it, in $SNAP_DATA.
constexpr const char* kOldArgs = "/var/snap/k8s/current/args/kubelet";

const SourceFile* args_file(const NodeSnapshot& snapshot) {
  for (const char* path : {kArgs, kOldArgs}) {
    const SourceFile* file = find_file(snapshot, path);
    if (file != nullptr && file->exists()) return file;
  }
  return nullptr;
}

std::vector<HostPath> paths(const NodeSnapshot&, const systemd::CommandLine&) {
  return {{kArgs}, {kOldArgs}};
}

Result<std::vector<systemd::Word>> made_words(const NodeSnapshot& snapshot) {
  const SourceFile* file = args_file(snapshot);
  if (file == nullptr) {
    return Error{.kind = ErrorKind::kMalformed,
                 .message = "the kubelet has no arguments yet: this node has not joined a cluster",
                 .path = kArgs};
  }
  return shell_words(*file, find_source(snapshot, file->path), snap_variables("k8s"));
}

/// Where only the shell can determine the words, they stay those of the unit if a process shows the rest.
Result<std::vector<systemd::Word>> words(const NodeSnapshot& snapshot,
                                         const systemd::CommandLine& unit) {
  auto made = made_words(snapshot);
  const bool unknown = !made && made.error().kind == ErrorKind::kUnsupported;
  if (unknown && snapshot.process) return unit.words;
  if (!made) return made;
  systemd::Word name;
  name.text.append("kubelet", CharOrigin{});
  made->insert(made->begin(), std::move(name));
  return made;
}

std::optional<Error> refusal(const NodeSnapshot& snapshot, const systemd::CommandLine&) {
  auto made = made_words(snapshot);
  if (made || made.error().kind != ErrorKind::kUnsupported) return std::nullopt;
  return std::move(made).error();
}

std::vector<LauncherEdit> insertions(const NodeSnapshot& snapshot, const systemd::CommandLine&,
                                     const std::string& list) {
  const SourceFile* file = args_file(snapshot);
  if (file == nullptr) return {};
  return {{file->path, line_at_end(*file, shell_flag(list))}};
}

Splice rewrite(const SourceFile&, Span word, const std::string& list) {
  return {.at = word, .text = shell_flag(list)};
}

}  // namespace

const KubeletLauncher kK8sSnapHost = {.place = KubeletPlace::kMain,
                                      .paths = paths,
                                      .words = words,
                                      .insertions = insertions,
                                      .removal = without_word,
                                      .rewrite = rewrite,
                                      .refusal = refusal,
                                      .becomes = "kubelet"};

}  // namespace kubelet_sysctl::nodes
