// SPDX-License-Identifier: Apache-2.0
// Sends one datagram for one entry: to journald with all fields, to syslog the message alone.
#include "kubelet_sysctl/machine/system_log.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {
namespace {

constexpr std::string_view kIdentifier = "kubelet-sysctl";
// A log that does not listen must not hold a change up.
constexpr timeval kDeadline = {.tv_sec = 0, .tv_usec = 500'000};

using Field = std::pair<std::string, std::string>;

/// A value that holds a line end comes after its length, 64 bits, little endian.
/// Source: systemd docs/JOURNAL_NATIVE_PROTOCOL.md.
void append_field(std::string& datagram, const Field& field) {
  const auto& [name, value] = field;
  datagram += name;
  if (value.find('\n') == std::string::npos) {
    datagram += "=" + value + "\n";
    return;
  }
  datagram += '\n';
  constexpr unsigned kBits = 64;
  for (unsigned shift = 0; shift < kBits; shift += 8) {
    datagram += static_cast<char>((std::uint64_t{value.size()} >> shift) & 0xffU);
  }
  datagram += value + "\n";
}

std::string journal_datagram(const ports::LogEntry& entry, const std::vector<Field>& fields) {
  std::string datagram;
  append_field(datagram, {"MESSAGE", entry.message});
  append_field(datagram, {"PRIORITY", fmt::format("{}", entry.priority)});
  append_field(datagram, {"SYSLOG_IDENTIFIER", std::string(kIdentifier)});
  append_field(datagram, {"SYSLOG_PID", fmt::format("{}", ::getpid())});
  for (const Field& field : fields) append_field(datagram, field);
  return datagram;
}

/// As a local program hands it to syslogd: without the host name. Source: RFC 3164, 4.1, and
/// glibc's syslog(3).
std::string syslog_datagram(const ports::LogEntry& entry) {
  constexpr int kUser = 1;  // facility
  const std::time_t now = std::time(nullptr);
  std::tm local = {};
  ::localtime_r(&now, &local);
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("<{}>{} {:2} {:02}:{:02}:{:02} {}[{}]: {}", kUser * 8 + entry.priority,
                     kMonths.at(static_cast<std::size_t>(local.tm_mon)), local.tm_mday,
                     local.tm_hour, local.tm_min, local.tm_sec, kIdentifier, ::getpid(),
                     entry.message);
}

/// Returns 0 or errno: EAGAIN when the other side did not take it in time.
int send_to(const std::string& path, std::string_view datagram) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  path.copy(address.sun_path, path.size());
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return errno;
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kDeadline, sizeof kDeadline) != 0) {
    return errno;
  }
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  for (;;) {
    const ssize_t sent =
        ::sendto(fd.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL, to, sizeof address);
    if (sent >= 0) return 0;
    if (errno != EINTR) return errno;
  }
}

int send_to_journal(const std::string& path, const ports::LogEntry& entry) {
  std::vector<Field> fields = entry.fields;
  for (;;) {
    const int number = send_to(path, journal_datagram(entry, fields));
    // Large ones go by memfd in that protocol; nothing of ours is worth it but the message.
    if (number != EMSGSIZE || fields.empty()) return number;
    fields.erase(std::max_element(
        fields.begin(), fields.end(),
        [](const Field& one, const Field& two) { return one.second.size() < two.second.size(); }));
  }
}

}  // namespace

Status JournalLog::write(const ports::LogEntry& entry) {
  const int journal = send_to_journal(paths_.journal, entry);
  if (journal == 0) return {};
  const int syslog = send_to(paths_.syslog, syslog_datagram(entry));
  if (syslog == 0) return {};
  return Error{
      .kind = ErrorKind::kIo,
      .message = fmt::format("cannot write to the system's log: '{}': {}; '{}': {}", paths_.journal,
                             errno_text(journal), paths_.syslog, errno_text(syslog))};
}

}  // namespace kubelet_sysctl::machine
