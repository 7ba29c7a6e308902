// SPDX-License-Identifier: Apache-2.0
// How a change ends when nothing is in its way, and what is asked of systemd in which order.
#include <cerrno>
#include <chrono>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kArguments = "/etc/default/kubelet";

Lab::NodeFiles flag_node() {
  return plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS",
                    "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=net.core.somaxconn\"\n");
}

/// The list is in the command of a unit in /etc: an edit of it needs a daemon-reload.
Lab::NodeFiles unit_node() {
  return {{"/etc/systemd/system/kubelet.service",
           "[Service]\nExecStart=/usr/bin/kubelet --allowed-unsafe-sysctls=net.core.somaxconn\n"}};
}

std::vector<std::string> names_of(const std::vector<transaction::Step>& steps) {
  std::vector<std::string> names;
  for (const transaction::Step& step : steps) names.push_back(step.what);
  return names;
}

TEST(Apply, FlagIsSeenInTheArgumentsOfTheNewProcess) {
  Lab lab(flag_node());
  lab.services().boot();
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied);
  EXPECT_TRUE(outcome->changed);
  ASSERT_TRUE(outcome->evidence);
  EXPECT_EQ(outcome->evidence->pid, lab.services().pid());
  EXPECT_EQ(outcome->evidence->argv, true);
  EXPECT_FALSE(outcome->evidence->config_file);
  EXPECT_EQ(outcome->evidence->health, "ok");
  EXPECT_EQ(outcome->before, std::vector<std::string>{"net.core.somaxconn"});
  EXPECT_EQ(outcome->after, (std::vector<std::string>{"net.core.somaxconn", "kernel.sem"}));
  EXPECT_EQ(lab.tree().read(kArguments),
            "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=net.core.somaxconn,kernel.sem\"\n");
  EXPECT_EQ(lab.services().started_lists.back(),
            (std::vector<std::string>{"net.core.somaxconn", "kernel.sem"}));
  EXPECT_EQ(names_of(outcome->steps),
            (std::vector<std::string>{"keep the original bytes", "write /etc/default/kubelet",
                                      "restart kubelet.service",
                                      "confirm the list in the running kubelet"}));
  auto record = newest_record(lab);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->id, outcome->transaction);
  EXPECT_EQ(record->state, transaction::TransactionState::kConfirmed);
  EXPECT_EQ(record->sudo_user, "alice");
  EXPECT_EQ(record->reason, "a test");
}

// systemctl(1) waits for the start job, and that of a unit of Type=notify ends when the service says it is up.
TEST(Apply, AUnitThatComesBackLateIsWaitedForAsLongAsTheTimeoutSays) {
  Lab lab(flag_node());
  lab.services().boot();
  lab.options.timeout = std::chrono::minutes(10);
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(lab.services().restart_deadline, std::chrono::minutes(10));
}

TEST(Apply, TheTimeoutHoldsFromTheRestartOnAndNotForTheWayBack) {
  Lab lab(flag_node());
  lab.services().boot();
  lab.options.timeout = std::chrono::seconds(20);
  ASSERT_TRUE(lab.change(add({"kernel.sem"})));
  EXPECT_EQ(lab.services().restart_deadline, std::chrono::seconds(20));
  Misbehaviour how;
  how.only_with = "kernel.msgmax";
  how.dies_after = Milliseconds(100);
  lab.services().misbehave(how);
  auto outcome = lab.change(add({"kernel.msgmax"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kRolledBack);
  // TimeoutStopSec= and TimeoutStartSec= are 90 s each without a setting: systemd-system.conf(5).
  EXPECT_GE(lab.services().restart_deadline, std::chrono::seconds(180));
}

TEST(Apply, FileRouteIsSeenByAFileOlderThanTheProcessThatNamesIt) {
  Lab lab(std::string("kubeadm-deb"));
  lab.services().boot();
  auto outcome = lab.change(add({"net.ipv4.tcp_rmem"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied)
      << (outcome->cause ? outcome->cause->message : "");
  ASSERT_TRUE(outcome->evidence);
  EXPECT_FALSE(outcome->evidence->argv);
  EXPECT_EQ(outcome->evidence->config_file, "/var/lib/kubelet/config.yaml");
  EXPECT_EQ(lab.services().started_lists.back(),
            (std::vector<std::string>{"net.core.somaxconn", "kernel.shm*", "net.ipv4.tcp_rmem"}));
}

TEST(Apply, DropInOfTheKubeletIsSeenToo) {
  Lab lab(std::string("eks-al2023"));
  lab.services().boot();
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied)
      << (outcome->cause ? outcome->cause->message : "");
  EXPECT_EQ(outcome->evidence->config_file,
            "/etc/kubernetes/kubelet/config.json.d/90-kubelet-sysctl.conf");
  EXPECT_EQ(lab.services().started_lists.back(),
            (std::vector<std::string>{"net.core.somaxconn", "kernel.sem"}));
}

TEST(Apply, KubeletBehindAWrapperIsSeenByItsOwnWords) {
  Lab::NodeFiles files = plain_node("/opt/start-kubelet", "");
  files.emplace_back("/etc/kubelet.yaml",
                     "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
                     "allowedUnsafeSysctls: [kernel.sem]\n");
  Lab lab(files);
  Misbehaviour wrapped;  // the wrapper replaces itself
  wrapped.argv = std::vector<std::string>{"/usr/bin/kubelet", "--config=/etc/kubelet.yaml"};
  lab.services().misbehave(wrapped);
  lab.services().boot();
  auto outcome = lab.change(add({"net.core.somaxconn"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied)
      << (outcome->cause ? outcome->cause->message : "");
  EXPECT_EQ(outcome->evidence->config_file, "/etc/kubelet.yaml");
}

TEST(Apply, NothingToDoWritesNothingAndRestartsNothing) {
  Lab lab(flag_node());
  lab.services().boot();
  const auto before = lab.tree().files();
  auto outcome = lab.change(add({"net.core.somaxconn"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kUnchanged);
  EXPECT_FALSE(outcome->changed);
  EXPECT_TRUE(lab.services().changes.empty());
  EXPECT_EQ(lab.faults().count(Calls::kChanging), 0u);
  EXPECT_EQ(lab.tree().files(), before);
}

TEST(Apply, DryRunWritesNothingAndSaysWhatItWouldDo) {
  Lab lab(flag_node());
  lab.services().boot();
  lab.options.dry_run = true;
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kPlanned);
  EXPECT_TRUE(outcome->restart);
  ASSERT_EQ(outcome->edits.size(), 1u);
  EXPECT_EQ(lab.faults().count(Calls::kChanging), 0u);
  EXPECT_TRUE(lab.services().changes.empty());
}

TEST(Apply, WithoutRestartTheChangeWaits) {
  Lab lab(flag_node());
  lab.services().boot();
  lab.options.restart = false;
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kPending);
  EXPECT_TRUE(outcome->changed);
  EXPECT_FALSE(outcome->evidence);
  EXPECT_TRUE(lab.services().changes.empty());
  EXPECT_EQ(newest_record(lab)->state, transaction::TransactionState::kPending);
  EXPECT_TRUE(lab.model()->drift);
}

TEST(Apply, RestartAloneBringsWhatTheFilesSayAlready) {
  Lab lab(flag_node());
  lab.services().boot();
  lab.options.restart = false;
  ASSERT_TRUE(lab.change(add({"kernel.sem"})));
  lab.options.restart = true;
  const auto before = lab.tree().files();
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied);
  EXPECT_TRUE(outcome->changed);
  EXPECT_TRUE(outcome->transaction.empty());
  EXPECT_EQ(lab.tree().files(), before);
  EXPECT_EQ(lab.services().changes, std::vector<std::string>{"restart"});
  EXPECT_FALSE(lab.model()->drift);
}

TEST(Apply, UnitThatDoesNotRunGetsTheChangeAtItsNextStart) {
  Lab lab(flag_node());
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kPending);
  EXPECT_TRUE(lab.services().changes.empty());
}

TEST(Apply, UnderARootDirectoryNobodyIsAsked) {
  Lab lab(unit_node());
  lab.services().is_booted = false;
  lab.discover.live = false;
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kPending);
  EXPECT_TRUE(lab.services().changes.empty());
  EXPECT_EQ(lab.tree().read("/etc/systemd/system/kubelet.service"),
            "[Service]\nExecStart=/usr/bin/kubelet "
            "--allowed-unsafe-sysctls=net.core.somaxconn,kernel.sem\n");
}

// A restart without a reload exits with 0 and brings the old command line back.
TEST(Apply, ChangedUnitFileIsReloadedBeforeTheRestart) {
  Lab lab(unit_node());
  lab.services().boot();
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(lab.services().changes, (std::vector<std::string>{"reload", "restart"}));
}

TEST(Apply, ChangedUnitFileIsReloadedWithoutARestartToo) {
  Lab lab(unit_node());
  lab.services().boot();
  lab.options.restart = false;
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kPending);
  EXPECT_EQ(lab.services().changes, std::vector<std::string>{"reload"});
}

TEST(Apply, EnvironmentFileNeedsNoReloadUnlessSystemdSaysSo) {
  Lab lab(flag_node());
  lab.services().boot();
  ASSERT_TRUE(lab.change(add({"kernel.sem"})));
  EXPECT_EQ(lab.services().changes, std::vector<std::string>{"restart"});
  lab.services().changes.clear();
  lab.services().says_needs_reload = true;
  ASSERT_TRUE(lab.change(remove({"kernel.sem"})));
  EXPECT_EQ(lab.services().changes, (std::vector<std::string>{"reload", "restart"}));
}

// Starts by hand count for the limit, and the one too many leaves the kubelet dead.
TEST(Apply, StartLimitIsClearedBeforeTheRestart) {
  Lab lab(flag_node());
  lab.services().start_limit_burst = 1;
  lab.services().start_limit_interval = std::chrono::hours(1);
  lab.services().boot();
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(lab.services().changes, (std::vector<std::string>{"reset-failed", "restart"}));
}

TEST(Apply, ForeignEditSinceTheReadingIsAConflictAndNothingIsWritten) {
  Lab lab(flag_node());
  lab.services().boot();
  auto prepared = lab.prepare(add({"kernel.sem"}));
  ASSERT_TRUE(prepared);
  lab.services().write(kArguments, "KUBELET_EXTRA_ARGS=--v=5\n");
  const auto before = lab.tree().files();
  auto outcome = lab.carry_out(*prepared);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(lab.tree().files(), before);
  EXPECT_TRUE(lab.services().changes.empty());
  EXPECT_EQ(newest_record(lab)->state, transaction::TransactionState::kRolledBack);
}

TEST(Apply, NothingIsWrittenToAUnitThatSystemdDoesNotHaveLoadedOrThatHasAJob) {
  Lab lab(flag_node());
  lab.services().boot();
  lab.services().has_job = true;
  auto busy = lab.change(add({"kernel.sem"}));
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().kind, ErrorKind::kConflict);
  lab.services().has_job = false;
  lab.services().load_state_after_reload = "bad-setting";
  ASSERT_TRUE(lab.services().reload(Milliseconds(1)));
  auto broken = lab.change(add({"kernel.sem"}));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind, ErrorKind::kMalformed);
  EXPECT_EQ(lab.faults().count(Calls::kChanging), 0u);
}

TEST(Apply, SignalBeforeTheFirstWriteChangesNothing) {
  Lab lab(flag_node());
  lab.services().boot();
  lab.services().interrupt();
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kInterrupted);
  EXPECT_EQ(lab.faults().count(Calls::kChanging), 0u);
}

TEST(Apply, KubeletThatIsDownIsStartedWithTheNewList) {
  Lab lab(flag_node());
  lab.services().boot();
  lab.services().stop(true);
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied);
  EXPECT_TRUE(outcome->was_down);
}

TEST(Apply, RecordThatCannotBeClosedDoesNotTakeBackAKubeletThatRuns) {
  Lab lab(flag_node());
  lab.services().boot();
  auto prepared = lab.prepare(add({"kernel.sem"}));
  ASSERT_TRUE(prepared);
  lab.options.on_begin = [&lab](const std::string& what) {
    if (what == "restart kubelet.service") {
      lab.faults().fail(1, Calls::kChanging, {.message = "no space left on device"}, true);
    }
  };
  auto outcome = lab.carry_out(*prepared);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(ids_of(outcome->findings), std::vector<std::string>{"record-not-closed"});
  EXPECT_EQ(newest_record(lab)->state, transaction::TransactionState::kWritten);
}

/// The kind of the error that a run ends with whose first call on a path like `where` meets a file system that is
/// mounted read-only.
ErrorKind kind_on_read_only(const std::string& where) {
  Lab lab(flag_node());
  lab.services().boot();
  auto prepared = lab.prepare(add({"kernel.sem"}));
  EXPECT_TRUE(prepared);
  // The number of the call is found on a node of its own.
  Lab other(flag_node());
  other.services().boot();
  auto same = other.prepare(add({"kernel.sem"}));
  other.faults().heal();
  EXPECT_TRUE(other.carry_out(*same));
  const auto calls = other.faults().calls(Calls::kChanging);
  const auto first = std::find_if(calls.begin(), calls.end(), [&where](const std::string& call) {
    return call.find(where) != std::string::npos;
  });
  EXPECT_NE(first, calls.end()) << where;
  lab.faults().fail(static_cast<std::size_t>(first - calls.begin()) + 1, Calls::kChanging,
                    {.kind = ErrorKind::kPermission,
                     .message = "cannot write: Read-only file system",
                     .number = EROFS});
  auto outcome = lab.carry_out(*prepared);
  EXPECT_FALSE(outcome) << where;
  return outcome ? ErrorKind::kIo : outcome.error().kind;
}

TEST(ReadOnly, TheFileOfTheListIsARefusalAndTheStateDirectoryTheMachinesNo) {
  EXPECT_EQ(kind_on_read_only("stage /etc/"), ErrorKind::kRefused);
  EXPECT_EQ(kind_on_read_only("/var/lib/kubelet-sysctl"), ErrorKind::kPermission);
}

}  // namespace
}  // namespace kubelet_sysctl
