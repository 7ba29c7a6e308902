// SPDX-License-Identifier: Apache-2.0
// The pretend node does what a real one does where the program depends on it.
#include "support/fake_services.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/discover/process.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

#include <gtest/gtest.h>

#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kUnit = "kubelet.service";
constexpr Milliseconds kDeadline{1000};

Lab::NodeFiles node() {
  return plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS",
                    "KUBELET_EXTRA_ARGS=\"--v=2 --allowed-unsafe-sysctls=net.core.somaxconn\"\n");
}

std::vector<std::string> words(Lab& lab) {
  auto process = discover::read_process(lab.services().files(), lab.services().pid());
  return process && *process ? (*process)->argv : std::vector<std::string>();
}

void wait(Lab& lab, Milliseconds span) {
  lab.services().wait_until(lab.services().now() + span, 0);
}

// Source: systemd.exec(5) EnvironmentFile=: read each time just before the start.
TEST(FakeServices, StartReadsTheEnvironmentFilesAnew) {
  Lab lab(node());
  lab.services().boot();
  EXPECT_EQ(words(lab), (std::vector<std::string>{"/usr/bin/kubelet", "--v=2",
                                                  "--allowed-unsafe-sysctls=net.core.somaxconn"}));
  lab.services().write("/etc/default/kubelet", "KUBELET_EXTRA_ARGS=--v=4\n");
  ASSERT_TRUE(lab.services().restart(kUnit, kDeadline));
  EXPECT_EQ(words(lab), (std::vector<std::string>{"/usr/bin/kubelet", "--v=4"}));
}

TEST(FakeServices, UnitFileCountsFromTheNextReloadOn) {
  Lab lab(node());
  lab.services().boot();
  lab.services().write("/etc/systemd/system/kubelet.service.d/50-x.conf",
                       "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet --v=9\n");
  ASSERT_TRUE(lab.services().restart(kUnit, kDeadline));
  EXPECT_EQ(words(lab).at(1), "--v=2");
  ASSERT_TRUE(lab.services().reload(kDeadline));
  ASSERT_TRUE(lab.services().restart(kUnit, kDeadline));
  EXPECT_EQ(words(lab).at(1), "--v=9");
}

// Source: measured on systemd 252: the job is refused and the old process runs on.
TEST(FakeServices, BrokenUnitIsRefusedAndTheOldProcessRunsOn) {
  Lab lab(node());
  lab.services().boot();
  const std::int64_t old = lab.services().pid();
  lab.services().write("/etc/systemd/system/kubelet.service", "[Service]\nRestart=always\n");
  ASSERT_TRUE(lab.services().reload(kDeadline));
  EXPECT_EQ(lab.services().show(kUnit)->load_state, "bad-setting");
  EXPECT_FALSE(lab.services().restart(kUnit, kDeadline));
  EXPECT_EQ(lab.services().pid(), old);
}

TEST(FakeServices, DeadKubeletIsStartedAgainAfterTheDelay) {
  Lab lab(node());
  Misbehaviour how;
  how.dies_after = Milliseconds(1000);
  how.starts = 1;
  how.exit_status = 7;
  how.last_words = {"bye"};
  lab.services().misbehave(how);
  ASSERT_TRUE(lab.services().restart(kUnit, kDeadline));
  const std::int64_t first = lab.services().pid();
  const std::string invocation = lab.services().show(kUnit)->invocation_id;
  const TimePoint begin = lab.services().now();
  EXPECT_TRUE(lab.services().wait_until(begin + std::chrono::hours(1), first));
  EXPECT_EQ(lab.services().now() - begin, Milliseconds(1000));
  EXPECT_FALSE(lab.tree().exists("/proc/1000"));
  const ports::UnitState down = *lab.services().show(kUnit);
  EXPECT_EQ(down.sub_state, "auto-restart");
  EXPECT_EQ(down.main_pid, 0);
  EXPECT_EQ(down.exec_main_status, 7);
  wait(lab, Milliseconds(2000));
  const ports::UnitState again = *lab.services().show(kUnit);
  EXPECT_EQ(again.sub_state, "running");
  EXPECT_EQ(again.restarts, 1);
  EXPECT_NE(again.main_pid, first);
  EXPECT_NE(again.invocation_id, invocation);
  EXPECT_EQ(*lab.services().last_words(kUnit, invocation, 0, 5), std::vector<std::string>{"bye"});
  EXPECT_TRUE(lab.services().last_words(kUnit, again.invocation_id, 0, 5)->empty());
}

// Source: measured on systemd 219 to 257: the start too many is refused with the old process dead.
TEST(FakeServices, StartLimitKillsTheOldProcessAndRefusesTheStart) {
  Lab lab(node());
  lab.services().boot();
  lab.services().start_limit_burst = 2;
  ASSERT_TRUE(lab.services().restart(kUnit, kDeadline));
  ASSERT_TRUE(lab.services().restart(kUnit, kDeadline));
  EXPECT_FALSE(lab.services().restart(kUnit, kDeadline));
  EXPECT_EQ(lab.services().show(kUnit)->result, "start-limit-hit");
  EXPECT_EQ(lab.services().pid(), 0);
  ASSERT_TRUE(lab.services().reset_failed(kUnit));
  EXPECT_TRUE(lab.services().restart(kUnit, kDeadline));
}

TEST(FakeServices, OnlyAKubeletWithTheEntryMisbehaves) {
  Lab lab(node());
  Misbehaviour how;
  how.only_with = "kernel.sem";
  how.dies_after = Milliseconds(0);
  lab.services().misbehave(how);
  ASSERT_TRUE(lab.services().restart(kUnit, kDeadline));
  wait(lab, Milliseconds(500));
  EXPECT_NE(lab.services().pid(), 0);
  lab.services().write(
      "/etc/default/kubelet",
      "KUBELET_EXTRA_ARGS=--allowed-unsafe-sysctls=net.core.somaxconn,kernel.sem\n");
  ASSERT_TRUE(lab.services().restart(kUnit, kDeadline));
  EXPECT_EQ(lab.services().pid(), 0);
}

TEST(FakeServices, HealthSocketOpensLateAndBelongsToTheKubelet) {
  Lab lab(node());
  Misbehaviour how;
  how.healthy_after = Milliseconds(300);
  how.unhealthy_after = Milliseconds(900);
  lab.services().misbehave(how);
  ASSERT_TRUE(lab.services().restart(kUnit, kDeadline));
  EXPECT_FALSE(lab.services().get("127.0.0.1", 10248, "/healthz", kDeadline));
  EXPECT_TRUE(listening_inodes(lab.tree().read("/proc/1000/net/tcp"), 10248).empty());
  wait(lab, Milliseconds(300));
  EXPECT_EQ(lab.services().get("127.0.0.1", 10248, "/healthz", kDeadline)->status, 200);
  EXPECT_EQ(listening_inodes(lab.tree().read("/proc/1000/net/tcp"), 10248).size(), 1u);
  EXPECT_TRUE(lab.tree().exists("/proc/1000/fd/3"));
  wait(lab, Milliseconds(600));
  EXPECT_EQ(lab.services().get("127.0.0.1", 10248, "/healthz", kDeadline)->status, 500);
}

// Source: systemd-run 252: a name that is taken is refused, a timer that has elapsed is gone.
TEST(FakeServices, TimerIsDueAtItsTimeOnceAndItsNameIsTakenUntilThen) {
  Lab lab(node());
  FakeServices& services = lab.services();
  ASSERT_TRUE(services.arm_timer("trial", "", Milliseconds(1000), {"/bin/true"}));
  EXPECT_FALSE(services.arm_timer("trial", "", Milliseconds(1), {"/bin/true"}));
  wait(lab, Milliseconds(999));
  EXPECT_TRUE(services.due_timers().empty());
  wait(lab, Milliseconds(1));
  const auto due = services.due_timers();
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].command, std::vector<std::string>{"/bin/true"});
  EXPECT_TRUE(services.due_timers().empty());
  ASSERT_TRUE(services.arm_timer("trial", "", Milliseconds(1000), {"/bin/true"}));
  ASSERT_TRUE(services.disarm_timer("trial"));
  EXPECT_TRUE(services.disarm_timer("trial"));
  EXPECT_TRUE(services.timers.empty());
}

TEST(FakeServices, ProgramThatHasEndedChangesNothing) {
  Lab lab(node());
  FakeServices& services = lab.services();
  services.boot();
  const std::int64_t pid = services.pid();
  services.dead = true;
  EXPECT_FALSE(services.reload(kDeadline));
  EXPECT_FALSE(services.restart(kUnit, kDeadline));
  EXPECT_FALSE(services.arm_timer("trial", "", Milliseconds(1000), {"/bin/true"}));
  EXPECT_FALSE(services.write(ports::LogEntry{}));
  EXPECT_EQ(services.pid(), pid);
  EXPECT_TRUE(services.changes.empty());
  EXPECT_TRUE(services.timers.empty());
  EXPECT_TRUE(services.log_entries.empty());
}

TEST(FakeServices, FilesCarryTheTimeOfTheNode) {
  Lab lab(node());
  lab.services().boot();
  auto before = lab.services().files().read("/etc/default/kubelet");
  ASSERT_TRUE(before);
  EXPECT_LT(before->meta.ctime_ns / 1000000, lab.services().wall_ms() - 60000);
  ASSERT_TRUE(lab.services().files().replace(*before, "A=1\n"));
  EXPECT_EQ(lab.services().files().read("/etc/default/kubelet")->meta.ctime_ns / 1000000,
            lab.services().wall_ms());
}

TEST(FakeServices, ModelOfABootedNodeHasNoDrift) {
  for (const char* kind : {"kops", "kubeadm-rpm", "kubeadm-deb", "eks-al2023"}) {
    Lab lab{std::string(kind)};
    lab.services().boot();
    auto model = lab.model();
    ASSERT_TRUE(model) << kind << ": " << model.error().message;
    ASSERT_TRUE(model->running) << kind;
    EXPECT_TRUE(model->running->entries) << kind;
    EXPECT_FALSE(model->drift) << kind;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
