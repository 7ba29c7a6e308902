// SPDX-License-Identifier: Apache-2.0
// The kubelet in a container that the unit starts with podman or docker, as Typhoon does.
// Source: poseidon/typhoon */kubernetes/workers/butane/worker.yaml; docker-run(1), podman-run(1).
#include "embedded/container.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"

namespace kubelet_sysctl::nodes {
namespace {

// clang-format off
/// Options of docker and podman that take no value of the next word.
constexpr auto kSwitches = std::to_array<std::string_view>({
    "detach", "disable-content-trust", "env-host", "help", "init", "interactive", "no-healthcheck",
    "no-hosts", "oom-kill-disable", "privileged", "publish-all", "quiet", "read-only",
    "read-only-tmpfs", "replace", "rm", "rmi", "rootfs", "sig-proxy", "tls-verify", "tty",
});

/// Options that take the next word where no '=' follows them. One in neither list is not passed over.
constexpr auto kValued = std::to_array<std::string_view>({
    "add-host", "annotation", "attach", "authfile", "blkio-weight", "cap-add", "cap-drop",
    "cgroup-conf", "cgroup-manager", "cgroup-parent", "cgroupns", "cgroups", "cidfile",
    "conmon-pidfile", "cpu-period", "cpu-quota", "cpu-shares", "cpus", "cpuset-cpus", "cpuset-mems",
    "detach-keys", "device", "device-cgroup-rule", "dns", "dns-option", "dns-search", "domainname",
    "entrypoint", "env", "env-file", "expose", "gpus", "group-add", "health-cmd", "hostname",
    "init-path", "ip", "ipc", "isolation", "label", "label-file", "link", "log-driver", "log-opt",
    "mac-address", "memory", "memory-reservation", "memory-swap", "memory-swappiness", "mount", "name",
    "network", "network-alias", "oom-score-adj", "pid", "pidfile", "pids-limit", "platform", "pod",
    "publish", "pull", "restart", "runtime", "sdnotify", "security-opt", "shm-size", "stop-signal",
    "stop-timeout", "storage-opt", "subgidname", "subuidname", "sysctl", "systemd", "tmpfs", "ulimit",
    "umask", "user", "userns", "uts", "volume", "volume-driver", "volumes-from", "workdir",
});
// clang-format on
constexpr std::string_view kShortSwitches = "ditPq";
constexpr std::string_view kShortValued = "acehlmpuvw";

template <typename Table>
bool holds(const Table& table, std::string_view name) {
  return std::find(table.begin(), table.end(), name) != table.end();
}

/// A path of the host that the container sees.
struct Mount {
  std::string source;
  std::string target;
  CharOrigin at;
};

/// The command of a container, taken apart.
struct Run {
  std::vector<Mount> mounts;
  std::string entrypoint;
  std::size_t image = 0;  // index of its word
};

Mount mount_of(const std::string& value, CharOrigin at, bool is_long) {
  Mount mount;
  mount.at = at;
  if (!is_long) {
    const std::size_t colon = value.find(':');
    mount.source = value.substr(0, colon);
    if (colon == std::string::npos) return {.source = {}, .target = value, .at = at};
    const std::size_t end = std::min(value.find(':', colon + 1), value.size());
    mount.target = value.substr(colon + 1, end - colon - 1);
    return mount;
  }
  for (std::size_t begin = 0; begin < value.size();) {
    const std::size_t end = std::min(value.find(',', begin), value.size());
    const std::string field = value.substr(begin, end - begin);
    const std::size_t equal = std::min(field.find('='), field.size());
    const std::string key = field.substr(0, equal);
    const std::string text = equal < field.size() ? field.substr(equal + 1) : std::string();
    if (key == "source" || key == "src") mount.source = text;
    if (key == "target" || key == "dst" || key == "destination") mount.target = text;
    begin = end + 1;
  }
  return mount;
}

/// Reads the options up to the image.
class RunReader {
 public:
  RunReader(const NodeSnapshot& snapshot, const std::vector<systemd::Word>& words)
      : snapshot_(snapshot), words_(words) {}

  Result<Run> run() {
    at_ = text(1) == "container" ? 3 : 2;
    for (; at_ < words_.size(); ++at_) {
      const std::string& word = text(at_);
      if (word == "--") {
        ++at_;
        break;
      }
      if (word.size() < 2 || word[0] != '-') break;
      const bool known = word[1] == '-' ? long_option(word) : short_options(word);
      if (!known) {
        return unknown(
            fmt::format("cannot determine the kubelet's arguments: whether '{}' takes the next "
                        "word is not known here",
                        word));
      }
    }
    if (at_ >= words_.size()) return unknown("this command names no image");
    run_.image = at_;
    return std::move(run_);
  }

 private:
  [[nodiscard]] const std::string& text(std::size_t at) const { return words_[at].text.text; }

  Error unknown(std::string message) const {
    const CharOrigin& raw = words_[std::min(at_, words_.size() - 1)].raw;
    if (raw.source == kNoSource)
      return {.kind = ErrorKind::kUnsupported, .message = std::move(message)};
    return error_at(ErrorKind::kUnsupported, snapshot_.files[static_cast<std::size_t>(raw.source)],
                    {raw.begin, raw.end}, std::move(message), "write it with '='");
  }

  void option(std::string_view name, const std::string& value) {
    const CharOrigin& raw = words_[std::min(at_, words_.size() - 1)].raw;
    if (name == "volume" || name == "v") run_.mounts.push_back(mount_of(value, raw, false));
    if (name == "mount") run_.mounts.push_back(mount_of(value, raw, true));
    if (name == "entrypoint") run_.entrypoint = value;
  }

  bool long_option(const std::string& word) {
    const std::size_t equal = word.find('=');
    const std::string name = word.substr(2, equal == std::string::npos ? equal : equal - 2);
    if (equal != std::string::npos) {
      option(name, word.substr(equal + 1));
      return true;
    }
    if (holds(kSwitches, name)) return true;
    if (!holds(kValued, name) || at_ + 1 == words_.size()) return false;
    ++at_;
    option(name, text(at_));
    return true;
  }

  bool short_options(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      if (kShortSwitches.find(word[i]) != std::string_view::npos) continue;
      if (kShortValued.find(word[i]) == std::string_view::npos) return false;
      const std::string name(1, word[i]);
      if (i + 1 < word.size()) {
        option(name, word.substr(i + (word[i + 1] == '=' ? 2 : 1)));
        return true;
      }
      if (at_ + 1 == words_.size()) return false;
      ++at_;
      option(name, text(at_));
      return true;
    }
    return true;
  }

  const NodeSnapshot& snapshot_;
  const std::vector<systemd::Word>& words_;
  std::size_t at_ = 0;
  Run run_;
};

/// The command that starts the container: the unit's own, or one of ExecStartPre= whose log it follows.
Result<std::vector<systemd::Word>> container_command(const NodeSnapshot& snapshot,
                                                     const systemd::CommandLine& unit) {
  if (is_container_run(unit.words)) return unit.words;
  const systemd::ParsedUnit parsed = parsed_unit_of(snapshot);
  std::vector<const systemd::UnitSetting*> before;
  for (const systemd::ParsedUnitFile& file : parsed.files) {
    for (const systemd::UnitSetting& setting : file.accepted) {
      if (setting.section != "Service" || setting.key != "ExecStartPre") continue;
      if (setting.value.text.empty()) before.clear();
      if (!setting.value.text.empty()) before.push_back(&setting);
    }
  }
  std::optional<std::vector<systemd::Word>> found;
  for (const systemd::UnitSetting* setting : before) {
    std::vector<systemd::FormUse> unused;
    const systemd::ReadCommands& read = systemd::commands_of(parsed, *setting);
    for (const systemd::StoredCommand& command : read.commands) {
      auto words = systemd::expand_command(command, unit.environment, unused);
      if (!is_container_run(words)) continue;
      if (found)
        return Error{.kind = ErrorKind::kUnsupported,
                     .message =
                         "the unit starts several containers, and it is unknown which "
                         "is the kubelet's",
                     .path = snapshot.unit.fragment_path};
      found = std::move(words);
    }
  }
  if (found) return std::move(*found);
  return Error{.kind = ErrorKind::kUnsupported,
               .message = "the unit starts no container with 'docker run' or 'podman run'",
               .path = snapshot.unit.fragment_path};
}

/// True when `path` is `directory` or below it.
bool is_below(std::string_view path, std::string_view directory) {
  while (directory.size() > 1 && directory.ends_with('/')) directory.remove_suffix(1);
  if (directory == "/") return path.starts_with('/');
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

/// Nothing when the container sees the host's file at this very path.
Status is_same_path(const NodeSnapshot& snapshot, const Run& run, const std::string& path) {
  const Mount* covering = nullptr;
  for (const Mount& mount : run.mounts) {
    if (mount.target.empty() || !is_below(path, mount.target)) continue;
    if (covering == nullptr || mount.target.size() >= covering->target.size()) covering = &mount;
  }
  if (covering == nullptr) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .message =
                     "the kubelet's configuration is in the image: no volume of its container "
                     "holds this path",
                 .path = path};
  }
  const auto plain = [](std::string text) {
    while (text.size() > 1 && text.ends_with('/')) text.pop_back();
    return text;
  };
  if (plain(covering->source) == plain(covering->target)) return {};
  const std::string message = fmt::format(
      "the container has '{}' at '{}': its paths are not those of the host, and the "
      "kubelet's files are not searched for there",
      covering->source, covering->target);
  if (covering->at.source == kNoSource) {
    return Error{.kind = ErrorKind::kUnsupported, .message = message};
  }
  return error_at(ErrorKind::kUnsupported,
                  snapshot.files[static_cast<std::size_t>(covering->at.source)],
                  {covering->at.begin, covering->at.end}, message,
                  "mount it at the path that it has on the host");
}

Result<std::vector<systemd::Word>> words(const NodeSnapshot& snapshot,
                                         const systemd::CommandLine& unit) {
  auto command = container_command(snapshot, unit);
  if (!command) return command;
  auto run = RunReader(snapshot, *command).run();
  if (!run) return std::move(run).error();
  // The entrypoint of such an image is the kubelet; a command is before the flags where it is not.
  std::vector<std::string> texts = {run->entrypoint.empty() ? "kubelet" : run->entrypoint};
  for (std::size_t i = run->image + 1; i < command->size(); ++i) {
    texts.push_back((*command)[i].text.text);
  }
  if (texts.size() > 1 && !texts[1].empty() && texts[1][0] != '-') texts.front() = "entrypoint";
  const auto start = kubelet::kubelet_arguments_start(texts);
  if (!start) {
    return Error{
        .kind = ErrorKind::kUnsupported,
        .message =
            "cannot determine the kubelet's arguments: the container runs another program first",
        .path = snapshot.unit.fragment_path};
  }
  const kubelet::KubeletFlags flags = kubelet::parse_kubelet_flags(texts, *start);
  for (const auto& path : {flags.config, flags.config_dir}) {
    if (!path || path->empty()) continue;
    if (auto status = is_same_path(snapshot, *run, *path); !status)
      return std::move(status).error();
  }
  std::vector<systemd::Word> made(1);
  made.front().text.append("kubelet", CharOrigin{});
  const auto first = command->begin() + static_cast<std::ptrdiff_t>(run->image + *start);
  made.insert(made.end(), first, command->end());
  return made;
}

}  // namespace

bool is_container_run(const std::vector<systemd::Word>& words) {
  if (words.size() < 3) return false;
  const std::string_view program = base_name(words[0].text.text);
  if (program != "docker" && program != "podman") return false;
  const bool is_long = words[1].text.text == "container";
  return words[is_long ? 2 : 1].text.text == "run";
}

const KubeletLauncher kContainerHost = {.place = KubeletPlace::kContainer, .words = words};

}  // namespace kubelet_sysctl::nodes
