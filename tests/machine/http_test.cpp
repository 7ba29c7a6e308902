// SPDX-License-Identifier: Apache-2.0
// The health probe against a server of a few lines.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <string>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/machine/http.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl {
namespace {

/// Listens on a free port of 127.0.0.1; a forked process treats each connection as `answer` says.
class Server {
 public:
  explicit Server(const std::function<void(int connection)>& answer) {
    listener_ = machine::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    void* bytes = &address;
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), static_cast<sockaddr*>(bytes), size), 0);
    EXPECT_EQ(::getsockname(listener_.get(), static_cast<sockaddr*>(bytes), &size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    port_ = ntohs(address.sin_port);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::alarm(60);
    for (;;) {
      const machine::UniqueFd connection(::accept(listener_.get(), nullptr, nullptr));
      if (connection) answer(connection.get());
    }
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] int port() const { return port_; }

 private:
  machine::UniqueFd listener_;
  pid_t pid_ = 0;
  int port_ = 0;
};

void say(int connection, const std::string& text) {
  if (::write(connection, text.data(), text.size()) < 0) ::_exit(1);
}

std::string request_on(int connection) {
  std::string request;
  std::array<char, 512> buffer{};
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = ::read(connection, buffer.data(), buffer.size());
    if (got <= 0) break;
    request.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return request;
}

Result<ports::HealthAnswer> ask(const Server& server,
                                Milliseconds deadline = Milliseconds(20'000)) {
  return machine::HttpHealth().get("127.0.0.1", server.port(), "/healthz", deadline);
}

// As Go's net/http answers a kubelet's /healthz.
TEST(HttpHealth, AnswerIsStatusAndBody) {
  const Server server([](int connection) {
    const bool right = request_on(connection).starts_with("GET /healthz HTTP/1.0\r\n");
    say(connection, right ? "HTTP/1.0 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
                            "Content-Length: 2\r\n\r\nok"
                          : "HTTP/1.0 400 Bad Request\r\n\r\n");
  });
  const auto answer = ask(server);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "ok");
}

TEST(HttpHealth, UnhealthyIsAnAnswerToo) {
  const Server server([](int connection) {
    request_on(connection);
    say(connection, "HTTP/1.1 500 Internal Server Error\r\n\r\n[-]ping failed\n");
  });
  const auto answer = ask(server);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(answer->body, "[-]ping failed\n");
}

TEST(HttpHealth, AnswerInPiecesFromAServerThatDoesNotHangUpIsRead) {
  const Server server([](int connection) {
    request_on(connection);
    for (const char* piece : {"HTTP/1.1 20", "0 OK\r\ncontent-LENGTH:  2\r\n", "\r\no", "k"}) {
      say(connection, piece);
      ::usleep(1000);
    }
    request_on(connection);  // until the other side hangs up
  });
  const auto answer = ask(server);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "ok");
}

TEST(HttpHealth, LongBodyIsCut) {
  const Server server([](int connection) {
    request_on(connection);
    say(connection, "HTTP/1.1 200 OK\r\n\r\n" + std::string(5000, 'x'));
  });
  const auto answer = ask(server);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, std::string(512, 'x'));
}

// As Go answers HTTP/1.0 where it does not know the length: the end is the hang-up.
TEST(HttpHealth, WholeBodyIsReadUpToALimitAndRefusedAboveIt) {
  const Server server([](int connection) {
    const bool right = request_on(connection).starts_with("GET /pods HTTP/1.0\r\n");
    say(connection, right ? "HTTP/1.0 200 OK\r\n\r\n" + std::string(300'000, 'x') : "");
  });
  const auto get = [&](std::size_t most) {
    return machine::HttpHealth().get_whole("127.0.0.1", server.port(), "/pods", most,
                                           Milliseconds(20'000));
  };
  const auto whole = get(300'000);
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->body, std::string(300'000, 'x'));
  const auto larger = get(299'999);
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error().kind, ErrorKind::kUnsupported);
}

TEST(HttpHealth, NobodyThereIsAnErrorAtOnce) {
  int port = 0;
  {
    const Server server([](int) {});
    port = server.port();
  }
  const auto answer =
      machine::HttpHealth().get("127.0.0.1", port, "/healthz", Milliseconds(20'000));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kIo);
  EXPECT_TRUE(answer.error().message.ends_with("Connection refused")) << answer.error().message;
}

TEST(HttpHealth, SilenceAndDrippingBothEndAtTheDeadline) {
  const Server silent([](int connection) {
    request_on(connection);
    request_on(connection);
  });
  const Server dripping([](int connection) {
    request_on(connection);
    say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
    for (;;) {
      say(connection, "x");
      ::usleep(20'000);
    }
  });
  for (const Server* server : {&silent, &dripping}) {
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = ask(*server, Milliseconds(100));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::kTimeout);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(8));
  }
}

TEST(HttpHealth, OtherProtocolsAndAHangUpAreErrors) {
  for (const char* words : {"", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 abc\r\n\r\n"}) {
    const Server server([words](int connection) {
      request_on(connection);
      say(connection, words);
    });
    const auto answer = ask(server);
    ASSERT_FALSE(answer) << words;
    EXPECT_EQ(answer.error().kind, ErrorKind::kIo);
  }
}

TEST(HttpHealth, NamesAreNotResolvedAndPathsCannotSmuggle) {
  machine::HttpHealth health;
  const Milliseconds deadline(1000);
  EXPECT_EQ(health.get("localhost", 10248, "/healthz", deadline).error().kind, ErrorKind::kUsage);
  EXPECT_EQ(health.get("127.0.0.1", 0, "/healthz", deadline).error().kind, ErrorKind::kUsage);
  EXPECT_EQ(health.get("127.0.0.1", 1, "/a\r\nX: y", deadline).error().kind, ErrorKind::kUsage);
}

}  // namespace
}  // namespace kubelet_sysctl
