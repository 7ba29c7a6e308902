// SPDX-License-Identifier: Apache-2.0
// The program: puts the real machine behind the ports and runs one command line.
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>

#include "cli.hpp"
#include "kubelet_sysctl/machine/clock.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/machine/enter_node.hpp"
#include "kubelet_sysctl/machine/http.hpp"
#include "kubelet_sysctl/machine/machine.hpp"
#include "kubelet_sysctl/machine/namespaces.hpp"
#include "kubelet_sysctl/machine/programs.hpp"
#include "kubelet_sysctl/machine/system_log.hpp"
#include "kubelet_sysctl/machine/systemctl.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace {

/// One byte more than any reader takes says that there is more.
std::string read_input() {
  constexpr std::size_t kMost = (16U << 20U) + 1;
  std::string text;
  char block[65536];
  for (std::size_t count = 0;
       text.size() < kMost && (count = std::fread(block, 1, std::size(block), stdin)) > 0;) {
    text.append(block, count);
  }
  return text;
}

/// Whether all of standard output arrived. A reader that has gone away wanted no more: no failure.
int checked_exit(int code, int write_error, bool node_was_changed) {
  if (std::fflush(stdout) != 0 && write_error == 0) write_error = errno;
  if (write_error == 0 || write_error == EPIPE) return code;
  // Not fmt::print: it throws where standard error does not take the text either.
  std::fprintf(stderr, "kubelet-sysctl: error: cannot write to standard output: %s\n",
               std::strerror(write_error));
  // Exit code 1 says that nothing was changed; where something was, that is what counts.
  return code == 0 && !node_was_changed ? 1 : code;
}

/// A file that is opened must not become standard output by its number: each one that is missing gets a
/// descriptor that fails as a closed one does.
void open_missing_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest free number, which is `fd`: those below are open.
    if (::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) std::_Exit(1);
  }
}

/// What a careless parent left open must not reach systemctl or a kubelet that this program starts.
void keep_descriptors_from_children() {
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir("/proc/self/fd"), ::closedir);
  if (!listing) return;
  while (const dirent* const entry = ::readdir(listing.get())) {
    const int fd = std::atoi(entry->d_name);
    if (fd > STDERR_FILENO) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
}

}  // namespace

int main(int argc, char** argv) {
  // What is freed of a long list goes back at once: otherwise glibc keeps ever larger pieces. Source: mallopt(3).
  ::mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  open_missing_streams();
  keep_descriptors_from_children();
  // A closed pipe must not end the program between two writes of a change.
  std::signal(SIGPIPE, SIG_IGN);
  const auto facts = kubelet_sysctl::machine::machine_facts();
  std::unique_ptr<kubelet_sysctl::machine::Disk> disk;
  kubelet_sysctl::machine::Systemctl systemctl;
  kubelet_sysctl::machine::HttpHealth health;
  kubelet_sysctl::machine::SystemClock clock;
  kubelet_sysctl::machine::JournalLog log;
  kubelet_sysctl::machine::Namespaces kernel;
  kubelet_sysctl::machine::ChildPrograms programs;
  int write_error = 0;
  kubelet_sysctl::cli::CliEnvironment host;
  host.open = [&](const std::string& root) {
    using kubelet_sysctl::machine::LinkedFiles;
    disk = std::make_unique<kubelet_sysctl::machine::Disk>(
        root, root == "/" ? LinkedFiles::kWriteInPlace : LinkedFiles::kBreak);
    return kubelet_sysctl::ports::Ports{.files = *disk,
                                        .services = systemctl,
                                        .health = health,
                                        .clock = clock,
                                        .log = log,
                                        .kernel = kernel,
                                        .programs = programs};
  };
  host.out = [&](const std::string& text) {
    const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    if (!whole && write_error == 0) write_error = errno;
  };
  host.err = [](const std::string& text) { std::fwrite(text.data(), 1, text.size(), stderr); };
  host.out_columns = facts.output_columns;
  host.err_columns = facts.error_columns;
  host.local_time = kubelet_sysctl::machine::local_rfc3339;
  host.uid = facts.uid;
  host.sudo_user = facts.sudo_user;
  host.login_uid = facts.login_uid;
  host.program = facts.program;
  host.read_input = read_input;
  host.runtime_environment = facts.runtime_environment;
  host.enter_host = [] { return kubelet_sysctl::machine::enter_host(); };
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const int code = kubelet_sysctl::cli::run_cli(arguments, host);
  return checked_exit(code, write_error, host.node_was_changed);
}
