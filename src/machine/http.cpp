// SPDX-License-Identifier: Apache-2.0
// One GET of HTTP/1.0 over a socket. Plain sockets and no library: Debian's cpp-httplib is a shared
// library that brings OpenSSL, costs each start more than `systemctl show` and cannot be linked
// statically.
#include "kubelet_sysctl/machine/http.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::machine {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::size_t kMostOfBody = 512;
constexpr std::size_t kMostOfHeader = 16384;

/// An address with its port, as connect(2) takes it.
struct Address {
  sockaddr_storage storage = {};
  socklen_t size = 0;
  std::string text;  ///< "127.0.0.1:10248", "[::1]:10248"
};

std::optional<Address> address_of(const std::string& text, int port) {
  Address address;
  if (port < 1 || port > 65535) return std::nullopt;
  const in_port_t wire_port = htons(static_cast<std::uint16_t>(port));
  sockaddr_in four = {};
  sockaddr_in6 six = {};
  if (::inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = wire_port;
    address.size = sizeof four;
    std::memcpy(&address.storage, &four, sizeof four);
    address.text = fmt::format("{}:{}", text, port);
    return address;
  }
  if (::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) != 1) return std::nullopt;
  six.sin6_family = AF_INET6;
  six.sin6_port = wire_port;
  address.size = sizeof six;
  std::memcpy(&address.storage, &six, sizeof six);
  address.text = fmt::format("[{}]:{}", text, port);
  return address;
}

/// Waits until the socket is ready. Returns 0, ETIMEDOUT or errno.
int wait_for(int fd, short events, SteadyTime until) {
  for (;;) {
    const std::chrono::nanoseconds left = until - std::chrono::steady_clock::now();
    if (left <= left.zero()) return ETIMEDOUT;
    pollfd event = {.fd = fd, .events = events, .revents = 0};
    timespec time = {};
    time.tv_sec = left / std::chrono::seconds(1);
    time.tv_nsec = (left % std::chrono::seconds(1)).count();
    const int ready = ::ppoll(&event, 1, &time, nullptr);
    if (ready > 0) return 0;
    if (ready < 0 && errno != EINTR) return errno;
  }
}

int connect_to(int fd, const Address& address, SteadyTime until) {
  const void* bytes = &address.storage;
  if (::connect(fd, static_cast<const sockaddr*>(bytes), address.size) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (const int number = wait_for(fd, POLLOUT, until)) return number;
  int number = 0;
  socklen_t size = sizeof number;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0) return errno;
  return number;
}

int send_all(int fd, std::string_view bytes, SteadyTime until) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return errno;
    if (const int number = wait_for(fd, POLLOUT, until)) return number;
  }
  return 0;
}

/// Where the body begins; nothing while the header is not whole. A bare line feed is accepted as a
/// line end (RFC 9112, 2.2).
std::optional<std::size_t> body_begin(std::string_view answer) {
  const std::size_t crlf = answer.find("\r\n\r\n");
  if (crlf != std::string_view::npos) return crlf + 4;
  const std::size_t bare = answer.find("\n\n");
  if (bare != std::string_view::npos) return bare + 2;
  return std::nullopt;
}

std::optional<std::size_t> content_length(std::string_view header) {
  constexpr std::string_view kName = "\ncontent-length:";
  const auto lower = [](char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  };
  const auto found = std::search(header.begin(), header.end(), kName.begin(), kName.end(),
                                 [&](char a, char b) { return lower(a) == b; });
  if (found == header.end()) return std::nullopt;
  std::string_view rest = header.substr(static_cast<std::size_t>(found - header.begin()));
  rest.remove_prefix(kName.size());
  rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(" \t")));
  std::size_t length = 0;
  const auto [stopped, fault] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
  if (fault != std::errc{}) return std::nullopt;
  return length;
}

/// True when there is nothing more to wait for, even if the server does not hang up.
bool is_whole(std::string_view answer, std::size_t most) {
  const auto begin = body_begin(answer);
  if (!begin) return answer.size() > kMostOfHeader;
  const std::size_t wanted = content_length(answer.substr(0, *begin)).value_or(most);
  return answer.size() - *begin >= std::min(wanted, most);
}

int receive(int fd, std::string& answer, std::size_t most, SteadyTime until) {
  std::array<char, 16384> buffer;  // NOLINT: recv(2) fills it
  while (!is_whole(answer, most)) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got > 0) answer.append(buffer.data(), static_cast<std::size_t>(got));
    if (got == 0) return 0;
    if (got > 0 || errno == EINTR) continue;
    if (errno != EAGAIN) return errno;
    if (const int number = wait_for(fd, POLLIN, until)) return number;
  }
  return 0;
}

/// "HTTP/1.1 200 OK", header lines, body.
std::optional<ports::HealthAnswer> parse_answer(std::string_view text, std::size_t most) {
  if (!text.starts_with("HTTP/1.")) return std::nullopt;
  const std::size_t blank = text.find(' ');
  const auto begin = body_begin(text);
  if (!begin || blank == std::string_view::npos || blank + 4 > text.size()) return std::nullopt;
  ports::HealthAnswer answer;
  const char* end = text.data() + blank + 4;
  const auto [stopped, fault] = std::from_chars(text.data() + blank + 1, end, answer.status);
  if (fault != std::errc{} || stopped != end || answer.status < 100) return std::nullopt;
  answer.body = text.substr(*begin, most);
  return answer;
}

Error failure(int number, const Address& address, Milliseconds deadline) {
  if (number == ETIMEDOUT) {
    return Error{
        .kind = ErrorKind::kTimeout,
        .message = fmt::format("no answer from {} within {} ms", address.text, deadline.count())};
  }
  Error error = errno_error(number, {}, fmt::format("cannot ask {}", address.text));
  error.kind = ErrorKind::kIo;
  error.hint.clear();
  return error;
}

bool is_plain(const std::string& path) {
  return path.starts_with('/') &&
         std::all_of(path.begin(), path.end(), [](char byte) { return byte > ' ' && byte <= '~'; });
}

/// The status and the first `most` bytes of the body.
Result<ports::HealthAnswer> ask(const std::string& address, int port, const std::string& path,
                                std::size_t most, Milliseconds deadline) {
  const SteadyTime until = std::chrono::steady_clock::now() + deadline;
  const auto to = address_of(address, port);
  if (!to || !is_plain(path)) {
    return Error{.kind = ErrorKind::kUsage,
                 .message = fmt::format("'{}' port {} path '{}' is no numeric address to ask",
                                        address, port, path)};
  }
  const UniqueFd fd(::socket(to->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return failure(errno, *to, deadline);
  // HTTP/1.0: the server neither keeps the connection nor cuts the body into chunks.
  const std::string request = fmt::format(
      "GET {} HTTP/1.0\r\nHost: {}\r\nUser-Agent: kubelet-sysctl\r\n\r\n", path, to->text);
  std::string text;
  int number = connect_to(fd.get(), *to, until);
  if (number == 0) number = send_all(fd.get(), request, until);
  if (number == 0) number = receive(fd.get(), text, most, until);
  if (number != 0) return failure(number, *to, deadline);
  auto answer = parse_answer(text, most);
  if (answer) return std::move(*answer);
  const char* what =
      text.empty() ? "closed the connection without an answer" : "does not speak HTTP";
  return Error{.kind = ErrorKind::kIo, .message = fmt::format("{} {}", to->text, what)};
}

}  // namespace

Result<ports::HealthAnswer> HttpHealth::get(const std::string& address, int port,
                                            const std::string& path, Milliseconds deadline) {
  return ask(address, port, path, kMostOfBody, deadline);
}

Result<ports::HealthAnswer> HttpHealth::get_whole(const std::string& address, int port,
                                                  const std::string& path, std::size_t most,
                                                  Milliseconds deadline) {
  auto answer = ask(address, port, path, most + 1, deadline);
  if (!answer || answer->body.size() <= most) return answer;
  return Error{.kind = ErrorKind::kUnsupported,
               .message = fmt::format("will not read the answer of '{}' port {}: it is larger than "
                                      "{} bytes",
                                      address, port, most)};
}

}  // namespace kubelet_sysctl::machine
