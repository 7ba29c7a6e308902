// SPDX-License-Identifier: Apache-2.0
// Compares our namespaces with those of process 1 and enters the ones that differ.
//
// A privileged container whose pod has hostPID: true sees the node's process 1 and may enter what it
// lives in. No process is forked for that: setns(2) moves the caller itself, all but its PID namespace,
// and that one can only be the node's already, for the kernel lets nobody into a PID namespace above
// the own one (pidns_install(), kernel/pid_namespace.c). So signals, exit status and standard streams
// need no help, and who kills the container kills the run, as on the node.
#include "kubelet_sysctl/machine/enter_node.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/machine/fd.hpp"

namespace kubelet_sysctl::machine {
namespace {

constexpr const char* kPrivileged =
    "the container needs 'privileged: true' in its securityContext, and its pod 'hostPID: true' "
    "(docker, podman: --privileged --pid=host)";
constexpr const char* kHostPid =
    "the pod needs 'hostPID: true' in its spec, and the container 'privileged: true' in its "
    "securityContext (docker, podman: --pid=host --privileged)";

struct Namespace {
  const char* name;  ///< below /proc/PID/ns
  int flag;
  const char* words;
};
// The mount namespace last: what is opened by a path was opened before. The user namespace is not
// among them: who may do all this is in the first one, or in the node's.
constexpr std::array<Namespace, 5> kNamespaces = {{{"cgroup", CLONE_NEWCGROUP, "cgroup"},
                                                   {"uts", CLONE_NEWUTS, "UTS"},
                                                   {"ipc", CLONE_NEWIPC, "IPC"},
                                                   {"net", CLONE_NEWNET, "network"},
                                                   {"mnt", CLONE_NEWNS, "mount"}}};

struct Capability {
  unsigned number;
  std::string_view name;
};
// Source: linux/capability.h; setns(2) and ptrace(2), "Ptrace access mode checking", say who asks.
constexpr std::array<Capability, 3> kCapabilities = {
    {{18, "CAP_SYS_CHROOT"}, {19, "CAP_SYS_PTRACE"}, {21, "CAP_SYS_ADMIN"}}};

// Source: PROC_USER_INIT_INO, include/linux/proc_ns.h.
constexpr std::string_view kFirstUserNamespace = "user:[4026531837]";

/// A namespace of ours that is not the leader's, and the leader's.
struct Door {
  const Namespace* kind;
  UniqueFd fd;
};

std::string text_of(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  constexpr std::size_t kMost = 65536;
  std::string text;
  if (fd) read_to_end(fd.get(), 0, kMost, text);
  return text;
}

/// The text of a line "KEY:\tTEXT".
std::string_view line_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with(key) || line.substr(key.size(), 1) != ":") continue;
    const std::string_view rest = line.substr(key.size() + 1);
    return rest.substr(std::min(rest.find_first_not_of(" \t"), rest.size()));
  }
  return {};
}

/// "mnt:[4026531841]"; without a value errno says why not.
std::optional<std::string> link_text(const std::string& path) {
  std::array<char, 64> text{};
  const ssize_t size = ::readlink(path.c_str(), text.data(), text.size());
  if (size < 0) return std::nullopt;
  return std::string(text.data(), static_cast<std::size_t>(size));
}

bool is_root_of_ours(int directory) {
  struct stat one = {};
  struct stat other = {};
  return ::fstat(directory, &one) == 0 && ::stat("/", &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

class Entry {
 public:
  explicit Entry(const EnterSettings& settings)
      : settings_(settings),
        self_(settings.proc + "/self"),
        leader_(fmt::format("{}/{}", settings.proc, settings.leader)) {}

  Result<bool> run() {
    for (auto step : {&Entry::check_user, &Entry::check_leader, &Entry::open_doors}) {
      if (auto status = (this->*step)(); !status) return std::move(status).error();
    }
    if (doors_.empty() && is_at_home_) return false;
    for (auto step : {&Entry::go_through, &Entry::change_root, &Entry::check_arrival}) {
      if (auto status = (this->*step)(); !status) return std::move(status).error();
    }
    keep_environment();
    return true;
  }

 private:
  [[nodiscard]] Status check_user();
  [[nodiscard]] Status check_leader();
  [[nodiscard]] Status open_doors();
  [[nodiscard]] Status go_through();
  [[nodiscard]] Status go_one_by_one();
  [[nodiscard]] Status change_root();
  [[nodiscard]] Status check_arrival();
  static void keep_environment();
  [[nodiscard]] Error forbidden(const std::string& what, int number) const;

  const EnterSettings& settings_;
  std::string self_;
  std::string leader_;
  std::vector<Door> doors_;
  UniqueFd process_;
  UniqueFd root_;
  bool is_at_home_ = false;  ///< our root is the leader's
};

/// What the kernel did not let us do, and which part of "privileged" would.
Error Entry::forbidden(const std::string& what, int number) const {
  Error error = errno_error(number, {}, what);
  error.kind = ErrorKind::kPermission;
  error.hint = kPrivileged;
  const std::string status = text_of(self_ + "/status");
  const auto user = link_text(self_ + "/ns/user");
  std::string missing;
  for (const std::string_view name : capabilities_missing(status)) {
    missing += fmt::format("{}{}", missing.empty() ? "" : ", ", name);
  }
  if (!missing.empty()) {
    error.message += fmt::format("; this process lacks {}", missing);
  } else if (user && *user != kFirstUserNamespace) {
    error.message += "; this process is in a user namespace of its own";
    error.hint = "the pod must not have 'hostUsers: false', nor the container engine be rootless";
  } else if (has_seccomp_filter(status)) {
    error.message += "; a seccomp filter is in force for this process";
  } else {
    error.hint += "; else AppArmor or SELinux forbids it: see the node's audit log";
  }
  return error;
}

Status Entry::check_user() {
  if (settings_.uid == 0) return {};
  return Error{.kind = ErrorKind::kPermission,
               .message = "only root can enter the node",
               .hint =
                   "run it with sudo; in a pod, the container needs 'runAsUser: 0' and "
                   "'privileged: true' in its securityContext"};
}

/// Process 1 has to be the node's: the machine's first, whatever it is (what to do on a node without
/// systemd is for others to say), or, where the node is a container itself, its systemd. In a container
/// with a PID namespace of its own it is the container's program or the pod's pause.
Status Entry::check_leader() {
  const auto ours = link_text(self_ + "/ns/pid");
  if (!ours) {
    return errno_error(errno, self_ + "/ns/pid", "cannot see the own PID namespace");
  }
  const auto theirs = link_text(leader_ + "/ns/pid");
  const int number = errno;
  std::string name = text_of(leader_ + "/comm");
  if (name.ends_with('\n')) name.pop_back();
  const bool is_shared = !theirs || *theirs == *ours;
  // systemd gives itself this name, whatever link it was started by (src/core/main.c).
  if (is_shared && (name == "systemd" || *ours == settings_.first_pid_namespace)) {
    if (theirs) return {};
    return forbidden(fmt::format("cannot inspect the namespaces of process {}", settings_.leader),
                     number);
  }
  Error error{.kind = ErrorKind::kPermission, .message = {}, .hint = kHostPid};
  error.message = "cannot enter the node: this container has a PID namespace of its own";
  if (is_shared) {
    error.message +=
        fmt::format(", where process {} is '{}'", settings_.leader, name.empty() ? "nobody" : name);
  }
  return error;
}

Status Entry::open_doors() {
  for (const Namespace& kind : kNamespaces) {
    const std::string path = fmt::format("{}/ns/{}", leader_, kind.name);
    const auto theirs = link_text(path);
    // Before Linux 4.6 there are no cgroup namespaces.
    if (!theirs && errno == ENOENT) continue;
    if (theirs && *theirs == link_text(fmt::format("{}/ns/{}", self_, kind.name))) continue;
    Door door{.kind = &kind, .fd = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC))};
    const int number = errno;
    if (!door.fd) {
      return forbidden(
          fmt::format("cannot open the {} namespace of process {}", kind.words, settings_.leader),
          number);
    }
    doors_.push_back(std::move(door));
  }
  const std::string root = leader_ + "/root";
  root_ = UniqueFd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const int number = errno;
  if (!root_) {
    return forbidden(fmt::format("cannot open the root of process {}", settings_.leader), number);
  }
  is_at_home_ = is_root_of_ours(root_.get());
  process_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, settings_.leader, 0)));
  return {};
}

/// All at once where the kernel can, so that there is no half way; since Linux 5.8.
Status Entry::go_through() {
  if (doors_.empty()) return {};
  int flags = 0;
  std::string words;
  for (const Door& door : doors_) {
    flags |= door.kind->flag;
    words += fmt::format("{}{}", words.empty() ? "" : ", ", door.kind->words);
  }
  if (!process_) return go_one_by_one();
  if (settings_.setns(process_.get(), flags) == 0) return {};
  // The older ones take a descriptor of a namespace and nothing else: EINVAL (setns(2)).
  const int number = errno;
  if (number == EINVAL) return go_one_by_one();
  return forbidden(
      fmt::format("cannot enter the namespaces of process {} ({})", settings_.leader, words),
      number);
}

Status Entry::go_one_by_one() {
  for (const Door& door : doors_) {
    if (settings_.setns(door.fd.get(), door.kind->flag) == 0) continue;
    const int number = errno;
    return forbidden(fmt::format("cannot enter the {} namespace of process {}", door.kind->words,
                                 settings_.leader),
                     number);
  }
  return {};
}

/// Root and working directory are the mount namespace's own by now. Process 1 may see less of it, and
/// where we came from a chroot only, nothing was entered: systemctl does nothing in a chroot and says
/// that all is well.
Status Entry::change_root() {
  if (::fchdir(root_.get()) == 0 && ::chroot(".") == 0 && ::chdir("/") == 0) return {};
  const int number = errno;
  return forbidden(fmt::format("cannot go to the root of process {}", settings_.leader), number);
}

/// What is in force counts, not that calls returned 0.
Status Entry::check_arrival() {
  for (const Namespace& kind : kNamespaces) {
    const auto theirs = link_text(fmt::format("{}/ns/{}", leader_, kind.name));
    if (!theirs && errno == ENOENT && kind.flag == CLONE_NEWCGROUP) continue;
    if (theirs && *theirs == link_text(fmt::format("{}/ns/{}", self_, kind.name))) continue;
    return Error{
        .kind = ErrorKind::kIo,
        .message = fmt::format("after entering the node this is not its {} namespace", kind.words),
        .hint = fmt::format("is there a /proc of the node at its '{}'?", settings_.proc)};
  }
  return {};
}

/// The container's PATH, HOME, SUDO_USER, TZ and the rest mean nothing on the node. How to write to
/// the terminal is left.
void Entry::keep_environment() {
  constexpr std::array<const char*, 2> kKept = {"TERM", "NO_COLOR"};
  std::array<std::optional<std::string>, kKept.size()> values;
  for (std::size_t i = 0; i < kKept.size(); ++i) {
    if (const char* value = std::getenv(kKept.at(i))) values.at(i) = value;
  }
  ::clearenv();
  for (std::size_t i = 0; i < kKept.size(); ++i) {
    if (values.at(i)) ::setenv(kKept.at(i), values.at(i)->c_str(), 1);
  }
}

}  // namespace

Result<bool> enter_host(const EnterSettings& settings) { return Entry(settings).run(); }

std::vector<std::string_view> capabilities_missing(std::string_view proc_status) {
  const std::string_view digits = line_of(proc_status, "CapEff");
  std::uint64_t held = 0;
  constexpr int kHexadecimal = 16;
  const auto read =
      std::from_chars(digits.data(), digits.data() + digits.size(), held, kHexadecimal);
  std::vector<std::string_view> missing;
  if (read.ec != std::errc{}) return missing;
  for (const Capability& one : kCapabilities) {
    if (((held >> one.number) & 1U) == 0) missing.push_back(one.name);
  }
  return missing;
}

bool has_seccomp_filter(std::string_view proc_status) {
  // 2 is SECCOMP_MODE_FILTER (proc(5)).
  return line_of(proc_status, "Seccomp") == "2";
}

}  // namespace kubelet_sysctl::machine
