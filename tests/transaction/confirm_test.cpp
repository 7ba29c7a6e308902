// SPDX-License-Identifier: Apache-2.0
// What confirm() takes for a good start and what for a bad one, on the time of a pretend node.
#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/discover/process.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/lab.hpp"
#include "transaction/confirm.hpp"

namespace kubelet_sysctl {
namespace {

constexpr Milliseconds kTimeout{60000};
constexpr Milliseconds kWindow{10000};

/// A node whose kubelet was restarted, and what is known and desired of it.
class Confirm : public ::testing::Test {
 protected:
  Confirm()
      : lab_(plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS",
                        "KUBELET_EXTRA_ARGS=--allowed-unsafe-sysctls=net.core.somaxconn\n")) {
    lab_.services().boot();
  }

  transaction::Confirmation restarted(const Misbehaviour& how, Milliseconds window = kWindow) {
    transaction::Wanted wanted;
    wanted.unit = "kubelet.service";
    wanted.list = {"net.core.somaxconn"};
    wanted.health_address = "127.0.0.1";
    wanted.health_port = 10248;
    wanted.before = *lab_.services().show(wanted.unit);
    wanted.old_process = *discover::read_process(lab_.services().files(), wanted.before.main_pid);
    lab_.services().misbehave(how);
    EXPECT_TRUE(lab_.services().restart(wanted.unit, kTimeout));
    begin_ = lab_.services().now();
    ports::Ports ports = lab_.ports();
    auto seen = transaction::confirm(ports, wanted, kTimeout, window, {});
    EXPECT_TRUE(seen);
    took_ = std::chrono::duration_cast<Milliseconds>(lab_.services().now() - begin_);
    return seen ? *seen : transaction::Confirmation{};
  }

  Lab lab_;
  TimePoint begin_;
  Milliseconds took_{0};
};

Misbehaviour dies_after(int milliseconds) {
  Misbehaviour how;
  how.dies_after = Milliseconds(milliseconds);
  how.exit_status = 1;
  return how;
}

TEST_F(Confirm, GoodStartIsWatchedForTheWholeWindowAndNoLonger) {
  const transaction::Confirmation seen = restarted({});
  EXPECT_TRUE(seen.good);
  EXPECT_FALSE(seen.failure);
  EXPECT_EQ(seen.evidence.pid, 1001);
  EXPECT_EQ(seen.evidence.argv, true);
  EXPECT_EQ(seen.evidence.health, "ok");
  EXPECT_EQ(seen.evidence.restarts, 0);
  EXPECT_GE(seen.evidence.started_at_ms, lab_.services().wall_ms() - took_.count() - 1);
  EXPECT_EQ(took_, kWindow);
}

TEST_F(Confirm, WindowBeginsWithTheFirstHealthyAnswer) {
  Misbehaviour how;
  how.healthy_after = Milliseconds(20000);
  EXPECT_TRUE(restarted(how).good);
  EXPECT_GE(took_, Milliseconds(30000));
  EXPECT_LE(took_, Milliseconds(30100));
}

TEST_F(Confirm, HealthThatNeverComesEndsAtTheDeadline) {
  Misbehaviour how;
  how.never_healthy = true;
  const transaction::Confirmation seen = restarted(how);
  ASSERT_TRUE(seen.failure);
  EXPECT_NE(seen.failure->message.find("never became healthy"), std::string::npos);
  EXPECT_GE(took_, kTimeout);
  EXPECT_LE(took_, kTimeout + Milliseconds(100));
}

TEST_F(Confirm, AnswerOtherThan200IsNotHealthy) {
  Misbehaviour how;
  how.health_status = 500;
  const transaction::Confirmation seen = restarted(how);
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.evidence.health, "http 500");
}

TEST_F(Confirm, HealthThatGoesWithinTheWindowIsSeen) {
  Misbehaviour how;
  how.unhealthy_after = Milliseconds(4000);
  const transaction::Confirmation seen = restarted(how);
  ASSERT_TRUE(seen.failure);
  EXPECT_NE(seen.failure->message.find("did not stay healthy"), std::string::npos);
}

TEST_F(Confirm, ExitIsSeenTheMomentItHappens) {
  for (const int milliseconds : {0, 1000, 5000}) {
    const transaction::Confirmation seen = restarted(dies_after(milliseconds));
    ASSERT_TRUE(seen.failure) << milliseconds;
    EXPECT_FALSE(seen.good);
    EXPECT_NE(seen.failure->message.find("ended with status 1"), std::string::npos)
        << seen.failure->message;
    EXPECT_EQ(took_, Milliseconds(milliseconds));
  }
}

TEST_F(Confirm, ExitAfterTheWindowIsNotWaitedFor) {
  EXPECT_TRUE(restarted(dies_after(11000)).good);
}

TEST_F(Confirm, LastWordsAreThoseOfTheStartThatFailed) {
  Misbehaviour how = dies_after(700);
  how.starts = 1;
  how.last_words = {"this one"};
  const transaction::Confirmation seen = restarted(how);
  lab_.services().wait_until(lab_.services().now() + std::chrono::seconds(30), 0);
  ASSERT_FALSE(seen.invocation.empty());
  EXPECT_EQ(*lab_.services().last_words("kubelet.service", seen.invocation, 0, 5),
            std::vector<std::string>{"this one"});
}

/// Says nothing of the end of a process, as a kernel without pidfd_open(2) whose look came too
/// late, and does something between two waits.
class OddClock final : public ports::Clock {
 public:
  OddClock(ports::Clock& clock, std::function<void()> meanwhile)
      : clock_(clock), meanwhile_(std::move(meanwhile)) {}
  TimePoint now() override { return clock_.now(); }
  std::int64_t wall_ms() override { return clock_.wall_ms(); }
  bool wait_until(TimePoint until, std::int64_t) override {
    const bool ended = clock_.wait_until(until, 0);
    if (++waits_ == 5) meanwhile_();
    return ended;
  }
  Status hold_signals() override { return clock_.hold_signals(); }
  bool interrupted() override { return false; }

 private:
  ports::Clock& clock_;
  std::function<void()> meanwhile_;
  int waits_ = 0;
};

/// confirm() of a good start, but for what the test does in the window and the end of `how`.
transaction::Confirmation watched(Lab& lab, const Misbehaviour& how,
                                  std::function<void()> meanwhile) {
  transaction::Wanted wanted;
  wanted.unit = "kubelet.service";
  wanted.list = {"net.core.somaxconn"};
  lab.services().misbehave(how);
  EXPECT_TRUE(lab.services().restart(wanted.unit, kTimeout));
  OddClock clock(lab.services(), std::move(meanwhile));
  ports::Ports ports{lab.services().files(), lab.services(),        lab.services(),         clock,
                     lab.services(),         lab.services().kernel, lab.services().programs};
  auto seen = transaction::confirm(ports, wanted, kTimeout, kWindow, {});
  EXPECT_TRUE(seen);
  return seen ? *seen : transaction::Confirmation{};
}

TEST_F(Confirm, RestartBySystemdWithinTheWindowIsSeenEvenWhenAllLooksFine) {
  lab_.services().restart_delay = Milliseconds(100);
  Misbehaviour how = dies_after(5000);
  how.starts = 1;
  const transaction::Confirmation died = watched(lab_, how, [] {});
  EXPECT_FALSE(died.good);
  EXPECT_EQ(died.evidence.restarts, 1);
  const transaction::Confirmation counted =
      watched(lab_, {}, [this] { lab_.services().more_restarts = 1; });
  EXPECT_FALSE(counted.good);
  EXPECT_EQ(counted.evidence.restarts, 1);
}

TEST_F(Confirm, ArgumentsThatChangeWithinTheWindowAreSeen) {
  EXPECT_TRUE(watched(lab_, {}, [] {}).good);
  const transaction::Confirmation seen = watched(lab_, {}, [this] {
    const std::string words = "/proc/" + std::to_string(lab_.services().pid()) + "/cmdline";
    lab_.tree().write(words, std::string("/usr/bin/kubelet\0--v=2\0", 24));
  });
  EXPECT_FALSE(seen.good);
}

TEST_F(Confirm, ArgumentsAreWaitedForUntilTheForkIsTheKubelet) {
  Misbehaviour how;
  how.exec_after = Milliseconds(400);
  const transaction::Confirmation seen = restarted(how);
  EXPECT_TRUE(seen.good);
  EXPECT_EQ(seen.evidence.argv, true);
  EXPECT_LE(took_, Milliseconds(10500));
}

TEST_F(Confirm, OtherArgumentsAreNotTheListThatWasWished) {
  Misbehaviour how;
  how.argv = std::vector<std::string>{"/usr/bin/kubelet", "--allowed-unsafe-sysctls=kernel.sem"};
  const transaction::Confirmation seen = restarted(how);
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.evidence.argv, false);
  EXPECT_NE(seen.failure->message.find("other arguments"), std::string::npos);
}

TEST_F(Confirm, KubeletWithoutAHealthEndpointIsWatchedAllTheSame) {
  transaction::Wanted wanted;
  wanted.unit = "kubelet.service";
  wanted.list = {"net.core.somaxconn"};
  Misbehaviour how = dies_after(3000);
  how.starts = 1;
  how.never_healthy = true;
  lab_.services().misbehave(how);
  ports::Ports ports = lab_.ports();
  ASSERT_TRUE(lab_.services().restart(wanted.unit, kTimeout));
  auto seen = transaction::confirm(ports, wanted, kTimeout, kWindow, {});
  ASSERT_TRUE(seen);
  EXPECT_FALSE(seen->good);
  EXPECT_EQ(seen->evidence.health, "off");
  ASSERT_TRUE(lab_.services().restart(wanted.unit, kTimeout));
  seen = transaction::confirm(ports, wanted, kTimeout, kWindow, {});
  ASSERT_TRUE(seen);
  EXPECT_TRUE(seen->good);
}

// A kubelet that finds its port taken only logs it, and anyone who holds the port may answer 200.
TEST_F(Confirm, AnswerOfAnotherProcessIsNoHealth) {
  Misbehaviour how;
  how.other_process_answers = true;
  const transaction::Confirmation seen = restarted(how);
  ASSERT_TRUE(seen.failure);
  EXPECT_NE(seen.evidence.health.find("another process"), std::string::npos);
}

// In a chroot systemctl does nothing and exits with 0.
TEST_F(Confirm, OldProcessThatStaysIsNoRestart) {
  Misbehaviour how;
  how.restart_does_nothing = true;
  const transaction::Confirmation seen = restarted(how);
  ASSERT_TRUE(seen.failure);
  EXPECT_NE(seen.failure->message.find("the old process still runs"), std::string::npos);
}

TEST_F(Confirm, UnitThatIsLeftStoppedIsSeenAtOnce) {
  Misbehaviour how;
  how.stays_stopped = true;
  const transaction::Confirmation seen = restarted(how);
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(took_, Milliseconds(0));
}

}  // namespace
}  // namespace kubelet_sysctl
