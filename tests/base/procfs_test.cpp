// SPDX-License-Identifier: Apache-2.0
// The files of /proc as proc(5) describes them and as machines with systemd wrote them.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/procfs.hpp"

namespace kubelet_sysctl {
namespace {

using std::string_view_literals::operator""sv;
using Words = std::vector<std::string>;

// A line of /proc/PID/stat with this name and state; field 22 is 442614, as proc(5) counts.
std::string stat_line(const std::string& name, const std::string& state) {
  return "4242 (" + name + ") " + state +
         " 1 4242 4242 0 -1 4194560 2117 0 3 0 11 4 0 0 20 0 9 0 442614 1267728384 9876 "
         "18446744073709551615 1 1 0 0 0 0 0 0 2143420159 0 0 0 17 1 0 0 0 0 0\n";
}

TEST(Procfs, CommandLineIsWordsEachEndedByANul) {
  EXPECT_EQ(parse_cmdline("/usr/bin/kubelet\0--v=2\0a b\0"sv),
            (Words{"/usr/bin/kubelet", "--v=2", "a b"}));
}

TEST(Procfs, EmptyWordsOfACommandLineAreKept) {
  EXPECT_EQ(parse_cmdline("kubelet\0\0--v\0\0"sv), (Words{"kubelet", "", "--v", ""}));
}

TEST(Procfs, LastWordOfACommandLineMayLackItsNul) {
  EXPECT_EQ(parse_cmdline("kubelet\0--v=2"sv), (Words{"kubelet", "--v=2"}));
}

TEST(Procfs, CommandLineOfAKernelThreadOrZombieHasNoWords) {
  EXPECT_TRUE(parse_cmdline("").empty());
}

TEST(Procfs, StartTimeIsField22) {
  const auto ticks = parse_start_ticks(stat_line("kubelet", "S"));
  ASSERT_TRUE(ticks);
  EXPECT_EQ(*ticks, 442614u);
}

TEST(Procfs, NameMayHoldBlanksAndBrackets) {
  const std::string line = stat_line("a) Z (b 1 2", "S");
  const auto ticks = parse_start_ticks(line);
  ASSERT_TRUE(ticks);
  EXPECT_EQ(*ticks, 442614u);
  EXPECT_FALSE(is_dead(line));
}

TEST(Procfs, StartTimeOfAShortLineIsMalformed) {
  for (const std::string_view line : {""sv, "4242 (kubelet) S 1 2 3\n"sv, "4242 kubelet S"sv}) {
    const auto ticks = parse_start_ticks(line);
    ASSERT_FALSE(ticks) << line;
    EXPECT_EQ(ticks.error().kind, ErrorKind::kMalformed);
  }
}

TEST(Procfs, ZombieAndDeadAreDeadAndTheOthersAreNot) {
  for (const char* state : {"Z", "X"}) EXPECT_TRUE(is_dead(stat_line("kubelet", state))) << state;
  for (const char* state : {"R", "S", "D", "T", "t", "I"}) {
    EXPECT_FALSE(is_dead(stat_line("kubelet", state))) << state;
  }
}

TEST(Procfs, BootTimeIsTheSecondsOfBtime) {
  EXPECT_EQ(parse_boot_time_ms("cpu  1 2 3\nintr 99 0\nctxt 7\nbtime 1795220699\nprocesses 9\n"),
            1795220699000);
  EXPECT_FALSE(parse_boot_time_ms("cpu  1 2 3\nprocesses 9\n"));
}

// Port 10248 is 2808; state 0A listens, 01 is established. Column inode: proc(5).
TEST(Procfs, UptimeIsTheFirstNumberToTheHundredthOfASecond) {
  EXPECT_EQ(parse_uptime_ms("3446.07 6000.00\n"), std::optional<std::int64_t>(3446070));
  EXPECT_EQ(parse_uptime_ms("0.99 1.00\n"), std::optional<std::int64_t>(990));
  for (const char* text : {"", "12", "12.5 1.00", "x.07 1.00", "12.0x 1.00"}) {
    EXPECT_FALSE(parse_uptime_ms(text)) << text;
  }
}

TEST(Procfs, OnlyTheSocketsThatListenOnThePortCount) {
  const std::string_view tcp =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode                                                     \n"
      "   0: 0100007F:2808 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
      "31877 1 0000000000000000 100 0 0 10 0                     \n"
      "   1: 0100007F:2808 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 "
      "31999 1 0000000000000000 20 4 30 10 -1                    \n"
      "   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
      "20011 1 0000000000000000 100 0 0 10 0                     \n";
  EXPECT_EQ(listening_inodes(tcp, 10248), std::vector<std::uint64_t>{31877});
  EXPECT_TRUE(listening_inodes(tcp, 10250).empty());
}

TEST(Procfs, ListeningSocketsOfTcp6AreReadTheSameWay) {
  const std::string_view tcp6 =
      "  sl  local_address                         remote_address                        st ...\n"
      "   0: 00000000000000000000000001000000:2808 00000000000000000000000000000000:0000 0A "
      "00000000:00000000 00:00000000 00000000     0        0 52111 1 0000000000000000 100 0 0\n";
  EXPECT_EQ(listening_inodes(tcp6, 10248), std::vector<std::uint64_t>{52111});
}

TEST(Procfs, LegacyAndHybridLayoutsTellTheUnitInTheNamedLine) {
  EXPECT_EQ(control_group_of("5:memory:/\n1:name=systemd:/system.slice/kubelet.service\n0::/\n"),
            "/system.slice/kubelet.service");
  EXPECT_EQ(control_group_of("1:name=systemd:/runtime.slice/kubelet.service\n"
                             "0::/runtime.slice/kubelet.service\n"),
            "/runtime.slice/kubelet.service");
}

// Source: cgroup_namespaces(7): paths are relative to the reader's root, "/.." leads above it. On nodes
// of the three layouts tests/e2e/cases/host-cgroups reads the same.
TEST(Procfs, AReaderInAnotherCgroupNamespaceGetsNoPathOfAUnit) {
  EXPECT_EQ(control_group_of("0::/../system.slice/kubelet.service\n"),
            "/../system.slice/kubelet.service");
  EXPECT_EQ(control_group_of("9:name=systemd:/../system.slice/kubelet.service\n8:pids:/\n"
                             "0::/../system.slice/kubelet.service\n"),
            "/../system.slice/kubelet.service");
  EXPECT_EQ(control_group_of("9:name=systemd:/../system.slice/kubelet.service\n0::/\n"),
            "/../system.slice/kubelet.service");
  EXPECT_EQ(control_group_of("9:name=systemd:/\n8:pids:/\n0::/\n"), "/");
}

TEST(Procfs, UnifiedLayoutTellsTheUnitInTheLineOfHierarchyZero) {
  EXPECT_EQ(control_group_of("0::/system.slice/kubelet.service\n"),
            "/system.slice/kubelet.service");
  EXPECT_EQ(control_group_of("1:name=systemd:/\n0::/system.slice/kubelet.service\n"),
            "/system.slice/kubelet.service");
}

TEST(Procfs, ControllersMeanNothingAndThePathMayHoldColons) {
  EXPECT_EQ(control_group_of("3:cpu,cpuacct:/other\n1:name=systemd:/a.slice/b:c.service\n"),
            "/a.slice/b:c.service");
  EXPECT_EQ(control_group_of("3:cpu,cpuacct:/other\n"), "");
}

TEST(Procfs, VersionOfSystemdIsInTheNameOfItsLibrary) {
  EXPECT_EQ(systemd_version_in_maps(
                "7f9a64ad6000-7f9a64b41000 r--p 00000000 00:28 10436610                   "
                "/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so\n"),
            252);
  EXPECT_EQ(systemd_version_in_maps("0-1 r--p 0 0:0 1 /usr/lib/systemd/libsystemd-shared-239.so "
                                    "(deleted)\n"),
            239);
  EXPECT_EQ(systemd_version_in_maps("0-1 r--p 0 0:0 1 /usr/lib/systemd/libsystemd-shared-"
                                    "252-13.el9.so\n"),
            252);
  EXPECT_FALSE(systemd_version_in_maps("0-1 r--p 0 0:0 1 /usr/lib/libsystemd.so.0.35.0\n"));
}

}  // namespace
}  // namespace kubelet_sysctl
