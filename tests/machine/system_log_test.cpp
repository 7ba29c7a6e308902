// SPDX-License-Identifier: Apache-2.0
// The system's log against sockets of our own: what journald and syslogd would get.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <regex>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/machine/fd.hpp"
#include "kubelet_sysctl/machine/system_log.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/scratch.hpp"

namespace kubelet_sysctl {
namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  EXPECT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

/// A datagram socket that listens at a path.
class Listener {
 public:
  explicit Listener(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    const sockaddr_un address = address_of(path);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  /// The next datagram; "nothing" when there is none.
  [[nodiscard]] std::string next() const {
    std::string datagram(1U << 20U, '\0');
    const ssize_t size = ::recv(fd_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT);
    return size < 0 ? "nothing" : datagram.substr(0, static_cast<std::size_t>(size));
  }

 private:
  machine::UniqueFd fd_;
};

ports::LogEntry applied() {
  ports::LogEntry entry;
  entry.message = "applied";
  return entry;
}

machine::JournalLogPaths paths_in(const Scratch& scratch) {
  return {.journal = scratch.path("/journal"), .syslog = scratch.path("/log")};
}

// Source: systemd docs/JOURNAL_NATIVE_PROTOCOL.md.
TEST(SystemLog, JournalGetsEveryFieldAndThoseWithLineEndsByTheirLength) {
  const Scratch scratch;
  const Listener journal(scratch.path("/journal"));
  machine::JournalLog log(paths_in(scratch));
  ASSERT_TRUE(log.write({.priority = 4,
                         .message = "add rolled back",
                         .fields = {{"KUBELET_SYSCTL_VERB", "add"},
                                    {"KUBELET_SYSCTL_REASON", "two\nlines"},
                                    {"KUBELET_SYSCTL_USER", ""}}}));
  EXPECT_EQ(journal.next(),
            fmt::format("MESSAGE=add rolled back\nPRIORITY=4\nSYSLOG_IDENTIFIER=kubelet-sysctl\n"
                        "SYSLOG_PID={}\nKUBELET_SYSCTL_VERB=add\n",
                        ::getpid()) +
                std::string("KUBELET_SYSCTL_REASON\n\x09\0\0\0\0\0\0\0two\nlines\n", 40) +
                "KUBELET_SYSCTL_USER=\n");
  EXPECT_EQ(journal.next(), "nothing");
}

// Source: RFC 3164, 4.1: facility 1 (user), severity 3: 11.
TEST(SystemLog, WithoutAJournalSyslogGetsTheMessage) {
  const Scratch scratch;
  const Listener syslog(scratch.path("/log"));
  machine::JournalLog log(paths_in(scratch));
  ASSERT_TRUE(log.write({.priority = 3, .message = "stranded", .fields = {{"A", "b"}}}));
  const std::regex form(
      "<11>[A-Z][a-z]{2} [ 1-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9] "
      "kubelet-sysctl\\[[0-9]+\\]: stranded");
  const std::string datagram = syslog.next();
  EXPECT_TRUE(std::regex_match(datagram, form)) << datagram;
}

TEST(SystemLog, WhereNobodyListensItIsAnErrorThatNamesBothSockets) {
  const Scratch scratch;
  const auto status = machine::JournalLog(paths_in(scratch)).write(applied());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kIo);
  EXPECT_NE(status.error().message.find(scratch.path("/journal")), std::string::npos);
  EXPECT_TRUE(status.error().message.ends_with("No such file or directory"));
}

TEST(SystemLog, FieldThatIsTooLargeForADatagramIsLeftOutAndTheOthersArrive) {
  const Scratch scratch;
  const Listener journal(scratch.path("/journal"));
  machine::JournalLog log(paths_in(scratch));
  ASSERT_TRUE(log.write(
      {.message = "set applied",
       .fields = {{"KUBELET_SYSCTL_ADDED", std::string(8U << 20U, 'x')}, {"SMALL", "1"}}}));
  const std::string datagram = journal.next();
  EXPECT_TRUE(datagram.starts_with("MESSAGE=set applied\n"));
  EXPECT_TRUE(datagram.ends_with("\nSMALL=1\n"));
  EXPECT_EQ(datagram.find("ADDED"), std::string::npos);
}

TEST(SystemLog, JournalThatTakesNothingHoldsNobodyUp) {
  const Scratch scratch;
  const Listener journal(scratch.path("/journal"));
  const Listener syslog(scratch.path("/log"));
  const sockaddr_un address = address_of(scratch.path("/journal"));
  const machine::UniqueFd sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
  while (::sendto(sender.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&address),
                  sizeof address) == 1) {
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(machine::JournalLog(paths_in(scratch)).write(applied()));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(15));
  EXPECT_TRUE(syslog.next().ends_with(": applied"));
}

}  // namespace
}  // namespace kubelet_sysctl
