// SPDX-License-Identifier: Apache-2.0
// Asks the kernel and the environment who runs the program.
#include "kubelet_sysctl/machine/machine.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/machine/runtime_environment.hpp"

namespace kubelet_sysctl::machine {
namespace {

std::optional<std::uint32_t> login_uid() {
  const UniqueFd fd(::open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC));
  std::string text;
  constexpr std::size_t kMost = 16;
  if (!fd || read_to_end(fd.get(), 0, kMost, text) != 0) return std::nullopt;
  std::uint32_t uid = 0;
  const auto [stopped, fault] = std::from_chars(text.data(), text.data() + text.size(), uid);
  // All bits set: nobody has logged in (audit_setloginuid(3)).
  if (fault != std::errc{} || uid == std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return uid;
}

/// The environment is the caller's to write, and this name ends in records and logs: what no user can be
/// called is left out. Source: useradd(8), NAME_REGEX of adduser(8); "DOMAIN\\user" of winbind.
std::string sudo_user() {
  constexpr std::size_t kMost = 256;  // LOGIN_NAME_MAX
  static constexpr std::string_view kOther = "._-@$\\+";
  const char* value = std::getenv("SUDO_USER");
  const std::string_view name = value == nullptr ? "" : value;
  const bool plain = std::all_of(name.begin(), name.end(), [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || kOther.find(byte) != std::string_view::npos;
  });
  return plain && name.size() < kMost ? std::string(name) : std::string();
}

std::string program_path() {
  std::array<char, 4096> text{};
  const ssize_t size = ::readlink("/proc/self/exe", text.data(), text.size());
  if (size <= 0 || static_cast<std::size_t>(size) == text.size()) return {};
  std::string path(text.data(), static_cast<std::size_t>(size));
  // Another program was installed at the name since this one started (proc(5)): that one, then.
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
  return path;
}

/// Source: kubernetes.io/docs/tutorials/services/connect-applications-service: every pod has this variable.
/// Fargate of ECS names itself (AWS_EXECUTION_ENV); that of EKS has no mark of its own.
RuntimeEnvironment runtime_environment() {
  const char* execution = std::getenv("AWS_EXECUTION_ENV");
  const std::string_view name = execution == nullptr ? "" : execution;
  if (name.find("FARGATE") != std::string_view::npos) return RuntimeEnvironment::kFargate;
  const bool pod = std::getenv("KUBERNETES_SERVICE_HOST") != nullptr;
  return pod ? RuntimeEnvironment::kPod : RuntimeEnvironment::kMachine;
}

/// The width of a terminal: 80 where it does not say, a serial line for one; 0 for what is no terminal.
std::size_t columns_of(int fd) {
  constexpr std::size_t kUsual = 80;
  if (::isatty(fd) != 1) return 0;
  winsize size = {};
  const bool known = ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kUsual;
}

}  // namespace

MachineFacts machine_facts() {
  MachineFacts facts;
  facts.uid = ::geteuid();
  facts.sudo_user = sudo_user();
  facts.login_uid = login_uid();
  facts.runtime_environment = runtime_environment();
  facts.program = program_path();
  facts.output_columns = columns_of(STDOUT_FILENO);
  facts.error_columns = columns_of(STDERR_FILENO);
  return facts;
}

}  // namespace kubelet_sysctl::machine
