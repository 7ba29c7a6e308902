// SPDX-License-Identifier: Apache-2.0
// Starts a program in a process group of its own, and waits for its end and its words.
#include "kubelet_sysctl/machine/run_program.hpp"

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

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/machine/log.hpp"

namespace kubelet_sysctl::machine {
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
  std::string words(base_name(command.program));
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

/// What the child needs, made before it is: it shares the memory of its parent and may call little.
struct Launch {
  const char* path;
  char* const* words;
  char* const* environment;
  std::array<int, 3> streams;
  volatile int error = 0;
};

/// The child until it is another program. All signals are blocked.
[[noreturn]] void become(Launch& launch) {
  // A group of its own, so that a Ctrl-C does not end a restart half way and a kill reaches its
  // children. One that came before waits blocked for us: ignoring a signal throws it away. Ours may
  // be ignored; the child starts as from a fresh login.
  ::setpgid(0, 0);
  struct sigaction action = {};
  for (int signal = 1; signal < NSIG; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    action.sa_handler = SIG_IGN;
    ::sigaction(signal, &action, nullptr);  // fails for those of the C library alone
    action.sa_handler = SIG_DFL;
    ::sigaction(signal, &action, nullptr);
  }
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    const int fd = launch.streams[static_cast<std::size_t>(stream)];
    const int done = fd == stream ? ::fcntl(fd, F_SETFD, 0) : ::dup2(fd, stream);
    if (done < 0) {
      launch.error = errno;
      ::_exit(127);
    }
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(launch.path, launch.words, launch.environment);
  launch.error = errno;
  ::_exit(127);
}

/// vfork(2): the parent goes on when the child has become another program or has ended.
pid_t split(Launch& launch) {
  const pid_t pid = ::vfork();
  if (pid == 0) become(launch);
  return pid;
}

/// Returns 0 or errno, and the process in `pid`.
int launch_program(const std::string& path, const Command& command,
                   const std::array<int, 3>& streams, pid_t& pid) {
  // exec does not write to these, the type says less than it could.
  std::vector<char*> words = {const_cast<char*>(path.c_str())};
  for (const std::string& word : command.arguments) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  words.push_back(nullptr);
  std::array<char*, kEnvironment.size()> environment{};
  std::transform(kEnvironment.begin(), kEnvironment.end(), environment.begin(),
                 [](const char* entry) { return const_cast<char*>(entry); });
  Launch launch{.path = path.c_str(),
                .words = words.data(),
                .environment = environment.data(),
                .streams = streams};
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  pid = split(launch);
  const int number = pid < 0 ? errno : launch.error;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid > 0 && number != 0) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  return number;
}

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

  /// True when it ended before `until`; then it is no zombie any more and ended() says how.
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
    if (reaped_) return true;
    int status = 0;
    const pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
    if (reaped == 0 || (reaped < 0 && errno == EINTR)) return false;
    if (reaped > 0 && WIFSIGNALED(status)) ended_.signal = WTERMSIG(status);
    if (reaped > 0 && WIFEXITED(status)) ended_.exit_status = WEXITSTATUS(status);
    if (reaped < 0) ended_.exit_status = 127;  // another process took it; it has ended
    reaped_ = true;
    return true;
  }

  // Until it says something or ends. Before Linux 5.3 no descriptor reports the end: its pipes do,
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
  bool reaped_ = false;
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

  bool is_over(Milliseconds patience) override {
    const SteadyTime deadline = started_ + command_.deadline;
    const SteadyTime now = std::chrono::steady_clock::now();
    return running_.wait(std::min(now + patience, deadline)) || now >= deadline;
  }

  Result<Ended> finish() override {
    finished_ = true;
    if (!running_.wait(started_ + command_.deadline)) {
      stop();
      return Error{.kind = ErrorKind::kTimeout,
                   .message = fmt::format("'{}' did not end within {} ms", words_of(command_),
                                          command_.deadline.count())};
    }
    if (is_verbose()) {
      const auto took = std::chrono::steady_clock::now() - started_;
      log(fmt::format("ran '{}': status {}, {} us", words_of(command_),
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
  number = launch_program(
      path, command, {input.read_end.get(), output.write_end.get(), errors.write_end.get()}, pid);
  if (number != 0) return cannot_run(number, command);
  return std::unique_ptr<Started>(std::make_unique<Child>(command, started, pid, output, errors));
}

Result<Ended> run(const Command& command) {
  auto child = start(command);
  if (!child) return std::move(child).error();
  return (*child)->finish();
}

}  // namespace kubelet_sysctl::machine
