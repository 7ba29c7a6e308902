// SPDX-License-Identifier: Apache-2.0
// Systemctl against stand-in programs that say what systemctl 219 to 257 were measured to say.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/systemctl.hpp"
#include "support/scratch.hpp"

namespace kubelet_sysctl {
namespace {

using Words = std::vector<std::string>;

/// A machine whose systemctl and journalctl are these shell scripts.
class Machine {
 public:
  Machine() { std::filesystem::create_directories(paths_.booted = scratch_.path("/system")); }
  machine::Systemctl with(const std::string& systemctl, const std::string& journalctl = "exit 1") {
    paths_.systemctl = program("/systemctl", systemctl);
    paths_.journalctl = program("/journalctl", journalctl);
    paths_.systemd_run = program("/systemd-run", systemctl);
    paths_.maps_of_manager = scratch_.path("/maps");
    return machine::Systemctl(paths_);
  }
  machine::SystemctlPaths& paths() { return paths_; }
  [[nodiscard]] const Scratch& scratch() const { return scratch_; }

 private:
  std::string program(const std::string& below, const std::string& script) {
    scratch_.write(below, "#!/bin/sh\n" + script + "\n");
    EXPECT_EQ(::chmod(scratch_.path(below).c_str(), 0755), 0);
    return scratch_.path(below);
  }
  Scratch scratch_;
  machine::SystemctlPaths paths_;
};

Error error_of_restart(const std::string& systemctl) {
  Machine machine;
  const auto status = machine.with(systemctl).restart("kubelet.service", Milliseconds(20'000), {});
  EXPECT_FALSE(status);
  return status ? Error{} : status.error();
}

TEST(Systemctl, ShowIsOneCallWithTheUnitBehindTheOptions) {
  Machine machine;
  const std::string calls = machine.scratch().path("/calls");
  machine::Systemctl services =
      machine.with("echo \"$1 $2 $4 $5\" >> " + calls + "; echo LoadState=loaded; echo MainPID=42");
  const auto unit = services.show("kubelet.service");
  ASSERT_TRUE(unit);
  EXPECT_EQ(unit->main_pid, 42);
  EXPECT_EQ(machine.scratch().read("/calls"), "show -p -- kubelet.service\n");
}

TEST(Systemctl, AskingAgainAtOnceKeepsTheAnswerThatIsOnItsWay) {
  Machine machine;
  const std::string calls = machine.scratch().path("/calls");
  machine::Systemctl services =
      machine.with("echo $5 >> " + calls + "; echo LoadState=loaded; echo MainPID=42");
  services.begin_show("kubelet.service");
  services.begin_show("kubelet.service");
  const auto unit = services.show("kubelet.service");
  ASSERT_TRUE(unit);
  EXPECT_EQ(unit->main_pid, 42);
  EXPECT_EQ(machine.scratch().read("/calls"), "kubelet.service\n");
}

// A Ctrl-C or the kernel short of memory: it says nothing of the unit, and nothing of what was asked for.
TEST(Systemctl, IsAskedAgainWhereASignalEndedIt) {
  Machine machine;
  machine::Systemctl services = machine.with(
      "[ -e ${0%/*}/$1 ] || { touch ${0%/*}/$1; kill -INT $$; }; echo LoadState=loaded; echo "
      "MainPID=42");
  const auto unit = services.show("kubelet.service");
  ASSERT_TRUE(unit);
  EXPECT_EQ(unit->main_pid, 42);
  EXPECT_TRUE(services.reload(Milliseconds(20'000)));
  EXPECT_TRUE(services.reset_failed("kubelet.service"));
  services.begin_show("kubelet.service");
  EXPECT_TRUE(services.show("kubelet.service"));
  const std::vector<std::string> names = machine.scratch().names("");
  for (const char* verb : {"show", "daemon-reload", "reset-failed"}) {
    EXPECT_EQ(std::count(names.begin(), names.end(), verb), 1) << verb;
  }
}

TEST(Systemctl, QuestionThatASignalEndsTwiceIsAnErrorWithTheSignal) {
  Machine machine;
  const auto unit = machine.with("kill -INT $$").show("kubelet.service");
  ASSERT_FALSE(unit);
  EXPECT_EQ(unit.error().message, "systemctl show failed: killed by signal 2");
}

TEST(Systemctl, PatternsAreNoUnitNames) {
  Machine machine;
  machine::Systemctl services = machine.with("echo LoadState=loaded");
  for (const char* unit : {"kube*", "", "a b", "x/../y", "kubelet.service\n"}) {
    EXPECT_EQ(services.show(unit).error().kind, ErrorKind::kUsage) << unit;
  }
  EXPECT_TRUE(services.show("a-b@x\\x2d.service"));
}

TEST(Systemctl, WithoutTheDirectoryOfSystemdNothingIsRun) {
  Machine machine;
  machine::Systemctl services = machine.with("exit 0");
  EXPECT_TRUE(services.booted());
  std::filesystem::remove(machine.paths().booted);
  EXPECT_FALSE(services.booted());
  const auto status = services.restart("kubelet.service", Milliseconds(20'000), {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kNoSystemd);
}

TEST(Systemctl, MissingProgramIsNoSystemdAndIsNamed) {
  Machine machine;
  machine.with("exit 0");
  machine.paths().systemctl = "/nowhere/systemctl";
  const auto unit = machine::Systemctl(machine.paths()).show("kubelet.service");
  ASSERT_FALSE(unit);
  EXPECT_EQ(unit.error().kind, ErrorKind::kNoSystemd);
  EXPECT_NE(unit.error().message.find("/nowhere/systemctl"), std::string::npos);
}

// It exits with 0 and has done nothing.
TEST(Systemctl, ChrootIsNoSystemdThoughSystemctlSucceeds) {
  const Error error =
      error_of_restart("echo \"Running in chroot, ignoring command 'restart'\" >&2; exit 0");
  EXPECT_EQ(error.kind, ErrorKind::kNoSystemd);
  EXPECT_NE(error.message.find("Running in chroot, ignoring"), std::string::npos);
}

TEST(Systemctl, EveryRefusalHasItsKindAndKeepsItsWords) {
  struct Case {
    const char* words;
    int exit_status;
    ErrorKind kind;
  };
  const std::vector<Case> cases = {
      {"Failed to restart kubelet.service: Unit kubelet.service not found.", 5,
       ErrorKind::kNotFound},
      {"Failed to restart kubelet.service: Interactive authentication required.", 1,
       ErrorKind::kPermission},
      {"Failed to connect to bus: No such file or directory", 1, ErrorKind::kNoSystemd},
      {"Failed to connect to bus: No data available", 1, ErrorKind::kNoSystemd},
      {"System has not been booted with systemd as init system (PID 1). Can't operate.", 1,
       ErrorKind::kNoSystemd},
      {"Failed to restart kubelet.service: Unit kubelet.service is masked.", 1, ErrorKind::kIo}};
  for (const Case& one : cases) {
    const Error error = error_of_restart("echo \"" + std::string(one.words) + "\" >&2; exit " +
                                         std::to_string(one.exit_status));
    EXPECT_EQ(error.kind, one.kind) << one.words;
    EXPECT_TRUE(error.message.ends_with(one.words)) << error.message;
  }
}

/// One word a line, as the stand-in program was called.
const char* const kNoteWords = R"(printf '%s\n' "$@" > "${0%/*}/words")";

// Measured on 252: a service that ends with 7 runs again after 30 s, one that ends otherwise does
// not; a daemon-reload and the end of the session leave the timer alone.
TEST(Systemctl, TimerRunsTheCommandOnceAndAgainWhileTheLockIsHeld) {
  Machine machine;
  machine::Systemctl services = machine.with(kNoteWords);
  ASSERT_TRUE(services.arm_timer("kubelet-sysctl-trial-1", "Undo 20% of it", Milliseconds(90'500),
                                 {"/opt/$x/kubelet-sysctl", "recover", "--end-trial", "%i"}));
  const std::string words = machine.scratch().read("/words");
  for (const char* option : {"--on-active=90500ms", "--unit=kubelet-sysctl-trial-1",
                             "--description=Undo 20% of it", "--collect", "--quiet",
                             "--property=RestartForceExitStatus=7", "--property=RestartSec=30"}) {
    EXPECT_NE(words.find(std::string(option) + "\n"), std::string::npos) << option;
  }
  // The manager takes '$$' for a dollar sign, and escapes a percent sign itself.
  EXPECT_TRUE(words.ends_with("\n--\n/opt/$$x/kubelet-sysctl\nrecover\n--end-trial\n%i\n"))
      << words;
}

TEST(Systemctl, TimerOfATakenNameIsAnErrorInTheManagersWords) {
  Machine machine;
  machine::Systemctl services = machine.with(
      "echo 'Failed to start transient timer unit: Unit a.timer was already loaded or has a "
      "fragment file.' >&2; exit 1");
  const auto status = services.arm_timer("a", "", Milliseconds(1), {"/bin/true"});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kIo);
  EXPECT_TRUE(status.error().message.starts_with("systemd-run failed: Failed to start transient"));
  EXPECT_EQ(services.arm_timer("a*", "", Milliseconds(1), {"/bin/true"}).error().kind,
            ErrorKind::kUsage);
}

TEST(Systemctl, TimerThatIsNotThereNeedsNoDisarming) {
  Machine machine;
  machine::Systemctl services =
      machine.with(std::string(kNoteWords) +
                   "; echo 'Failed to stop a.timer: Unit a.timer not loaded.' >&2; exit 5");
  EXPECT_TRUE(services.disarm_timer("a"));
  EXPECT_EQ(machine.scratch().read("/words"), "stop\n--no-ask-password\n--\na.timer\n");
  EXPECT_FALSE(machine.with("exit 1").disarm_timer("a"));
}

TEST(Systemctl, EnablingNeitherStartsNorReloads) {
  Machine machine;
  machine::Systemctl services = machine.with(kNoteWords);
  ASSERT_TRUE(services.enable("a.service"));
  EXPECT_EQ(machine.scratch().read("/words"),
            "enable\n--no-ask-password\n--quiet\n--no-reload\n--\na.service\n");
  ASSERT_TRUE(services.disable("a.service"));
  EXPECT_EQ(machine.scratch().read("/words"),
            "disable\n--no-ask-password\n--quiet\n--no-reload\n--\na.service\n");
}

TEST(Systemctl, UnitThatHasNoFileIsAlreadyDisabledButCannotBeEnabled) {
  Machine machine;
  machine::Systemctl services =
      machine.with("echo \"Failed to $1 unit: Unit file a.service does not exist.\" >&2; exit 1");
  EXPECT_TRUE(services.disable("a.service"));
  EXPECT_FALSE(services.enable("a.service"));
}

TEST(Systemctl, StartLimitIsHintedWithTheWayOut) {
  const Error error = error_of_restart(
      "echo 'Job for kubelet.service failed because start of the service was attempted too often.' "
      ">&2; exit 1");
  EXPECT_EQ(error.kind, ErrorKind::kIo);
  EXPECT_NE(error.hint.find("systemctl reset-failed"), std::string::npos);
}

TEST(Systemctl, RestartThatHangsIsATimeout) {
  Machine machine;
  const auto status = machine.with("sleep 60").restart("kubelet.service", Milliseconds(100), {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kTimeout);
}

TEST(Systemctl, ARestartThatNobodyWaitsForAnyMoreIsLeft) {
  Machine machine;
  int asked = 0;
  const auto status =
      machine.with("sleep 60").restart("kubelet.service", Milliseconds(20'000), [&asked] {
        return ++asked < 3;
      });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kInterrupted);
  EXPECT_EQ(asked, 3);
}

// RestartMode=direct: measured with 262, where it took 200 s.
TEST(Systemctl, ARestartOfAUnitThatEndsAgainAndAgainIsNotWaitedFor) {
  Machine machine;
  const std::string count = machine.scratch().path("/count");
  machine::Systemctl services = machine.with(
      "[ $1 = show ] || exec sleep 60\n"
      "echo >> " +
      count +
      "\n"
      "echo LoadState=loaded\n"
      "echo NRestarts=$(wc -l < " +
      count + ")");
  EXPECT_TRUE(services.restart("kubelet.service", Milliseconds(15'000), {}));
}

TEST(Systemctl, VersionComesFromTheManagerItselfOrElseFromSystemctl) {
  Machine machine;
  machine::Systemctl services = machine.with("echo 'systemd 219'");
  EXPECT_EQ(services.version(), 219);
  machine.scratch().write("/maps", "0-1 r--p 0 0:0 1 /usr/lib/systemd/libsystemd-shared-252.so\n");
  EXPECT_EQ(services.version(), 252);
}

TEST(Systemctl, LastWordsAreOfOneInvocationAndAtMostSoManyLines) {
  Machine machine;
  machine::Systemctl services = machine.with(
      "exit 0", "echo \"$*\" > " + machine.scratch().path("/call") + "; printf 'a\\nb\\nc\\n'");
  const auto words =
      services.last_words("kubelet.service", "dc93fb6b75784fe8912f54248678c645", 0, 2);
  ASSERT_TRUE(words);
  EXPECT_EQ(*words, (Words{"b", "c"}));
  const std::string call = machine.scratch().read("/call");
  EXPECT_NE(call.find("--unit kubelet.service"), std::string::npos);
  EXPECT_NE(call.find("_SYSTEMD_INVOCATION_ID=dc93fb6b75784fe8912f54248678c645"),
            std::string::npos);
}

// The manager's own lines about a unit, and those of the run before, are no words of this kubelet.
TEST(Systemctl, WithoutAnInvocationLastWordsAreThoseOfTheProcessesSinceTheRestart) {
  Machine machine;
  machine::Systemctl services =
      machine.with("exit 0", "echo \"$*\" > " + machine.scratch().path("/call") + "; echo a");
  ASSERT_TRUE(services.last_words("kubelet.service", "", 1'700'000'000'042, 2));
  const std::string call = machine.scratch().read("/call");
  EXPECT_NE(call.find("--since=@1700000000.042"), std::string::npos) << call;
  EXPECT_NE(call.find(" _SYSTEMD_UNIT=kubelet.service"), std::string::npos) << call;
}

TEST(Systemctl, WithoutAJournalThereAreNoLastWords) {
  Machine machine;
  machine::Systemctl none = machine.with("exit 0", "echo 'No journal files were found.' >&2");
  const auto empty = none.last_words("kubelet.service", "", 0, 5);
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->empty());
  machine.paths().journalctl = "/nowhere/journalctl";
  const auto missing = machine::Systemctl(machine.paths()).last_words("kubelet.service", "", 0, 5);
  ASSERT_TRUE(missing);
  EXPECT_TRUE(missing->empty());
}

TEST(Systemctl, FirstLineOfAStartIsLookedForFromItsBeginningOn) {
  Machine machine;
  machine::Systemctl services = machine.with(
      "exit 0", "echo \"$*\" > " + machine.scratch().path("/call") +
                    "; echo '1795215446.900000 node-1 k3s[812]: Starting'"
                    "; echo '1795215447.123456 node-1 k3s[812]: msg=\"Running kubelet --a=1\"'"
                    "; echo '1795215449.000000 node-1 k3s[812]: Running kubelet again'");
  const auto line = services.first_line_with("k3s.service", "dc93fb6b75784fe8912f54248678c645",
                                             "Running kubelet ", 1795215446789);
  ASSERT_TRUE(line && *line);
  EXPECT_EQ((*line)->at_ms, 1795215447123);
  EXPECT_EQ((*line)->text, "msg=\"Running kubelet --a=1\"");
  const std::string call = machine.scratch().read("/call");
  for (const char* word : {"--unit k3s.service", "--since=@1795215446", "--output=short-unix",
                           "_SYSTEMD_INVOCATION_ID=dc93fb6b75784fe8912f54248678c645"}) {
    EXPECT_NE(call.find(word), std::string::npos) << word;
  }
  machine::Systemctl silent =
      machine.with("exit 0", "echo '1795215446.900000 node-1 k3s[812]: Starting'");
  const auto none = silent.first_line_with("k3s.service", "", "Running kubelet ", 1795215446789);
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}

}  // namespace
}  // namespace kubelet_sysctl
