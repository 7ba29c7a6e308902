// SPDX-License-Identifier: Apache-2.0
// What systemctl prints, as systemd 252 printed it in a booted container.

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "machine/systemctl_output.hpp"

namespace kubelet_sysctl {
namespace {

using Words = std::vector<std::string>;

constexpr const char* kRunning = R"(Type=simple
RestartUSec=1.500000s
MainPID=88
Result=success
NRestarts=2
ExecMainStatus=0
ControlGroup=/system.slice/good.service
Id=good.service
LoadState=loaded
ActiveState=active
SubState=running
FragmentPath=/etc/systemd/system/good.service
DropInPaths="/etc/systemd/system/good.service.d/10-a b\"c\$d\\e.conf" )"
                                 R"(/etc/systemd/system/good.service.d/20.conf )"
                                 R"("/etc/systemd/system/good.service.d/30-ü'x.conf"
Job=
NeedDaemonReload=no
LoadError=
StartLimitIntervalUSec=10s
StartLimitBurst=5
ExecMainStartTimestampMonotonic=4426156234
InvocationID=dc93fb6b75784fe8912f54248678c645
)";

TEST(SystemctlOutput, RunningUnitIsReadWhole) {
  const auto unit = machine::parse_show(kRunning);
  ASSERT_TRUE(unit);
  EXPECT_EQ(unit->id, "good.service");
  EXPECT_EQ(unit->load_state, "loaded");
  EXPECT_EQ(unit->load_error, "");
  EXPECT_EQ(unit->active_state, "active");
  EXPECT_EQ(unit->sub_state, "running");
  EXPECT_EQ(unit->result, "success");
  EXPECT_EQ(unit->type, "simple");
  EXPECT_EQ(unit->fragment_path, "/etc/systemd/system/good.service");
  EXPECT_EQ(unit->control_group, "/system.slice/good.service");
  EXPECT_EQ(unit->invocation_id, "dc93fb6b75784fe8912f54248678c645");
  EXPECT_EQ(unit->main_pid, 88);
  EXPECT_EQ(unit->restarts, 2);
  EXPECT_EQ(unit->start_limit_interval_usec, 10'000'000u);
  EXPECT_EQ(unit->start_limit_burst, 5u);
  EXPECT_EQ(unit->main_start_usec, 4'426'156'234u);
  EXPECT_FALSE(unit->needs_reload);
  EXPECT_FALSE(unit->job_pending);
}

TEST(SystemctlOutput, DropInsAreUnquotedAsShellWords) {
  const auto unit = machine::parse_show(kRunning);
  ASSERT_TRUE(unit);
  EXPECT_EQ(unit->drop_in_paths, (Words{"/etc/systemd/system/good.service.d/10-a b\"c$d\\e.conf",
                                        "/etc/systemd/system/good.service.d/20.conf",
                                        "/etc/systemd/system/good.service.d/30-ü'x.conf"}));
}

// As 252 prints them.
TEST(SystemctlOutput, TheLoadedCommandIsReadWithItsEnvironment) {
  const auto unit = machine::parse_show(
      "LoadState=loaded\n"
      "ExecStart={ path=/usr/bin/kubelet ; argv[]=/usr/bin/kubelet --a=b c $ARGS ; "
      "ignore_errors=no ; "
      "start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }\n"
      "Environment=\"B=b \\\"c\" A=a\n"
      "EnvironmentFiles=/etc/default/kubelet (ignore_errors=yes)\n"
      "EnvironmentFiles=/etc/sysconfig/*.env (ignore_errors=no)\n");
  ASSERT_TRUE(unit);
  EXPECT_EQ(unit->loaded.command, "/usr/bin/kubelet --a=b c $ARGS");
  EXPECT_EQ(unit->loaded.environment, (Words{"A=a", "B=b \"c"}));
  EXPECT_EQ(unit->loaded.environment_files, (Words{"/etc/default/kubelet (ignore_errors=yes)",
                                                   "/etc/sysconfig/*.env (ignore_errors=no)"}));
}

TEST(SystemctlOutput, UnitThatDoesNotExistIsAnAnswer) {
  const auto unit = machine::parse_show(
      "Type=\nRestartUSec=100ms\nMainPID=0\nResult=success\nId=nosuch.service\n"
      "LoadState=not-found\nActiveState=inactive\nSubState=dead\nFragmentPath=\nDropInPaths=\n"
      "Job=\nLoadError=org.freedesktop.systemd1.NoSuchUnit \"Unit nosuch.service not found.\"\n"
      "InvocationID=\n");
  ASSERT_TRUE(unit);
  EXPECT_EQ(unit->load_state, "not-found");
  EXPECT_EQ(unit->load_error, "Unit nosuch.service not found.");
  EXPECT_TRUE(unit->drop_in_paths.empty());
  EXPECT_EQ(unit->invocation_id, "");
}

TEST(SystemctlOutput, QueuedJobAndFailedStartAreSeen) {
  const auto unit = machine::parse_show(
      "StartLimitIntervalUSec=infinity\nMainPID=0\nExecMainStatus=203\nLoadState=loaded\nResult="
      "exit-code\n"
      "ActiveState=activating\nSubState=start\nJob=177\nNeedDaemonReload=yes\n");
  ASSERT_TRUE(unit);
  EXPECT_TRUE(unit->job_pending);
  EXPECT_TRUE(unit->needs_reload);
  EXPECT_EQ(unit->exec_main_status, 203);
  EXPECT_EQ(unit->start_limit_interval_usec, std::numeric_limits<std::uint64_t>::max());
}

// 219 has neither NRestarts nor InvocationID; 229 names the interval differently and counts it.
TEST(SystemctlOutput, PropertiesThatAVersionLacksKeepTheirDefaults) {
  const auto unit =
      machine::parse_show("LoadState=loaded\nMainPID=7\nStartLimitInterval=10000000\n");
  ASSERT_TRUE(unit);
  EXPECT_EQ(unit->restarts, 0);
  EXPECT_EQ(unit->invocation_id, "");
  EXPECT_EQ(unit->start_limit_interval_usec, 10'000'000u);
}

TEST(SystemctlOutput, OutputWithoutLoadStateIsMalformed) {
  const auto unit = machine::parse_show("");
  ASSERT_FALSE(unit);
  EXPECT_EQ(unit.error().kind, ErrorKind::kMalformed);
}

TEST(SystemctlOutput, ListsOfOlderVersionsAreReadAsFarAsTheyGo) {
  EXPECT_EQ(machine::parse_list("/a\\x20b.conf /c.conf"), (Words{"/a b.conf", "/c.conf"}));  // 229
  EXPECT_EQ(machine::parse_list("[unprintable] /c.conf"),
            (Words{"[unprintable]", "/c.conf"}));                           // 237, 245
  EXPECT_EQ(machine::parse_list("\"a\\nb\\tc\\`\""), (Words{"a\nb\tc`"}));  // 247
  EXPECT_TRUE(machine::parse_list("").empty());
}

// Units: systemd.time(7). 252 printed "1h 30min 3s" for 90min 3s, "1.500000s" for 1500ms, "0" for
// 0.
TEST(SystemctlOutput, TimeSpansAreMicroseconds) {
  EXPECT_EQ(machine::parse_time_span("0"), 0u);
  EXPECT_EQ(machine::parse_time_span("7ms"), 7'000u);
  EXPECT_EQ(machine::parse_time_span("2s"), 2'000'000u);
  EXPECT_EQ(machine::parse_time_span("1.500000s"), 1'500'000u);
  EXPECT_EQ(machine::parse_time_span("1h 30min 3s"), 5'403'000'000u);
  EXPECT_EQ(machine::parse_time_span("1min 500ms"), 60'500'000u);
  EXPECT_EQ(machine::parse_time_span("1w 2d"), 9u * 86'400'000'000u);
  EXPECT_EQ(machine::parse_time_span("5us"), 5u);
  EXPECT_EQ(machine::parse_time_span("infinity"), std::numeric_limits<std::uint64_t>::max());
}

TEST(SystemctlOutput, WhatIsNoTimeSpanIsNone) {
  for (const char* text :
       {"", "s", "1x", "1.2.3s", "-1s", "1 fortnight", "99999999999999999999y"}) {
    EXPECT_FALSE(machine::parse_time_span(text)) << text;
  }
}

TEST(SystemctlOutput, EnvironmentBlockIsUnquoted) {
  EXPECT_EQ(machine::parse_environment_block("LANG=C.UTF-8\nBAR=$'x\\'y'\nBS=$'a\\\\b'\nEMPTY=\n"
                                             "FOO=$'a b'\nNL=$'a\\nb'\nU=ü\n"),
            (Words{"LANG=C.UTF-8", "BAR=x'y", "BS=a\\b", "EMPTY=", "FOO=a b", "NL=a\nb", "U=ü"}));
}

TEST(SystemctlOutput, VersionIsTheNumberOfTheFirstLine) {
  EXPECT_EQ(machine::parse_version("systemd 252 (252.39-1~deb12u2)\n+PAM +AUDIT\n"), 252);
  EXPECT_EQ(machine::parse_version("systemd 219\n+PAM\n"), 219);
  EXPECT_FALSE(machine::parse_version("systemctl: command not found\n"));
}

}  // namespace
}  // namespace kubelet_sysctl
