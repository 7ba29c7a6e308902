// SPDX-License-Identifier: Apache-2.0
// A forked child leaves the network and IPC namespaces of the node, looks below /proc/sys and says
// what it saw through a pipe.
//
// The kernel looks sysctls up in the namespaces of the task that asks, so one /proc serves both
// (fs/proc/proc_sysctl.c, struct ctl_table_root). On the node names are only listed. In the fresh
// namespaces each one is opened for writing and closed again: the answer is that of the open alone,
// which calls no handler of the sysctl, and root's capabilities do not help there
// (proc_sys_permission()). A mount that is read-only answers EROFS, but only after the sysctl
// itself has allowed it (do_open() in fs/namei.c): the runtime mounts /proc for itself, so that
// counts as writable.
//
// In a user namespace nothing is asked: the kernel keeps a part of its sysctls from network
// namespaces that belong to one ("don't export any sysctls to unprivileged users",
// net/core/sysctl_net_core.c, net/ipv6/route.c, net/xfrm/xfrm_sysctl.c, and more in older kernels);
// on Linux 6.18 14 names that pods have are absent there. So who may not make the namespaces
// without a user namespace gets no answer.
#include "kubelet_sysctl/machine/namespaces.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "kernel_view.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/clock.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/machine/log.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"

namespace kubelet_sysctl::machine {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// Inode of the first user namespace. Source: PROC_USER_INIT_INO, include/linux/proc_ns.h.
constexpr ino_t kFirstUserNamespaceInode = 0xEFFFFFFDU;

// What the child says, one line each: a mark, then the name below /proc/sys as a path. Neither
// names of sysctls nor those of interfaces hold a line end (dev_valid_name(), net/core/dev.c).
constexpr char kOnNode = 'n';
constexpr char kWritable = 'w';
constexpr char kReadOnly = 'r';
constexpr char kFault = 'f';    // then errno, a blank and the name
constexpr char kFailure = '!';  // then why nothing was asked
constexpr std::string_view kEnd = ".\n";

/// The child's side: looks, and keeps the lines.
class KernelReader {
 public:
  explicit KernelReader(int proc_sys) : proc_sys_(proc_sys) {}
  [[nodiscard]] const std::string& lines() const { return lines_; }

  void say(char mark, std::string_view text) { lines_ += fmt::format("{}{}\n", mark, text); }

  void ask_on_node(const std::string& path) {
    struct stat facts = {};
    // A directory, as net/core, is no sysctl.
    const bool there = ::fstatat(proc_sys_, path.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && S_ISREG(facts.st_mode)) say(kOnNode, path);
  }

  void ask_as_pod(const std::string& path) {
    const UniqueFd file(::openat(proc_sys_, path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    const int number = errno;
    if (file || number == EROFS) return say(kWritable, path);
    if (number == ENOENT || number == ENOTDIR || number == EISDIR || number == ENAMETOOLONG) return;
    // Without write bits it is the sysctl that refuses, with them something else does.
    struct stat facts = {};
    const bool refused = number == EACCES || number == EPERM;
    if (refused && ::fstatat(proc_sys_, path.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
        (facts.st_mode & 0222U) == 0) {
      return say(kReadOnly, path);
    }
    say(kFault, fmt::format("{} {}", number, path));
  }

  /// Every file whose path begins with `stem`, "net/core/" or "net/ipv4/tcp_".
  void walk(const std::string& stem, bool on_node) {
    const std::size_t slash = stem.rfind('/');
    walk(stem.substr(0, slash), stem.substr(slash + 1), on_node);
  }

 private:
  void walk(const std::string& directory, std::string_view prefix, bool on_node) {
    const int fd = ::openat(proc_sys_, directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(fd), ::closedir);
    if (!entries) return;
    const bool interfaces = on_node && holds_interfaces(swap_separators(directory));
    while (const dirent* entry = ::readdir(entries.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == ".." || !name.starts_with(prefix)) continue;
      const std::string path = fmt::format("{}/{}", directory, name);
      if (entry->d_type != DT_DIR) {
        on_node ? say(kOnNode, path) : ask_as_pod(path);
      } else if (!interfaces || is_in_every_namespace(name)) {
        walk(path, {}, on_node);
      }
    }
  }

  int proc_sys_;
  std::string lines_;
};

/// What the child does; nothing of it may change the node.
void look(const KernelQuestion& question, const NamespaceSettings& settings, KernelReader& reader) {
  for (const std::string& marker : question.markers) reader.ask_on_node(swap_separators(marker));
  for (const std::string& name : question.names) reader.ask_on_node(swap_separators(name));
  for (const std::string& stem : question.stems) reader.walk(swap_separators(stem), true);
  if (settings.unshare(CLONE_NEWNET | CLONE_NEWIPC) != 0) {
    return reader.say(
        kFailure, fmt::format("cannot make a network and an IPC namespace: {}", errno_text(errno)));
  }
  for (const std::string& name : question.names) reader.ask_as_pod(swap_separators(name));
  for (const std::string& stem : question.stems) reader.walk(swap_separators(stem), false);
}

// The program has one thread, so the child may allocate; it ends without running what exit(3) runs.
[[noreturn]] void be_child(const KernelQuestion& question, const NamespaceSettings& settings,
                           int proc_sys, int answer) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  KernelReader reader(proc_sys);
  look(question, settings, reader);
  std::string lines = reader.lines();
  lines += kEnd;
  for (std::string_view rest = lines; !rest.empty();) {
    const ssize_t wrote = ::write(answer, rest.data(), rest.size());
    if (wrote < 0 && errno != EINTR) ::_exit(1);
    if (wrote > 0) rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
  ::_exit(0);
}

/// Reads to the end of the pipe; false when that had not come by `until`.
bool read_until(int fd, SteadyTime until, std::string& text) {
  std::array<char, 16384> buffer;  // NOLINT: read(2) fills it
  for (;;) {
    const auto left = std::chrono::ceil<Milliseconds>(until - std::chrono::steady_clock::now());
    if (left <= Milliseconds::zero()) return false;
    pollfd event = {.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&event, 1, static_cast<int>(left.count())) <= 0) continue;
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

/// Ends the child, if it has not ended, and leaves no zombie unless it hangs in the kernel.
void end(pid_t child) {
  constexpr auto kGrace = std::chrono::seconds(2);
  ::kill(child, SIGKILL);
  SystemClock clock;
  clock.wait_until(clock.now() + kGrace, child);
  ::waitpid(child, nullptr, WNOHANG);
}

/// Everything the child said; else why there is nothing.
Result<std::string> answer_of_child(const KernelQuestion& question,
                                    const NamespaceSettings& settings, int proc_sys) {
  const SteadyTime started = std::chrono::steady_clock::now();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return errno_error(errno, {}, "cannot make a pipe");
  }
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return errno_error(errno, {}, "cannot start a process");
  if (child == 0) be_child(question, settings, proc_sys, write_end.get());
  write_end.reset();
  std::string text;
  if (!read_until(read_end.get(), started + settings.deadline, text)) {
    end(child);
    return Error{.kind = ErrorKind::kTimeout,
                 .message = fmt::format("the kernel did not answer within {} ms",
                                        settings.deadline.count())};
  }
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
  if (is_verbose()) {
    const auto took = std::chrono::steady_clock::now() - started;
    log(fmt::format("asked the kernel in fresh namespaces: {} us",
                    std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  }
  if (text.ends_with(kEnd)) return text;
  return Error{.message = "the process in fresh namespaces ended without an answer"};
}

void read_line(std::string_view line, KernelView& view) {
  const char mark = line.front();
  line.remove_prefix(1);
  if (mark == kFault) {
    const std::size_t blank = line.find(' ');
    const std::string name = swap_separators(line.substr(blank + 1));
    const int number = std::stoi(std::string(line.substr(0, blank)));
    view.pod[name] = sysctl::KernelState::kUnknown;
    view.faults[name] = fmt::format("cannot open it for writing: {}", errno_text(number));
  } else if (mark == kOnNode) {
    view.node.insert(swap_separators(line));
  } else if (mark == kWritable || mark == kReadOnly) {
    view.pod[swap_separators(line)] =
        mark == kWritable ? sysctl::KernelState::kWritable : sysctl::KernelState::kReadOnly;
  }
}

Result<KernelView> view_from(std::string_view text) {
  KernelView view;
  while (text != kEnd) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (line.front() == kFailure) return Error{.message = std::string(line.substr(1))};
    read_line(line, view);
    text.remove_prefix(end + 1);
  }
  return view;
}

Result<KernelView> seen_in_fresh_namespaces(const KernelQuestion& question,
                                            const NamespaceSettings& settings) {
  const std::string proc_sys = settings.proc + "/sys";
  const UniqueFd directory(::open(proc_sys.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct statfs file_system = {};
  if (!directory || ::fstatfs(directory.get(), &file_system) != 0 ||
      file_system.f_type != PROC_SUPER_MAGIC) {
    return Error{.message = fmt::format("'{}' is not there", proc_sys)};
  }
  struct stat user_namespace = {};
  const std::string user = settings.proc + "/self/ns/user";
  if (::stat(user.c_str(), &user_namespace) != 0 ||
      user_namespace.st_ino != kFirstUserNamespaceInode) {
    return Error{.message = "in a user namespace the kernel hides sysctls that pods have"};
  }
  auto text = answer_of_child(question, settings, directory.get());
  if (!text) return std::move(text).error();
  return view_from(*text);
}

}  // namespace

sysctl::KernelReport Namespaces::ask(const std::vector<std::string>& entries) {
  sysctl::KernelReport report{.release = release(), .asked = true};
  const KernelQuestion question = question_for(entries);
  KernelView view;
  if (!question.names.empty() || !question.stems.empty()) {
    auto seen = seen_in_fresh_namespaces(question, settings_);
    report.asked = static_cast<bool>(seen);
    if (seen) view = std::move(*seen);
    if (!seen) report.why = seen.error().message;
  }
  if (report.asked) {
    report.answers = answers_from(std::move(view), entries);
    return report;
  }
  for (const std::string& entry : entries) {
    report.answers.push_back({.entry = entry, .why = report.why});
  }
  return report;
}

std::string Namespaces::release() {
  utsname names = {};
  return ::uname(&names) == 0 ? std::string(names.release) : std::string();
}

}  // namespace kubelet_sysctl::machine
