// SPDX-License-Identifier: Apache-2.0
// The narrow places where the program meets the machine; tests put other things behind them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"

namespace kubelet_sysctl::ports {

enum class EntryKind { kFile, kDirectory, kSymlink, kFifo, kOther };

/// One name in a directory, as lstat sees it.
struct DirEntry {
  std::string name;
  EntryKind kind = EntryKind::kFile;
  std::string target = {};    ///< of a symbolic link, as stored
  std::uint64_t size = 0;     ///< bytes; of a link the length of its target; only stat() says
  std::uint32_t mode = 0755;  ///< permission bits only; only stat() says
  // What distinguishes a file from another one that took its place; only stat() says.
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t mtime_ns = 0;  ///< nanoseconds since the epoch, UTC
  std::int64_t ctime_ns = 0;
};

/// A lock that the kernel drops when its holder dies; released by destruction.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

/// How replace() wrote.
enum class WriteMode { kUnchanged, kRenamed, kInPlace };

/// What the journal keeps of a file besides its bytes.
struct FileTraits {
  std::vector<ExtendedAttribute> attributes;  ///< without the hashes that the kernel makes itself
  /// True when replace() would, or on an old kernel might, write into the file itself: several hard
  /// links, or a mount. A run that is killed then leaves a piece of the new bytes over the old ones. That
  /// replace() does so on a full disk cannot be known beforehand.
  bool in_place = false;
};

/// New bytes of one file, on the disk and not yet in their place; without commit() they go again.
class StagedWrite {
 public:
  virtual ~StagedWrite() = default;
  /// Puts them in place. Called once. Errors, and what is after one, as FileSystem::replace().
  virtual Result<WriteMode> commit() = 0;
};

/// Files of one node: paths are absolute, as the node names them; an adapter may put them under a root
/// directory, and then resolves every link, absolute ones too, inside that root.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// The file at `path`, links followed. Absent, a directory, a pipe or a device is not an error: see
  /// `kind` (a pipe or device is never opened). Errors: kPermission, kIo, kUnsupported above 16 MiB.
  virtual Result<SourceFile> read(const std::string& path) = 0;
  /// The last bytes of a file, at most `most`, of a log that may be larger than read() takes. Empty when it does
  /// not exist. Errors: kPermission, kIo.
  virtual Result<std::string> read_end(const std::string& path, std::size_t most) {
    auto file = read(path);
    if (!file) return std::move(file).error();
    const std::string& bytes = file->bytes;
    return bytes.size() > most ? bytes.substr(bytes.size() - most) : bytes;
  }
  /// Entries of a directory in byte order of their names; empty when it does not exist.
  virtual Result<std::vector<DirEntry>> list(const std::string& path) = 0;
  /// What is at `path` itself, links not followed; nothing when nothing does.
  virtual Result<std::optional<DirEntry>> stat(const std::string& path) = 0;
  /// `path` with every link resolved inside the root; the text itself when it does not exist.
  virtual Result<std::string> real_path(const std::string& path) = 0;
  /// Makes `bytes` the content of the file that was read as `before`, atomically and durably: temporary
  /// file beside the real one, owner, mode and extended attributes kept, both syncs. A `before` that was
  /// absent makes a new file of mode before.meta.mode owned by the caller (with before.meta.exact also of
  /// that owner and those attributes), and missing parent directories.
  /// Equal bytes write nothing. Written in place is a bind-mounted file, one with several hard links, and
  /// any file when the disk is full and the new bytes need no more room than it has.
  /// Errors: kConflict when the disk no longer holds `before` (or no longer is absent); kPermission, kIo.
  /// After any error the old bytes remain and no temporary file is left.
  virtual Result<WriteMode> replace(const SourceFile& before, const SharedText& bytes) = 0;
  /// The first half of replace(): all that needs room on the disk is done, nothing is changed. So several
  /// files can be made ready before the first of them changes. A full disk is an error here. Let go in
  /// the opposite order: a directory that was made goes again only when it is empty. Errors as replace().
  virtual Result<std::unique_ptr<StagedWrite>> stage(const SourceFile& before,
                                                     const SharedText& bytes) = 0;
  /// What replace() would carry over and how it would write. Errors: kConflict when the file is gone,
  /// kPermission, kIo.
  virtual Result<FileTraits> traits_of(const SourceFile& file) = 0;
  /// Removes the file that was read as `before`, and the directory that held it when `and_directory` and
  /// it is empty then. Errors as replace().
  virtual Status remove(const SourceFile& before, bool and_directory) = 0;
  /// Removes the temporary files that a killed run left beside `path`; those of a run that lives stay.
  virtual Status sweep(const std::string& path) = 0;
  /// Removes the directory `path` and what lies in it, which are no directories; durably. One that is not
  /// there is no error.
  virtual Status remove_folder(const std::string& path) = 0;
  /// Makes `path` and its parents if missing, of mode `mode` (the last one only).
  virtual Status make_directory(const std::string& path, std::uint32_t mode) = 0;
  /// An exclusive kernel lock on `path` (made if missing, 0600). Errors: kLocked, with who holds it in the
  /// message, when another process still holds it after `wait`.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path, Milliseconds wait,
                                                 const std::string& note) = 0;
};

/// What a service runs before its variables are replaced, as the manager has it or as the files give it.
struct LoadedCommand {
  std::string command;  ///< the words with a blank between them; `systemctl show` says no more
  std::vector<std::string> environment;        ///< "NAME=value" of Environment=, sorted
  std::vector<std::string> environment_files;  ///< "PATH (ignore_errors=no)", in their order
  bool operator==(const LoadedCommand&) const = default;
};

/// One unit as the manager sees it; from one `systemctl show`.
struct UnitState {
  std::string id;          ///< "kubelet.service"
  std::string load_state;  ///< loaded, not-found, masked, bad-setting, error
  std::string load_error;
  std::string active_state;  ///< active, activating, inactive, failed, …
  std::string sub_state;     ///< running, auto-restart, dead, …
  std::string result;        ///< success, exit-code, start-limit-hit, …
  std::string type;          ///< simple, notify, …
  std::string fragment_path;
  std::vector<std::string> drop_in_paths;
  std::string control_group;
  std::string invocation_id;  ///< 32 hexadecimal digits; empty when inactive or unknown
  std::int64_t main_pid = 0;
  std::int64_t restarts = 0;  ///< NRestarts; 0 where the version has none
  std::int64_t exec_main_status = 0;
  std::uint64_t start_limit_interval_usec = 0;
  std::uint64_t start_limit_burst = 0;
  std::uint64_t main_start_usec = 0;  ///< ExecMainStartTimestampMonotonic, CLOCK_MONOTONIC
  bool needs_reload = false;
  LoadedCommand loaded;
  bool job_pending = false;
};

/// One line of a unit in the journal.
struct LoggedLine {
  std::int64_t at_ms = 0;  ///< wall clock, milliseconds since the epoch, UTC
  std::string text;
};

/// The service manager of the node.
class ServiceManager {
 public:
  virtual ~ServiceManager() = default;
  /// True when the machine was booted with systemd and it can be asked (sd_booted(3)).
  virtual bool booted() = 0;
  /// Starts asking for `unit`, so that files can be read while the manager answers; the next show() of the
  /// same unit then takes that answer. It may do nothing.
  virtual void begin_show(const std::string& unit) { static_cast<void>(unit); }
  /// Drops an answer that begin_show() asked for: it is older than a lock that was taken since.
  virtual void drop_show() {}
  /// One call. A unit that does not exist has load_state "not-found". Errors: kNoSystemd, kIo, kTimeout.
  virtual Result<UnitState> show(const std::string& unit) = 0;
  /// Version of the running manager: 252. Nothing when it is unknown. No child process where PID 1
  /// itself says; else `systemctl --version`.
  virtual std::optional<int> version() = 0;
  /// The manager's own environment block, NAME=value each: it reaches $VAR in ExecStart=.
  virtual Result<std::vector<std::string>> environment() = 0;
  virtual Status reload(Milliseconds deadline) = 0;
  /// `systemctl restart`. Success only says that systemctl said so, or that the unit was started again and
  /// again meanwhile. `goes_on` is called again and again meanwhile: with false nobody waits any longer, and the
  /// restart takes its course. Errors: kInterrupted then.
  virtual Status restart(const std::string& unit, Milliseconds deadline,
                         const std::function<bool()>& goes_on) = 0;
  virtual Status reset_failed(const std::string& unit) = 0;
  /// Runs `command` once after `delay`, as a transient service `unit`.service with a timer of that name:
  /// by the manager, so neither the end of this process nor that of its session stops it.
  /// While the command ends with exit code 7 (another run holds the lock) it is tried again every 30 s.
  /// A daemon-reload changes nothing of it, a reboot ends it. `command` begins with an absolute path; it
  /// fires at most a second late. Errors: kIo when the name is taken, by a timer or a service that runs.
  /// Source: systemd-run(1), --on-active.
  virtual Status arm_timer(const std::string& unit, const std::string& description,
                           Milliseconds delay, const std::vector<std::string>& command) = 0;
  /// Stops the timer; the service, if it runs already, goes on. A timer that is not there is no error.
  virtual Status disarm_timer(const std::string& unit) = 0;
  /// `systemctl enable` and `disable` of a unit whose file is below /etc; no start, no stop, and no
  /// reload: the manager itself learns of it at the next boot or daemon-reload. Disabling what is not
  /// enabled is no error.
  virtual Status enable(const std::string& unit) = 0;
  virtual Status disable(const std::string& unit) = 0;
  /// The lines that the unit logged under this invocation, oldest first, at most `lines`. With no
  /// `invocation`: what the processes of the unit logged from `since_ms` on (wall clock); with neither,
  /// every line about the unit, the manager's too. Empty when there is no journal.
  virtual Result<std::vector<std::string>> last_words(const std::string& unit,
                                                      const std::string& invocation,
                                                      std::int64_t since_ms, int lines) = 0;
  /// The first line with `mark` that the unit wrote under this invocation in the quarter of an hour from
  /// `since_ms` on (wall clock). Nothing when there is none, or no journal. Reads a bounded piece of the
  /// journal: it takes some 10 ms and one child process.
  virtual Result<std::optional<LoggedLine>> first_line_with(const std::string& unit,
                                                            const std::string& invocation,
                                                            const std::string& mark,
                                                            std::int64_t since_ms) {
    static_cast<void>(unit), static_cast<void>(invocation), static_cast<void>(mark);
    static_cast<void>(since_ms);
    return std::optional<LoggedLine>();
  }
};

struct HealthAnswer {
  int status = 0;    ///< HTTP status
  std::string body;  ///< at most a few hundred bytes
};

/// The kubelet's health endpoint.
class HealthProbe {
 public:
  virtual ~HealthProbe() = default;
  /// GET `path` on a numeric address. Errors: kIo when nobody answers, kTimeout.
  virtual Result<HealthAnswer> get(const std::string& address, int port, const std::string& path,
                                   Milliseconds deadline) = 0;
  /// As get(), with a whole body of at most `most` bytes; get() keeps only the first of a long one. Errors:
  /// also kUnsupported when there is more of it.
  virtual Result<HealthAnswer> get_whole(const std::string& address, int port,
                                         const std::string& path, std::size_t most,
                                         Milliseconds deadline) {
    static_cast<void>(most);
    return get(address, port, path, deadline);
  }
};

/// Time, and waiting for a process or a moment.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() = 0;
  /// Wall clock, milliseconds since the epoch, UTC.
  virtual std::int64_t wall_ms() = 0;
  /// Returns at `until`, or earlier: true as soon as process `pid` has ended (0 watches none). Also
  /// returns early when a signal asked the program to stop; see interrupted().
  virtual bool wait_until(TimePoint until, std::int64_t pid) = 0;
  /// From now on SIGINT, SIGTERM and SIGHUP do not end the program; interrupted() reports them.
  virtual Status hold_signals() = 0;
  /// True once SIGINT, SIGTERM or SIGHUP arrived.
  virtual bool interrupted() = 0;
  /// How often SIGINT or SIGTERM asked to stop. A terminal that goes away asks nothing of anybody.
  virtual int times_asked_to_stop() { return 0; }
};

/// The running kernel, asked as a pod would meet it.
class KernelProbe {
 public:
  virtual ~KernelProbe() = default;
  /// What fresh network and IPC namespaces show of each entry (a name or a pattern, in any separator). A
  /// child makes the namespaces; nothing is written, on the node or in them. Never an error: what cannot be
  /// asked is unknown, with the reason.
  virtual sysctl::KernelReport ask(const std::vector<std::string>& entries) = 0;
  /// Release of the running kernel, uname(2): "6.1.0-28-amd64".
  virtual std::string release() = 0;
};

/// Other programs of the node that are asked a question.
class Programs {
 public:
  virtual ~Programs() = default;
  /// Standard output of `path` with `arguments`, run without a shell. Errors: kNotFound, kPermission, kTimeout,
  /// kIo with its exit status and first words of standard error.
  virtual Result<std::string> output_of(const std::string& path,
                                        const std::vector<std::string>& arguments,
                                        Milliseconds deadline) = 0;
};

/// One entry for the system's log.
struct LogEntry {
  int priority = 6;     ///< as in syslog(3): 3 error … 6 information
  std::string message;  ///< one line
  std::vector<std::pair<std::string, std::string>> fields;  ///< "KUBELET_SYSCTL_VERB", "add"
};

/// The system's log, where `journalctl -t kubelet-sysctl` finds what was done to the node.
class SystemLog {
 public:
  virtual ~SystemLog() = default;
  /// Hands the entry to the journal with its fields, or where there is none its message to syslog.
  /// Errors: kIo when neither takes it.
  virtual Status write(const LogEntry& entry) = 0;
};

/// The machine. References: the adapters outlive every call.
struct Ports {
  FileSystem& files;
  ServiceManager& services;
  HealthProbe& health;
  Clock& clock;
  SystemLog& log;
  KernelProbe& kernel;
  Programs& programs;
};

}  // namespace kubelet_sysctl::ports
