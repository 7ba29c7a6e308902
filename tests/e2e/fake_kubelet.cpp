// SPDX-License-Identifier: Apache-2.0
// Stand-in for a kubelet in the end-to-end tests: reads its settings, dies of a bad list as late as
// a kubelet does, and answers on the health port.
//
// It is the oracle: it shares no code with the program under test. Its knobs are in
// fake_kubelet_knobs.hpp.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "fake_kubelet_config.hpp"
#include "fake_kubelet_flags.hpp"
#include "fake_kubelet_knobs.hpp"
#include "fake_kubelet_rancher.hpp"
#include "fake_kubelet_rules.hpp"
#include "fake_kubelite.hpp"

namespace fake_kubelet {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

void log(char severity, const char* place, const std::string& message) {
  std::timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  std::tm local{};
  localtime_r(&now.tv_sec, &local);
  std::fprintf(stderr, "%c%02d%02d %02d:%02d:%02d.%06ld %7d %s] %s\n", severity, local.tm_mon + 1,
               local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec, now.tv_nsec / 1000,
               static_cast<int>(getpid()), place, message.c_str());
}

// How each release ends on an error: 1.20 and before by klog.Fatal (status 255 and a dump of all
// goroutines), later with a structured line and status 1. `title` is what 1.21 to 1.23 log.
[[noreturn]] void die(const Version& version, const std::string& title,
                      const std::string& message) {
  if (version.minor <= 20) {
    log('F', "server.go:269", message);
    std::fputs("goroutine 1 [running]:\nk8s.io/klog/v2.stacks(...)\n\tklog.go:1026 +0xb9\n",
               stderr);
    std::_Exit(255);
  }
  if (version.minor <= 23) {
    log('E', "server.go:302", in_quotes(title) + " err=" + in_quotes(message));
  } else {
    log('E', "run.go:74", "\"command failed\" err=" + in_quotes(message));
  }
  std::_Exit(1);
}

Flags read_flags(int count, char** words, const Version& version) {
  auto flags = FlagParser({words + 1, words + count}, version.minor).parse();
  for (int i = 0; i < flags.allowlist_occurrences; ++i) {
    std::fputs(
        "Flag --allowed-unsafe-sysctls has been deprecated, This parameter should be set via the "
        "config file specified by the Kubelet's --config flag. See "
        "https://kubernetes.io/docs/tasks/administer-cluster/kubelet-config-file/ for more "
        "information.\n",
        stderr);
  }
  if (!flags.error) return flags;
  if (version.minor <= 23) std::fputs("Usage:\n  kubelet [flags]\n\nFlags:\n", stderr);
  const bool is_wrapped = version.minor >= 24 && !flags.stray_argument;
  die(version, flags.stray_argument ? "Unknown command" : "Failed to parse kubelet flag",
      (is_wrapped ? "failed to parse kubelet flag: " : "") + *flags.error);
}

std::string value_of(const Flags& flags, const std::string& name, const std::string& otherwise) {
  const auto found = flags.values.find(name);
  return found == flags.values.end() ? otherwise : found->second;
}

void load_file(Config& config, const std::string& path, const Version& version) {
  std::string lenient;
  try {
    config = read_config_file(path, lenient);
  } catch (const FatalError& error) {
    const auto inner = "failed to load Kubelet config file " + path + ", error " + error.what();
    const auto outer = "failed to load kubelet config file, path: " + path + ", error: " + inner;
    die(version, "Failed to load kubelet config file", version.minor >= 24 ? outer : inner);
  }
  if (lenient.empty()) return;
  if (version.minor <= 20) {
    log('W', "codec.go:87",
        "using lenient decoding as strict decoding failed: strict decoder error for " + lenient);
  } else {
    log('I', "codec.go:99",
        "\"Using lenient decoding as strict decoding failed\" err=" +
            in_quotes("strict decoding error: " + lenient));
  }
}

// Flag over drop-in over file; each replaces the list of the layer below it whole.
Config effective_config(const Flags& flags, const Version& version) {
  Config config;
  const auto path = value_of(flags, "config", "");
  if (!path.empty()) load_file(config, path, version);
  const auto directory = value_of(flags, "config-dir", "");
  if (!directory.empty()) {
    if (version.minor < 30 && std::getenv("KUBELET_CONFIG_DROPIN_DIR_ALPHA") == nullptr) {
      die(version, "", "--config-dir needs KUBELET_CONFIG_DROPIN_DIR_ALPHA in the environment");
    }
    try {
      merge_dropins(config, directory, version.minor);
    } catch (const FatalError& error) {
      die(version, "", std::string("failed to merge kubelet configs: ") + error.what());
    }
  }
  if (flags.allowlist) config.allowlist = *flags.allowlist;
  config.healthz_address = value_of(flags, "healthz-bind-address", config.healthz_address);
  config.healthz_port =
      std::stoi(value_of(flags, "healthz-port", std::to_string(config.healthz_port)));
  return config;
}

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const auto& entry : list) out += (&entry == &list.front() ? "" : ",") + entry;
  return out;
}

// The tests count starts and read the list of each: one line "PID ENTRY,ENTRY".
void record_start(const Config& config) {
  std::ofstream out(own_path("FAKE_KUBELET_STARTS", "/run/fake-kubelet.starts"), std::ios::app);
  out << getpid() << ' ' << joined(config.allowlist) << '\n';
}

// With --exit-on-lock-contention any process that opens or removes the lock file ends the kubelet.
// Source: Kubernetes cmd/kubelet/app/server_linux.go.
int take_lock(const Flags& flags, const Version& version) {
  const auto path = value_of(flags, "lock-file", "");
  const bool watches = value_of(flags, "exit-on-lock-contention", "false") == "true";
  if (path.empty()) {
    if (watches) die(version, "", "cannot exit on lock file contention: no lock file specified");
    return -1;
  }
  const int lock = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (lock < 0 || flock(lock, LOCK_EX) != 0) {
    die(version, "", "unable to acquire file lock on " + in_quotes(path));
  }
  if (!watches) return -1;
  const int watch = inotify_init1(IN_CLOEXEC);
  inotify_add_watch(watch, path.c_str(), IN_OPEN | IN_DELETE_SELF);
  return watch;
}

void notify_ready() {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto length = std::min(std::strlen(path), sizeof address.sun_path - 1);
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';
  const int out = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto* generic = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  sendto(out, "READY=1", 7, MSG_NOSIGNAL, generic,
         static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
  close(out);
}

/// The running kubelet: one thread, one poll loop, every deadline known beforehand.
class Server {
 public:
  Server(Config config, Knobs knobs, Version version, int lock_watch)
      : config_(std::move(config)),
        knobs_(std::move(knobs)),
        version_(std::move(version)),
        lock_watch_(lock_watch) {
    const auto& list = config_.allowlist;
    const auto& trigger = knobs_.only_when_list_contains;
    misbehaves_ = trigger.empty() || std::find(list.begin(), list.end(), trigger) != list.end();
    check_at_ = start_ + milliseconds(knobs_.bad_list_delay_ms);
  }

  int run(int signals) {
    while (true) {
      step();
      pollfd watched[] = {{.fd = signals, .events = POLLIN, .revents = 0},
                          {.fd = lock_watch_, .events = POLLIN, .revents = 0},
                          {.fd = listener_, .events = POLLIN, .revents = 0}};
      if (poll(watched, 3, milliseconds_to_next()) < 0) continue;
      if (watched[0].revents != 0) {
        usleep(static_cast<useconds_t>(knobs_.stop_delay_ms) * 1000);
        return 0;
      }
      if (watched[1].revents != 0) {
        log('I', "server_linux.go:58", "\"Kubelet exiting because of lock file contention\"");
        return 1;
      }
      if (watched[2].revents != 0) answer();
    }
  }

 private:
  void step() {
    const auto now = Clock::now();
    if (misbehaves_ && knobs_.exit_after_ms >= 0 &&
        now >= start_ + milliseconds(knobs_.exit_after_ms)) {
      const auto& message = knobs_.exit_message;
      log('E', "kubelet.go:1511",
          message.empty() ? "\"Failed to start ContainerManager\"" : message);
      std::_Exit(knobs_.exit_code);
    }
    if (!is_checked_ && now >= check_at_) {
      is_checked_ = true;
      const auto refusal = refusal_of(config_.allowlist, version_.minor);
      if (refusal) {
        die(version_, "Failed to run kubelet",
            "failed to run Kubelet: failed to create kubelet: " + *refusal);
      }
      health_at_ = now + milliseconds(knobs_.health_delay_ms);
    }
    if (is_checked_ && !is_serving_ && now >= health_at_) serve();
  }

  [[nodiscard]] int milliseconds_to_next() const {
    auto next = Clock::now() + std::chrono::hours(1);
    if (misbehaves_ && knobs_.exit_after_ms >= 0) {
      next = std::min(next, start_ + milliseconds(knobs_.exit_after_ms));
    }
    if (!is_checked_) next = std::min(next, check_at_);
    if (is_checked_ && !is_serving_) next = std::min(next, health_at_);
    const auto left = std::chrono::ceil<milliseconds>(next - Clock::now()).count();
    return static_cast<int>(std::max<long long>(left, 0));
  }

  // A port in use is only logged and tried again after five seconds. Source: server.go.
  void serve() {
    if (misbehaves_ && knobs_.never_healthy) {
      is_serving_ = true;
      return;
    }
    if (config_.healthz_port > 0 && !open_port()) {
      log('E', "server.go:1000",
          "\"Failed to start healthz server\" err=\"listen tcp " + config_.healthz_address + ":" +
              std::to_string(config_.healthz_port) + ": bind: address already in use\"");
      health_at_ = Clock::now() + std::chrono::seconds(5);
      return;
    }
    is_serving_ = true;
    if (!knobs_.server.empty()) start_server(knobs_.server.c_str());
    if (!(misbehaves_ && knobs_.never_ready)) notify_ready();
  }

  // The stand-in has no TLS. A child that holds the port is as good as the kubelet itself; it goes with it.
  static void start_server(const char* program) {
    if (fork() != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execl(program, program, static_cast<char*>(nullptr));
    std::_Exit(127);
  }

  bool open_port() {
    const bool is_v6 = config_.healthz_address.find(':') != std::string::npos;
    const auto port = htons(static_cast<std::uint16_t>(config_.healthz_port));
    listener_ = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_storage address{};
    socklen_t size = 0;
    if (is_v6) {
      sockaddr_in6 in6{};
      in6.sin6_family = AF_INET6;
      in6.sin6_port = port;
      inet_pton(AF_INET6, config_.healthz_address.c_str(), &in6.sin6_addr);
      std::memcpy(&address, &in6, size = sizeof in6);
    } else {
      sockaddr_in in4{};
      in4.sin_family = AF_INET;
      in4.sin_port = port;
      inet_pton(AF_INET, config_.healthz_address.c_str(), &in4.sin_addr);
      std::memcpy(&address, &in4, size = sizeof in4);
    }
    const auto* generic = static_cast<const sockaddr*>(static_cast<const void*>(&address));
    if (bind(listener_, generic, size) == 0 && listen(listener_, 16) == 0) return true;
    close(listener_);
    listener_ = -1;
    return false;
  }

  void answer() {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    if (misbehaves_ && knobs_.health_hangs) return;  // kept open and never answered
    const timeval patience{.tv_sec = 1, .tv_usec = 0};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string request;
    char buffer[2048];
    while (request.find("\r\n\r\n") == std::string::npos && request.size() < 8192) {
      const auto got = recv(client, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      request.append(buffer, static_cast<std::size_t>(got));
    }
    const bool is_healthz =
        request.starts_with("GET /healthz ") || request.starts_with("GET /healthz/ping ");
    const int status = !is_healthz ? 404 : misbehaves_ ? knobs_.health_status : 200;
    const std::string body = status == 200 ? "ok"
                             : status == 404
                                 ? "404 page not found\n"
                                 : "[-]ping failed: reason withheld\nhealthz check failed\n";
    const auto response = "HTTP/1.1 " + std::to_string(status) +
                          (status == 200 ? " OK" : " Error") +
                          "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " +
                          std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
    send(client, response.data(), response.size(), MSG_NOSIGNAL);
    close(client);
  }

  Config config_;
  Knobs knobs_;
  Version version_;
  int lock_watch_;
  bool misbehaves_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point check_at_;
  Clock::time_point health_at_;
  bool is_checked_ = false;
  bool is_serving_ = false;
  int listener_ = -1;
};

// Where a real kubelet has its release from the linker; lib.sh writes another one over it. It is read as
// volatile, so that what is in the file is what is read.
extern const char kLinkedRelease[32];
alignas(8) const char kLinkedRelease[32] = "v1.29.6";

std::string linked_release() {
  std::string text;
  const volatile char* const release = kLinkedRelease;
  for (std::size_t i = 0; release[i] != '\0'; ++i) text += release[i];
  return text;
}

std::string configured_version() {
  if (const char* text = std::getenv("FAKE_KUBELET_VERSION")) return text;
  const auto settings = read_settings();
  if (settings.contains("version")) return settings.at("version");
  return read_file_or("/etc/fake-kubelet/version", linked_release());
}

int run(int count, char** words) {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  sigprocmask(SIG_BLOCK, &ending, nullptr);
  const int signals = signalfd(-1, &ending, SFD_CLOEXEC);
  const auto version = parse_version(configured_version());
  const auto flags = read_flags(count, words, version);
  if (value_of(flags, "help", "false") == "true") {
    std::puts("Usage:\n  kubelet [flags]");
    return 0;
  }
  if (value_of(flags, "version", "false") != "false") {
    std::printf("Kubernetes %s\n", version.text.c_str());
    return 0;
  }
  const auto knobs = read_knobs();
  const auto config = effective_config(flags, version);
  record_start(config);
  if (to_int(value_of(flags, "v", "0")) >= 1) {
    log('I', "flags.go:64",
        "FLAG: --allowed-unsafe-sysctls=\"[" +
            joined(flags.allowlist.value_or(std::vector<std::string>{})) + "]\"");
  }
  const int watch = take_lock(flags, version);
  return Server(config, knobs, version, watch).run(signals);
}

/// Under the name k3s or rke2: as that program.
int run_as(const std::string& program, Words words) {
  const auto version = parse_version(configured_version());
  if (words.size() > 1 && words[1] == "--version") {
    std::printf("%s version %s+%s1 (1a2b3c4d)\ngo version go1.24.4\n", program.c_str(),
                version.text.c_str(), program == "k3s" ? "k3s" : "rke2r");
    return 0;
  }
  Rancher rancher(program, std::move(words), version);
  Words made = rancher.kubelet_words();
  log_line("Starting " + program + " " + version.text);
  std::string line;
  for (std::size_t i = 1; i < made.size(); ++i) line += (i == 1 ? "" : " ") + made[i];
  log_line("Running kubelet " + line);
  if (program == "rke2") {
    run_rke2(rancher, std::move(made), read_knobs().child_delay_ms, notify_ready);
  }
  std::vector<char*> raw;
  for (auto& word : made) raw.push_back(word.data());
  return run(static_cast<int>(raw.size()), raw.data());
}

}  // namespace
}  // namespace fake_kubelet

int main(int count, char** words) {
  const std::string name = std::string(words[0]).substr(std::string(words[0]).rfind('/') + 1);
  if (name == "k3s" || name == "rke2") return fake_kubelet::run_as(name, {words, words + count});
  if (count == 0 || !fake_kubelet::is_kubelite(words[0])) return fake_kubelet::run(count, words);
  fake_kubelet::begin_thread();
  auto made = fake_kubelet::kubelite_words(count, words);
  std::vector<char*> pointers;
  for (auto& word : made) pointers.push_back(word.data());
  return fake_kubelet::run(static_cast<int>(pointers.size()), pointers.data());
}
