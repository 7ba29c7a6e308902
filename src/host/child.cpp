// SPDX-License-Identifier: Apache-2.0
// Starts a program by posix_spawn(3), which glibc makes a vfork, and waits for its end and its
// words.
#include "host/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "host/fd.hpp"
#include "host/log.hpp"

namespace kubelet_sysctl {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// Where distributions keep systemctl, NixOS last. Not $PATH, and nothing a person could have put
// there.
constexpr std::array<std::string_view, 5> kDirectories = {"/usr/bin/", "/bin/", "/usr/sbin/",
                                                          "/sbin/", "/run/current-system/sw/bin/"};

// systemd's programs neither page nor colour, and say what the references say in every locale.
// Without SYSTEMD_IGNORE_CHROOT, for in a chroot they must refuse.
constexpr std::array<const char*, 6> kEnvironment = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL=C.UTF-8",
    "SYSTEMD_COLORS=0",
    "SYSTEMD_PAGER=",
    "SYSTEMD_URLIFY=0",
    nullptr};

std::string path_of(const std::string& program) {
  if (program.find('/') != std::string::npos) return program;
  for (const std::string_view directory : kDirectories) {
    std::string path = std::string(directory) + program;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

/// "systemctl show kubelet.service", for messages.
std::string words_of(const Command& command) {
  std::string words = command.program.substr(command.program.rfind('/') + 1);
  for (const std::string& argument : command.arguments) words += " " + argument;
  return words;
}

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

int open_pipe(Pipe& pipe) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno;
  pipe.read_end = UniqueFd(ends[0]);
  pipe.write_end = UniqueFd(ends[1]);
  return ::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
}

/// How the child starts: its descriptors, its signals, its process group.
class Start {
 public:
  Start() {
    posix_spawn_file_actions_init(&files_);
    posix_spawnattr_init(&attributes_);
  }
  Start(const Start&) = delete;
  Start& operator=(const Start&) = delete;
  ~Start() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }

  /// Returns 0 or errno, and the process in `pid`.
  int go(const std::string& path, const Command& command, const std::array<int, 3>& streams,
         pid_t& pid) {
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
      const int fd = streams[static_cast<std::size_t>(stream)];
      posix_spawn_file_actions_adddup2(&files_, fd, stream);
    }
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    // Ours may be blocked or ignored; the child starts as from a fresh login. A group of its own,
    // so that a Ctrl-C does not end a restart half way and a kill reaches its children.
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    // exec does not write to these, the type says less than it could.
    std::vector<char*> words = {const_cast<char*>(path.c_str())};
    for (const std::string& word : command.arguments) {
      words.push_back(const_cast<char*>(word.c_str()));
    }
    words.push_back(nullptr);
    std::array<char*, kEnvironment.size()> environment{};
    std::transform(kEnvironment.begin(), kEnvironment.end(), environment.begin(),
                   [](const char* entry) { return const_cast<char*>(entry); });
    return posix_spawn(&pid, path.c_str(), &files_, &attributes_, words.data(), environment.data());
  }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

/// Reads what is there now, keeps at most `most` bytes, and closes the pipe at its end.
void drain(UniqueFd& pipe, std::string& text, std::size_t most) {
  std::array<char, 16384> buffer;  // NOLINT: read(2) fills it
  while (pipe) {
    const ssize_t got = ::read(pipe.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return pipe.reset();
    text.append(buffer.data(), std::min(static_cast<std::size_t>(got), most - text.size()));
  }
}

class Running {
 public:
  Running(pid_t pid, UniqueFd output, UniqueFd errors, std::size_t most)
      : pid_(pid),
        output_(std::move(output)),
        errors_(std::move(errors)),
        process_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))),
        most_(most) {}

  /// True when it ended before `until`; then it is no zombie any more and ended() tells how.
  bool wait(SteadyTime until) {
    while (!reap()) {
      const std::chrono::nanoseconds left = until - std::chrono::steady_clock::now();
      if (left <= left.zero()) return false;
      pause(left);
      drain(output_, ended_.output, most_);
      drain(errors_, ended_.errors, most_);
    }
    // What it wrote last. A child of its own may hold the pipes open still: not waited for.
    drain(output_, ended_.output, most_);
    drain(errors_, ended_.errors, most_);
    return true;
  }

  void kill() const { ::kill(-pid_, SIGKILL); }
  Ended& ended() { return ended_; }

 private:
  bool reap() {
    int status = 0;
    const pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
    if (reaped == 0 || (reaped < 0 && errno == EINTR)) return false;
    if (reaped > 0 && WIFSIGNALED(status)) ended_.signal = WTERMSIG(status);
    if (reaped > 0 && WIFEXITED(status)) ended_.exit_status = WEXITSTATUS(status);
    if (reaped < 0) ended_.exit_status = 127;  // somebody else took it; it has ended
    return true;
  }

  // Until it says something or ends. Before Linux 5.3 no descriptor tells of the end: its pipes do,
  // and from then on short steps.
  void pause(std::chrono::nanoseconds left) {
    constexpr std::chrono::nanoseconds kStep = std::chrono::microseconds(500);
    constexpr std::chrono::nanoseconds kLook = Milliseconds(20);
    if (!process_) left = std::min(left, output_ || errors_ ? kLook : kStep);
    std::array<pollfd, 3> events = {pollfd{.fd = output_.get(), .events = POLLIN, .revents = 0},
                                    pollfd{.fd = errors_.get(), .events = POLLIN, .revents = 0},
                                    pollfd{.fd = process_.get(), .events = POLLIN, .revents = 0}};
    timespec time = {};
    time.tv_sec = left / std::chrono::seconds(1);
    time.tv_nsec = (left % std::chrono::seconds(1)).count();
    ::ppoll(events.data(), events.size(), &time, nullptr);
  }

  pid_t pid_;
  UniqueFd output_;
  UniqueFd errors_;
  UniqueFd process_;
  std::size_t most_;
  Ended ended_;
};

// With SIGCHLD ignored, as some launchers leave it, children vanish without a status (waitpid(2)).
void let_children_be_waited_for() {
  struct sigaction action = {};
  if (::sigaction(SIGCHLD, nullptr, &action) != 0 || action.sa_handler != SIG_IGN) return;
  action.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &action, nullptr);
}

Error cannot_run(int number, const Command& command) {
  Error error = errno_error(number, {}, fmt::format("cannot run '{}'", command.program));
  if (number == ENOENT) error.kind = ErrorKind::kNotFound;
  return error;
}

/// The end of a started program, waited for until its deadline.
class Child final : public Started {
 public:
  Child(const Command& command, SteadyTime started, pid_t pid, Pipe& output, Pipe& errors)
      : command_(command),
        started_(started),
        running_(pid, std::move(output.read_end), std::move(errors.read_end), command.most_output) {
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() override {
    if (!finished_) stop();
  }

  Result<Ended> finish() override {
    finished_ = true;
    if (!running_.wait(started_ + command_.deadline)) {
      stop();
      return Error{.kind = ErrorKind::kTimeout,
                   .message = fmt::format("'{}' did not end within {} ms", words_of(command_),
                                          command_.deadline.count())};
    }
    if (log_wants(LogLevel::kSteps)) {
      const auto took = std::chrono::steady_clock::now() - started_;
      log(LogLevel::kSteps,
          fmt::format("ran '{}': status {}, {} us", words_of(command_),
                      running_.ended().exit_status,
                      std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
    }
    return std::move(running_.ended());
  }

 private:
  void stop() {
    running_.kill();
    // One that hangs in the kernel outlives even that; it is not worth waiting for.
    constexpr auto kGrace = std::chrono::seconds(2);
    running_.wait(std::chrono::steady_clock::now() + kGrace);
  }

  Command command_;
  SteadyTime started_;
  Running running_;
  bool finished_ = false;
};

}  // namespace

Result<std::unique_ptr<Started>> start(const Command& command) {
  const SteadyTime started = std::chrono::steady_clock::now();
  const std::string path = path_of(command.program);
  if (path.empty()) return cannot_run(ENOENT, command);
  let_children_be_waited_for();
  // An empty pipe is as good as /dev/null and is there in a chroot without devices too.
  Pipe input;
  Pipe output;
  Pipe errors;
  int number = open_pipe(input);
  if (number == 0) number = open_pipe(output);
  if (number == 0) number = open_pipe(errors);
  if (number != 0) return cannot_run(number, command);
  input.write_end.reset();
  pid_t pid = 0;
  number = Start().go(path, command,
                      {input.read_end.get(), output.write_end.get(), errors.write_end.get()}, pid);
  if (number != 0) return cannot_run(number, command);
  return std::unique_ptr<Started>(std::make_unique<Child>(command, started, pid, output, errors));
}

Result<Ended> run(const Command& command) {
  auto child = start(command);
  if (!child) return std::move(child).error();
  return (*child)->finish();
}

}  // namespace kubelet_sysctl
