// SPDX-License-Identifier: Apache-2.0
// Runs systemctl, systemd-run and journalctl, and distinguishes why they refuse.
#include "kubelet_sysctl/machine/systemctl.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/machine/run_program.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "systemctl_output.hpp"

namespace kubelet_sysctl::machine {
namespace {

// As long as a call over D-Bus may take (sd_bus_call(3)), and a little for systemctl itself.
constexpr Milliseconds kAnswerDeadline{30'000};
constexpr Milliseconds kFreshAnswer{200};
constexpr Milliseconds kLoopStep{500};
constexpr Milliseconds kAskStep{50};
constexpr std::int64_t kMilliseconds = 1000;

bool has(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

/// Once more where a signal ended it: a person or the kernel short of memory, which says nothing of
/// what was asked. Whatever is asked so may be asked twice.
Result<Ended> asked_again(Result<Ended> ended, const Command& command) {
  return ended && ended->signal != 0 ? run(command) : std::move(ended);
}

/// What a program said on standard error, on one line.
std::string words_of(const std::string& errors) {
  std::string words;
  for (const std::string_view line : lines_of(errors)) {
    if (!line.empty()) words += (words.empty() ? "" : "; ") + std::string(line);
  }
  return words;
}

// The texts were measured on systemd 219 to 257, those of systemd-run on 252.
ErrorKind kind_of(const Ended& ended) {
  const std::string_view errors = ended.errors;
  if (has(errors, "not been booted with systemd") || has(errors, "Running in chroot")) {
    return ErrorKind::kNoSystemd;
  }
  if (has(errors, "authentication required") || has(errors, "Access denied") ||
      has(errors, "Permission denied")) {
    return ErrorKind::kPermission;
  }
  if (has(errors, "Failed to connect to bus") || has(errors, "Failed to get D-Bus connection")) {
    return ErrorKind::kNoSystemd;
  }
  constexpr int kNotFound = 5;
  if (ended.exit_status == kNotFound || has(errors, "not loaded")) return ErrorKind::kNotFound;
  return ErrorKind::kIo;
}

std::string hint_of(const Ended& ended, ErrorKind kind) {
  if (has(ended.errors, "Running in chroot")) {
    return "systemctl does nothing in a chroot: run it on the node itself, or use --root";
  }
  if (kind == ErrorKind::kNoSystemd) return "run it where systemd is process 1, or use --root";
  if (kind == ErrorKind::kPermission) return "run it as root";
  if (has(ended.errors, "attempted too often") || has(ended.errors, "repeated too quickly")) {
    return "clear the start limit with 'systemctl reset-failed', then start the unit";
  }
  return {};
}

/// `what`: "systemctl restart".
Error refusal(const Ended& ended, std::string_view what) {
  const ErrorKind kind = kind_of(ended);
  std::string how = words_of(ended.errors);
  if (how.empty() && ended.signal != 0) how = fmt::format("killed by signal {}", ended.signal);
  if (how.empty()) how = fmt::format("exit status {}", ended.exit_status);
  return Error{.kind = kind,
               .message = fmt::format("{} failed: {}", what, how),
               .hint = hint_of(ended, kind)};
}

// systemctl would take a pattern for many units, and complete a name that has no type.
Status check_unit_name(const std::string& unit) {
  constexpr std::string_view kSigns = ":-_.\\@";  // unit-name.c, VALID_CHARS
  const auto is_valid = [&](char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || kSigns.find(byte) != std::string_view::npos;
  };
  if (!unit.empty() && std::all_of(unit.begin(), unit.end(), is_valid)) return {};
  return Error{.kind = ErrorKind::kUsage, .message = fmt::format("'{}' is no unit name", unit)};
}

// The manager puts variables into the words of a service that systemd-run makes, as in ExecStart=
// (systemd.service(5)); it escapes '%' itself.
std::string without_variables(const std::string& word) {
  std::string text;
  for (const char byte : word) text.append(byte == '$' ? 2 : 1, byte);
  return text;
}

/// One message may be several lines.
std::vector<std::string> last_lines_of(const std::string& text, int most) {
  const auto lines = lines_of(text);
  const std::size_t kept = std::min(lines.size(), static_cast<std::size_t>(std::max(most, 0)));
  return {lines.end() - static_cast<std::ptrdiff_t>(kept), lines.end()};
}

/// "1795215446.123456 node-1 k3s[812]: the message": the first such line with `mark` in its message. Source:
/// journalctl(1), short-unix.
std::optional<ports::LoggedLine> line_with(std::string_view output, std::string_view mark) {
  for (const std::string_view line : lines_of(output)) {
    if (!has(line, mark)) continue;
    const std::size_t dot = line.find('.');
    const std::size_t message = line.find(": ");
    std::int64_t seconds = 0;
    std::int64_t thousandths = 0;
    if (dot == std::string_view::npos || message == std::string_view::npos ||
        dot + 4 > line.size()) {
      continue;
    }
    const char* begin = line.data();
    const auto whole = std::from_chars(begin, begin + dot, seconds);
    const auto part = std::from_chars(begin + dot + 1, begin + dot + 4, thousandths);
    if (whole.ec != std::errc() || part.ec != std::errc()) continue;
    return ports::LoggedLine{.at_ms = seconds * kMilliseconds + thousandths,
                             .text = std::string(line.substr(message + 2))};
  }
  return std::nullopt;
}

}  // namespace

bool Systemctl::booted() {
  struct stat facts = {};
  return ::lstat(paths_.booted.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

Error Systemctl::not_booted() const {
  return Error{.kind = ErrorKind::kNoSystemd,
               .message = fmt::format("this machine was not booted with systemd: '{}' is missing",
                                      paths_.booted),
               .hint = "run it on the node itself; on a mounted image use --root"};
}

Result<Ended> Systemctl::ask(std::vector<std::string> arguments, Milliseconds deadline) {
  if (!booted()) return not_booted();
  const std::string what = "systemctl " + arguments.front();
  const Command command = {
      .program = paths_.systemctl, .arguments = std::move(arguments), .deadline = deadline};
  return settled(asked_again(run(command), command), what);
}

Result<Ended> Systemctl::settled(Result<Ended> ended, const std::string& what) {
  if (!ended) {
    Error error = std::move(ended).error();
    if (error.kind == ErrorKind::kNotFound) error.kind = ErrorKind::kNoSystemd;
    return error;
  }
  // In a chroot it prints this, does nothing and exits with 0.
  const bool ignored = has(ended->errors, "Running in chroot, ignoring");
  if (ended->exit_status != 0 || ended->signal != 0 || ignored) return refusal(*ended, what);
  return ended;
}

Command Systemctl::show_command(const std::string& unit) const {
  // StartLimitInterval is the name of 229; a name that a version does not know costs nothing.
  return {
      .program = paths_.systemctl,
      .arguments = {"show", "-p",
                    "Id,LoadState,LoadError,ActiveState,SubState,Result,Type,FragmentPath,"
                    "DropInPaths,ControlGroup,InvocationID,MainPID,NRestarts,ExecMainStatus,"
                    "RestartUSec,StartLimitIntervalUSec,StartLimitInterval,StartLimitBurst,"
                    "ExecMainStartTimestampMonotonic,NeedDaemonReload,Job,ExecStart,Environment,"
                    "EnvironmentFiles",
                    "--", unit},
      .deadline = kAnswerDeadline};
}

void Systemctl::begin_show(const std::string& unit) {
  // A caller may ask earlier than the reading that needs the answer. One that was asked for longer
  // ago, by a reading that failed say, may be from before another process's restart.
  if (asked_ && asked_unit_ == unit &&
      std::chrono::steady_clock::now() - asked_at_ <= kFreshAnswer) {
    return;
  }
  asked_.reset();
  if (!booted() || !check_unit_name(unit)) return;  // show() says so
  auto started = start(show_command(unit));
  if (!started) return;  // show() tries again and says why
  asked_ = std::move(*started);
  asked_unit_ = unit;
  asked_at_ = std::chrono::steady_clock::now();
}

Result<ports::UnitState> Systemctl::show(const std::string& unit) {
  auto valid = check_unit_name(unit);
  if (!valid) return std::move(valid).error();
  if (!booted()) return not_booted();
  const std::unique_ptr<Started> asked =
      asked_unit_ == unit ? std::move(asked_) : std::unique_ptr<Started>();
  const Command command = show_command(unit);
  auto ended =
      settled(asked_again(asked ? asked->finish() : run(command), command), "systemctl show");
  if (!ended) return std::move(ended).error();
  return parse_show(ended->output);
}

std::optional<int> Systemctl::version() {
  std::string maps;
  constexpr std::size_t kMost = 4U << 20U;
  const UniqueFd fd(::open(paths_.maps_of_manager.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd && read_to_end(fd.get(), 0, kMost, maps) == 0) {
    const auto found = systemd_version_in_maps(maps);
    if (found) return found;
  }
  const auto ended =
      run({.program = paths_.systemctl, .arguments = {"--version"}, .deadline = kAnswerDeadline});
  if (!ended || ended->exit_status != 0) return std::nullopt;
  return parse_version(ended->output);
}

Result<std::vector<std::string>> Systemctl::environment() {
  auto ended = ask({"show-environment"}, kAnswerDeadline);
  if (!ended) return std::move(ended).error();
  return parse_environment_block(ended->output);
}

Status Systemctl::reload(Milliseconds deadline) {
  auto ended = ask({"daemon-reload", "--no-ask-password"}, deadline);
  if (!ended) return std::move(ended).error();
  return {};
}

Status Systemctl::restart(const std::string& unit, Milliseconds deadline,
                          const std::function<bool()>& goes_on) {
  auto valid = check_unit_name(unit);
  if (!valid) return valid;
  if (!booted()) return not_booted();
  auto asked = start({.program = paths_.systemctl,
                      .arguments = {"restart", "--no-ask-password", "--", unit},
                      .deadline = deadline});
  if (!asked) return settled(std::move(asked).error(), "systemctl restart").error();
  // With RestartMode=direct a unit that ends again and again never fails, and systemctl waits for ever.
  // Source: systemd.service(5); measured with 262.
  std::int64_t fewest = std::numeric_limits<std::int64_t>::max();
  TimePoint shown = std::chrono::steady_clock::now();
  while (!(*asked)->is_over(kAskStep)) {
    if (goes_on && !goes_on()) {
      return Error{.kind = ErrorKind::kInterrupted,
                   .message = "a signal ended the wait for the restart"};
    }
    if (std::chrono::steady_clock::now() - shown < kLoopStep) continue;
    shown = std::chrono::steady_clock::now();
    const auto state = show(unit);
    if (!state) continue;  // it says nothing of the restart
    fewest = std::min(fewest, state->restarts);
    // Who asked for the restart sees what became of it.
    if (state->restarts > fewest) return {};
  }
  auto ended = settled((*asked)->finish(), "systemctl restart");
  if (!ended) return std::move(ended).error();
  return {};
}

Status Systemctl::change(const std::string& verb, const std::string& unit) {
  auto valid = check_unit_name(unit);
  if (!valid) return valid;
  std::vector<std::string> arguments = {verb, "--no-ask-password"};
  if (verb != "reset-failed" && verb != "stop") {
    // Both only make or remove links in /etc, which the next boot reads: a reload of every unit
    // would cost a hundred times as much.
    arguments.insert(arguments.end(), {"--quiet", "--no-reload"});
  }
  arguments.insert(arguments.end(), {"--", unit});
  auto ended = ask(std::move(arguments), kAnswerDeadline);
  if (!ended) return std::move(ended).error();
  return {};
}

Status Systemctl::reset_failed(const std::string& unit) { return change("reset-failed", unit); }

Status Systemctl::enable(const std::string& unit) { return change("enable", unit); }

Status Systemctl::disable(const std::string& unit) {
  auto disabled = change("disable", unit);
  // Neither a file nor a link to one: there is nothing to disable.
  if (!disabled && has(disabled.error().message, "does not exist")) return {};
  return disabled;
}

Status Systemctl::arm_timer(const std::string& unit, const std::string& description,
                            Milliseconds delay, const std::vector<std::string>& command) {
  auto valid = check_unit_name(unit);
  if (!valid) return valid;
  if (!booted()) return not_booted();
  // Restart=no is the default: only this exit code starts it again. --collect: a command that fails
  // must not leave its unit behind. --on-active goes on counting over a daemon-reload.
  std::vector<std::string> arguments = {"--quiet",
                                        "--no-ask-password",
                                        "--collect",
                                        fmt::format("--on-active={}ms", delay.count()),
                                        "--timer-property=AccuracySec=1s",
                                        "--unit=" + unit,
                                        "--description=" + description,
                                        "--property=RestartForceExitStatus=7",
                                        "--property=RestartSec=30",
                                        "--"};
  for (const std::string& word : command) arguments.push_back(without_variables(word));
  auto ended = settled(run({.program = paths_.systemd_run,
                            .arguments = std::move(arguments),
                            .deadline = kAnswerDeadline}),
                       "systemd-run");
  if (!ended) return std::move(ended).error();
  return {};
}

Status Systemctl::disarm_timer(const std::string& unit) {
  auto stopped = change("stop", unit + ".timer");
  if (!stopped && stopped.error().kind == ErrorKind::kNotFound) return {};
  return stopped;
}

Result<std::vector<std::string>> Systemctl::last_words(const std::string& unit,
                                                       const std::string& invocation,
                                                       std::int64_t since_ms, int lines) {
  auto valid = check_unit_name(unit);
  if (!valid) return std::move(valid).error();
  std::vector<std::string> arguments = {"--no-pager", "--quiet", "--output=cat", "--lines",
                                        fmt::format("{}", lines)};
  // journald sets the fields that begin with "_" itself from the process's control group,
  // systemd.journal-fields(7); the manager's own lines about the unit do not have them.
  if (!invocation.empty()) {
    arguments.insert(arguments.end(), {"--unit", unit, "_SYSTEMD_INVOCATION_ID=" + invocation});
  } else if (since_ms > 0) {
    arguments.insert(arguments.end(), {fmt::format("--since=@{}.{:03}", since_ms / kMilliseconds,
                                                   since_ms % kMilliseconds),
                                       "_SYSTEMD_UNIT=" + unit});
  } else {
    arguments.insert(arguments.end(), {"--unit", unit});
  }
  auto said = journal(std::move(arguments));
  if (!said) return std::move(said).error();
  return last_lines_of(*said, lines);
}

Result<std::string> Systemctl::journal(std::vector<std::string> arguments) {
  auto ended = run({.program = paths_.journalctl,
                    .arguments = std::move(arguments),
                    .deadline = kAnswerDeadline});
  if (!ended && ended.error().kind == ErrorKind::kNotFound) return std::string();
  if (!ended) return std::move(ended).error();
  if (ended->exit_status != 0 || ended->signal != 0) {
    if (has(ended->errors, "No journal files")) return std::string();
    return Error{.kind = ErrorKind::kIo,
                 .message = fmt::format("journalctl failed: {}", words_of(ended->errors))};
  }
  return std::move(ended->output);
}

Result<std::optional<ports::LoggedLine>> Systemctl::first_line_with(const std::string& unit,
                                                                    const std::string& invocation,
                                                                    const std::string& mark,
                                                                    std::int64_t since_ms) {
  auto valid = check_unit_name(unit);
  if (!valid) return std::move(valid).error();
  constexpr std::int64_t kSpan = 900;
  const std::int64_t since = since_ms / kMilliseconds;
  // Oldest first, and run() keeps the beginning: the line is there.
  std::vector<std::string> arguments = {"--no-pager",
                                        "--quiet",
                                        "--all",
                                        "--output=short-unix",
                                        "--unit",
                                        unit,
                                        fmt::format("--since=@{}", since),
                                        fmt::format("--until=@{}", since + kSpan)};
  if (!invocation.empty()) arguments.push_back("_SYSTEMD_INVOCATION_ID=" + invocation);
  auto said = journal(std::move(arguments));
  if (!said) return std::move(said).error();
  return line_with(*said, mark);
}

}  // namespace kubelet_sysctl::machine
