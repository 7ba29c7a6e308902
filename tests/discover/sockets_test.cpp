// SPDX-License-Identifier: Apache-2.0
// Whose socket an address leads to, distinguished from the tables of /proc.

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/discover/sockets.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

constexpr std::int64_t kKubelet = 1000;
constexpr const char* kHeader =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n";

/// A line of /proc/net/tcp or tcp6, as Linux 6.1 writes it on a little-endian machine.
std::string line(const std::string& local, const char* state, int inode) {
  return fmt::format(
      "   0: {} 00000000:0000 {} 00000000:00000000 00:00000000 00000000     0        0 {} 1 "
      "0000000000000000 100 0 0 10 0\n",
      local, state, inode);
}

/// 10250 is 280A.
const std::string kLoopback = "0100007F:280A";
const std::string kNodeAddress = "0500000A:280A";  // 10.0.0.5
const std::string kAny = "00000000:280A";
const std::string kAny6 = "00000000000000000000000000000000:280A";
const std::string kLoopback6 = "00000000000000000000000001000000:280A";

class Sockets : public ::testing::Test {
 protected:
  Sockets() { tables("", ""); }

  void tables(const std::string& tcp, const std::string& tcp6) const {
    tree_.write("/proc/1000/net/tcp", kHeader + tcp);
    tree_.write("/proc/1000/net/tcp6", kHeader + tcp6);
  }
  /// The kubelet, or a child of it, holds the socket.
  void hold(int inode, std::int64_t pid = kKubelet) const {
    const std::string directory = tree_.at(fmt::format("/proc/{}/fd", pid));
    std::filesystem::create_directories(directory);
    std::filesystem::create_symlink(fmt::format("socket:[{}]", inode),
                                    fmt::format("{}/{}", directory, inode));
  }
  bool answers(const std::string& address) {
    auto asked = discover::answers_at(disk_, kKubelet, address, 10250);
    EXPECT_TRUE(asked) << asked.error().message;
    return asked && *asked;
  }
  std::string own() {
    auto asked = discover::own_address(disk_, kKubelet, 10250);
    EXPECT_TRUE(asked);
    return asked ? asked->value_or("none") : "error";
  }

  NodeTree tree_;
  machine::Disk disk_{tree_.root()};
};

TEST_F(Sockets, ATableLargerThanAnyFileThatIsReadWholeIsReadToItsEnd) {
  std::string table;
  constexpr std::size_t kMoreThanRead = (16U << 20U) + 4096;
  while (table.size() < kMoreThanRead) table += line("0100007F:D431", "01", 7);
  tables(table + line(kLoopback, "0A", 42), "");
  hold(42);
  EXPECT_FALSE(disk_.read("/proc/1000/net/tcp"))
      << "the table is no larger than what is read whole";
  EXPECT_TRUE(answers("127.0.0.1"));
}

TEST_F(Sockets, OfOnePortOnAnotherAddressIsNotTheKubelets) {
  tables(line(kNodeAddress, "0A", 42) + line(kLoopback, "0A", 66), "");
  hold(42);
  EXPECT_FALSE(answers("127.0.0.1")) << "another process listens there";
  EXPECT_TRUE(answers("10.0.0.5"));
  EXPECT_FALSE(answers("10.0.0.6")) << "nobody listens there";
  EXPECT_EQ(own(), "10.0.0.5");
}

TEST_F(Sockets, AWildcardIsAskedOnLoopbackUnlessAnotherProcessMayAnswerThere) {
  tables(line(kAny, "0A", 42), "");
  hold(42);
  EXPECT_TRUE(answers("127.0.0.1"));
  EXPECT_EQ(own(), "127.0.0.1");
  tables("", line(kAny6, "0A", 42));
  EXPECT_TRUE(answers("127.0.0.1")) << "a socket of IPv6 takes both";
  EXPECT_EQ(own(), "127.0.0.1");
  tables(line(kLoopback, "0A", 66), line(kAny6, "0A", 42));
  EXPECT_FALSE(answers("127.0.0.1"));
  EXPECT_TRUE(answers("::1"));
  EXPECT_EQ(own(), "0:0:0:0:0:0:0:1");
  tables(line(kLoopback, "0A", 66), line(kAny6, "0A", 42) + line(kLoopback6, "0A", 67));
  EXPECT_EQ(own(), "none");
}

TEST_F(Sockets, AConnectionIsNoListenerAndAnotherPortIsAnother) {
  tables(line(kLoopback, "01", 42) + line("0100007F:2808", "0A", 43), "");
  hold(42);
  hold(43);
  EXPECT_FALSE(answers("127.0.0.1"));
  EXPECT_EQ(own(), "none");
}

TEST_F(Sockets, AChildOfAWrapperHoldsItToo) {
  tables(line(kLoopback, "0A", 42), "");
  tree_.write("/proc/1000/task/1000/children", "1001 ");
  std::filesystem::create_directories(tree_.at("/proc/1000/fd"));
  hold(42, 1001);
  EXPECT_TRUE(answers("127.0.0.1"));
}

TEST_F(Sockets, AnAddressThatIsNoNumberIsAnErrorAndNotAnAnswer) {
  EXPECT_FALSE(discover::answers_at(disk_, kKubelet, "localhost", 10250));
}

TEST_F(Sockets, TheNetworkNamespaceIsUnknownWhereTheKernelDoesNotTell) {
  EXPECT_EQ(discover::shares_network(disk_, kKubelet), std::nullopt);
  std::filesystem::create_directories(tree_.at("/proc/1000/ns"));
  std::filesystem::create_directories(tree_.at("/proc/self/ns"));
  std::filesystem::create_symlink("net:[1]", tree_.at("/proc/1000/ns/net"));
  std::filesystem::create_symlink("net:[2]", tree_.at("/proc/self/ns/net"));
  EXPECT_EQ(discover::shares_network(disk_, kKubelet), false);
}

/// The number of the first call with this text in what `lab` did.
std::size_t number_of(const Lab& lab, const std::string& end) {
  const auto calls = const_cast<Lab&>(lab).faults().calls(Calls::kAll);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (calls[i].ends_with(end)) return i + 1;
  }
  return 0;
}

TEST(Preflight, SocketsThatCannotBeReadEndAChangeBeforeTheFirstWrite) {
  const auto node = plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS", "KUBELET_EXTRA_ARGS=\n");
  Lab good(node);
  good.services().boot();
  auto first = good.prepare(add({"kernel.sem"}));
  ASSERT_TRUE(first);
  good.faults().heal();
  ASSERT_TRUE(good.carry_out(*first));
  const std::size_t number = number_of(good, "/net/tcp");
  ASSERT_GT(number, 0U);
  Lab lab(node);
  lab.services().boot();
  const auto before = lab.tree().files();
  auto prepared = lab.prepare(add({"kernel.sem"}));
  ASSERT_TRUE(prepared);
  lab.services().changes.clear();
  lab.faults().fail(number, Calls::kAll, {.kind = ErrorKind::kIo, .message = "no memory"});
  auto outcome = lab.carry_out(*prepared);
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("could not be seen"), std::string::npos)
      << outcome.error().message;
  EXPECT_EQ(lab.tree().files(), before);
  EXPECT_TRUE(lab.services().changes.empty()) << "the kubelet was restarted";
}

}  // namespace
}  // namespace kubelet_sysctl
