// SPDX-License-Identifier: Apache-2.0
// Places that are not written although they are in force: what lies there is made from somewhere else.
#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "parts.hpp"

namespace kubelet_sysctl::planning {
namespace {

bool is_below(const SourceFile& file, std::string_view directory) {
  return file.path.starts_with(directory) || file.real_path.starts_with(directory);
}

/// `file` with the place where it comes to lie: one that is new lies in a directory that may be a link.
SourceFile placed(const nodes::NodeSnapshot& snapshot, SourceFile file) {
  const std::size_t slash = file.path.rfind('/');
  if (file.exists() || slash == std::string::npos || slash == 0) return file;
  const SourceFile* directory = nodes::find_file(snapshot, file.path.substr(0, slash));
  if (directory != nullptr && !directory->real_path.empty()) {
    file.real_path = directory->real_path + file.path.substr(slash);
  }
  return file;
}

// Source: snapd mounts each revision of a snap from its squashfs, read-only: snapcraft.io/docs "The snap
// format".
Error of_snap(const SourceFile& file) {
  return {.kind = ErrorKind::kRefused,
          .message = "will not write this file: it is one of a snap, which is mounted read-only",
          .path = file.path,
          .hint = "change it by the settings of the snap ('snap get NAME'), or use '--via args'"};
}

// Source: nix.dev "Store": an object of the store never changes; the same bytes may be shared by hard links.
Error of_store(const SourceFile& file, std::string_view store, const EntryList& wanted,
               bool nixos) {
  std::string hint = "change what this file of the store is made from, and rebuild it";
  if (nixos) {
    std::string list;
    for (const std::string_view entry : wanted) list += fmt::format(" \"{}\"", entry);
    hint = fmt::format(
        "set services.kubernetes.kubelet.extraConfig.allowedUnsafeSysctls = [{} ]; in the "
        "configuration of the system (or services.kubernetes.kubelet.extraOpts, where the flag is "
        "there), then run: nixos-rebuild switch",
        list);
  }
  return {.kind = ErrorKind::kRefused,
          .message = fmt::format("will not write this file: it is one of the {} store", store),
          .path = file.path,
          .hint = hint};
}

Error of_vendor(const SourceFile& file) {
  const bool config = !file.path.ends_with(".service") && !file.path.ends_with(".conf");
  return {.kind = ErrorKind::kRefused,
          .message = "will not write this file: below /usr it belongs to a package or an image",
          .path = file.path,
          .hint = config
                      ? "use '--via args', which writes below /etc; or copy the file to /etc and "
                        "name that copy in '--config'"
                      : "use '--via args', which writes below /etc"};
}

}  // namespace

Status judge_places(const nodes::NodeSnapshot& snapshot, Plan& plan) {
  const bool nixos = snapshot.os_id == "nixos";
  for (const FileEdit& edit : plan.edits) {
    const SourceFile file = placed(snapshot, edit.before);
    const bool made = nixos && file.path.starts_with("/etc/systemd/");
    if (is_below(file, "/nix/store/") || made) return of_store(file, "Nix", plan.after, nixos);
    if (is_below(file, "/gnu/store/")) return of_store(file, "Guix", plan.after, false);
    if (is_below(file, "/snap/") || is_below(file, "/var/lib/snapd/snap/")) return of_snap(file);
    const bool vendor = is_below(file, "/usr/") && !is_below(file, "/usr/local/");
    // The units of packages have their own way: a drop-in below /etc.
    if (vendor && edit.route != nodes::Route::kUnit) return of_vendor(file);
    if (!is_below(file, "/run/")) continue;
    plan.findings.push_back(
        {.id = "lost-at-boot",
         .severity = Severity::kWarning,
         .message = "the next boot loses this change: /run is empty then",
         .path = file.path,
         .hint = "change what writes this file at boot, or put the list into a file below /etc"});
  }
  return {};
}

}  // namespace kubelet_sysctl::planning
