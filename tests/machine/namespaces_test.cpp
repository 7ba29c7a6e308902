// SPDX-License-Identifier: Apache-2.0
// The kernel of this machine, asked by us and by util-linux' unshare and a shell.

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/namespaces.hpp"
#include "kubelet_sysctl/machine/run_program.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "support/scratch.hpp"

namespace kubelet_sysctl {
namespace {

using States = std::map<std::string, std::string>;
using Entries = std::vector<std::string>;

/// Names of every kind that the kubelet takes: in most kernels a pod's own, read-only, the node's
/// alone, and missing.
const Entries& asked_names() {
  static const Entries kNames = [] {
    std::istringstream words(
        "net.core.somaxconn net.core.optmem_max net.core.rmem_max net.core.wmem_max "
        "net.core.rmem_default net.core.wmem_default net.core.netdev_max_backlog "
        "net.core.netdev_budget net.core.dev_weight net.core.default_qdisc net.core.busy_poll "
        "net.core.no_such_name net.ipv4.ip_local_port_range net.ipv4.ip_local_reserved_ports "
        "net.ipv4.ip_unprivileged_port_start net.ipv4.ping_group_range net.ipv4.ip_forward "
        "net.ipv4.icmp_echo_ignore_all net.ipv4.ipfrag_high_thresh "
        "net.ipv4.ipfrag_secret_interval net.ipv4.inet_peer_threshold "
        "net.ipv4.conf.all.rp_filter net.ipv4.conf.lo.arp_ignore "
        "net.ipv4.neigh.default.gc_thresh3 net.ipv4.neigh.lo.gc_stale_time "
        "net.ipv4.route.flush net.ipv4.route.max_size net.ipv4.tcp_syncookies "
        "net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_max_syn_backlog "
        "net.ipv4.tcp_tw_reuse net.ipv4.tcp_rmem net.ipv4.tcp_wmem net.ipv4.tcp_mem "
        "net.ipv4.tcp_max_orphans net.ipv4.tcp_congestion_control "
        "net.ipv4.tcp_allowed_congestion_control net.ipv4.tcp_available_congestion_control "
        "net.ipv4.udp_mem net.ipv4.udp_rmem_min net.ipv6.conf.all.disable_ipv6 "
        "net.ipv6.neigh.default.gc_thresh3 net.netfilter.nf_log_all_netns "
        "net.unix.max_dgram_qlen kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem "
        "kernel.shmall kernel.shmmax kernel.shmmni kernel.shm_rmid_forced fs.mqueue.msg_max "
        "fs.mqueue.queues_max");
    return Entries(std::istream_iterator<std::string>(words), {});
  }();
  return kNames;
}

std::string path_of(std::string name) {
  std::replace(name.begin(), name.end(), '.', '/');
  return "/proc/sys/" + name;
}

Result<machine::Ended> unshared(const std::string& script, const Entries& arguments = {}) {
  Entries words = {"--net", "--ipc", "sh", "-c", script, "sh"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return machine::run({.program = "unshare", .arguments = words});
}

/// "path writable" and "path read-only" in lines; nothing of a path that is not there. The
/// redirection opens for appending and writes nothing.
constexpr const char* kLook =
    "for path do [ -f $path ] || continue; "
    "if (exec 3>>$path) 2>/dev/null; then echo $path writable; else echo $path read-only; fi; "
    "done";

States states_from(const std::string& output) {
  States states;
  std::istringstream lines(output);
  for (std::string path, state; lines >> path >> state;) {
    std::replace(path.begin(), path.end(), '/', '.');
    states[path.substr(std::string("/proc/sys/").size())] = state;
  }
  return states;
}

/// What a shell in fresh namespaces sees of names.
States seen_by_shell(const Entries& names) {
  Entries paths;
  for (const std::string& name : names) paths.push_back(path_of(name));
  const auto ended = unshared(kLook, paths);
  EXPECT_TRUE(ended);
  States states = states_from(ended ? ended->output : std::string());
  for (const std::string& name : names) states.try_emplace(name, "absent");
  return states;
}

/// What a shell in fresh namespaces, and absent beside that a shell on the node, sees below a
/// directory of names that begin with `prefix`.
States listed_by_shell(const std::string& directory, const std::string& prefix) {
  const std::string find = "find " + path_of(directory) + " -type f -name '" + prefix + "*'";
  const auto ended = unshared("set -- $(" + find + "); " + kLook);
  EXPECT_TRUE(ended);
  States states = states_from(ended ? ended->output : std::string());
  const auto node =
      machine::run({.program = "sh", .arguments = {"-c", find + " -printf '%p absent\\n'"}});
  EXPECT_TRUE(node);
  if (node) states.merge(states_from(node->output));
  return states;
}

States states_of(const sysctl::KernelReport& report) {
  States states;
  for (const sysctl::KernelAnswer& answer : report.answers)
    states[answer.entry] = sysctl::name_of(answer.state);
  return states;
}

States states_of(const sysctl::KernelAnswer& answer) {
  States states;
  for (const sysctl::KernelName& name : answer.names)
    states[name.name] = sysctl::name_of(name.state);
  return states;
}

sysctl::KernelAnswer answer_to(const std::string& entry) {
  const sysctl::KernelReport report = machine::Namespaces().ask({entry});
  EXPECT_TRUE(report.asked) << report.why;
  const sysctl::KernelAnswer* answer = sysctl::answer_for(report, entry);
  EXPECT_NE(answer, nullptr);
  return answer == nullptr ? sysctl::KernelAnswer{} : *answer;
}

void expect_no_child_is_left() {
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

void expect_nothing_known(const sysctl::KernelReport& report, const std::string& why) {
  EXPECT_FALSE(report.asked);
  EXPECT_EQ(report.why, why);
  ASSERT_EQ(report.answers.size(), asked_names().size());
  for (const sysctl::KernelAnswer& answer : report.answers) {
    EXPECT_EQ(answer.state, sysctl::KernelState::kUnknown) << answer.entry;
    EXPECT_EQ(answer.why, why) << answer.entry;
  }
  expect_no_child_is_left();
}

/// Tests that need what the machine may not permit.
class FreshNamespaces : public testing::Test {
 protected:
  void SetUp() override {
    const auto ended = unshared("exit 0");
    if (!ended || ended->exit_status != 0) {
      GTEST_SKIP() << "this machine permits no network and IPC namespaces";
    }
  }
};

TEST_F(FreshNamespaces, NamesAreWhatAShellSeesThere) {
  const sysctl::KernelReport report = machine::Namespaces().ask(asked_names());
  ASSERT_TRUE(report.asked) << report.why;
  ASSERT_GE(report.answers.size(), 40u);
  EXPECT_EQ(states_of(report), seen_by_shell(asked_names()));
  expect_no_child_is_left();
}

// Observed by writing from fresh namespaces on Linux 6.18; the tables of each namespace and those of
// the first one alone are in net/core/sysctl_net_core.c, net/ipv4/sysctl_net_ipv4.c, ipc/.
// rmem_max can be seen from about 6.11 on (19249c0724f2).
TEST_F(FreshNamespaces, NamesAreAsTheTablesOfTheKernelHaveThem) {
  machine::Namespaces kernel;
  const auto version = sysctl::parse_kernel_version(kernel.release());
  ASSERT_TRUE(version);
  if (*version < sysctl::KernelVersion{4, 15})
    GTEST_SKIP() << "these tables are of Linux 4.15 and later";
  States expected = {{"net.core.somaxconn", "writable"},
                     {"net.core.netdev_max_backlog", "absent"},
                     {"net.core.netdev_budget", "absent"},
                     {"net.core.dev_weight", "absent"},
                     {"net.ipv4.ip_local_port_range", "writable"},
                     {"net.ipv4.tcp_syncookies", "writable"},
                     {"net.ipv4.tcp_rmem", "writable"},
                     {"net.ipv4.tcp_mem", "absent"},
                     {"net.ipv4.tcp_max_orphans", "absent"},
                     {"net.ipv4.tcp_available_congestion_control", "read-only"},
                     {"net.ipv4.conf.all.rp_filter", "writable"},
                     {"net.ipv4.neigh.default.gc_thresh3", "absent"},
                     {"net.unix.max_dgram_qlen", "writable"},
                     {"kernel.msgmax", "writable"},
                     {"kernel.sem", "writable"},
                     {"kernel.shm_rmid_forced", "writable"}};
  // Back-ported by some distributions: told by the numbers only outside of that range.
  if (*version >= sysctl::KernelVersion{6, 12}) expected["net.core.rmem_max"] = "read-only";
  if (*version < sysctl::KernelVersion{5, 0}) expected["net.core.rmem_max"] = "absent";
  if (std::filesystem::exists("/proc/sys/fs/mqueue")) expected["fs.mqueue.msg_max"] = "writable";
  Entries names;
  for (const auto& [name, state] : expected) names.push_back(name);
  EXPECT_EQ(states_of(kernel.ask(names)), expected);
}

TEST_F(FreshNamespaces, PatternListsWhatIsThereAndAsAbsentWhatOnlyTheNodeHas) {
  const sysctl::KernelAnswer core = answer_to("net.core.*");
  EXPECT_EQ(states_of(core), listed_by_shell("net.core", ""));
  EXPECT_EQ(core.state, sysctl::KernelState::kMixed);
  const sysctl::KernelAnswer tcp = answer_to("net.ipv4.tcp_*");
  EXPECT_EQ(states_of(tcp), listed_by_shell("net.ipv4", "tcp_"));
  EXPECT_EQ(tcp.state, sysctl::KernelState::kMixed);
}

TEST_F(FreshNamespaces, PatternOfOneStateHasThatState) {
  const sysctl::KernelAnswer messages = answer_to("kernel.msg*");
  EXPECT_EQ(states_of(messages), (States{{"kernel.msgmax", "writable"},
                                         {"kernel.msgmnb", "writable"},
                                         {"kernel.msgmni", "writable"}}));
  EXPECT_EQ(messages.state, sysctl::KernelState::kWritable);
  EXPECT_EQ(answer_to("net.ipv4.neigh.default.*").state, sysctl::KernelState::kAbsent);
  EXPECT_EQ(answer_to("net.no_such_directory.*").state, sysctl::KernelState::kAbsent);
}

TEST_F(FreshNamespaces, ManyPatternsAreAnsweredAsEachAlone) {
  Entries entries = {"net.core.*", "kernel.shm*", "net.ipv4.conf.eth0.*"};
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    entries.push_back(std::string("net.ipv4.tcp_") + letter + "*");
    entries.push_back(std::string("net.ipv6.") + letter + "*");
  }
  const sysctl::KernelReport report = machine::Namespaces().ask(entries);
  ASSERT_TRUE(report.asked) << report.why;
  for (const sysctl::KernelAnswer& answer : report.answers) {
    EXPECT_EQ(states_of(answer), states_of(answer_to(answer.entry))) << answer.entry;
  }
}

TEST_F(FreshNamespaces, SlashesAskTheSameAsDots) {
  EXPECT_EQ(answer_to("net/core/somaxconn").state, sysctl::KernelState::kWritable);
  EXPECT_EQ(states_of(answer_to("net/core/*")), states_of(answer_to("net.core.*")));
  // Mixed separators mean a directory "ipv4.tcp_rmem" to the kubelet.
  EXPECT_EQ(answer_to("net/ipv4.tcp_rmem").state, sysctl::KernelState::kAbsent);
}

TEST_F(FreshNamespaces, InterfaceOfAPodHasTheNamesThatARealOneHas) {
  const std::string make = "ip link add eth0 type veth peer name eth1 && ";
  if (const auto ended = unshared(make + "exit 0"); !ended || ended->exit_status != 0) {
    GTEST_SKIP() << "this machine makes no veth interface";
  }
  for (const std::string directory :
       {"net.ipv4.conf.eth0", "net.ipv4.neigh.eth0", "net.ipv6.conf.eth0", "net.ipv6.neigh.eth0"}) {
    const auto ended =
        unshared(make + "set -- $(find " + path_of(directory) + " -type f); " + kLook);
    ASSERT_TRUE(ended);
    EXPECT_EQ(states_of(answer_to(directory + ".*")), states_from(ended->output)) << directory;
  }
}

TEST_F(FreshNamespaces, OtherInterfacesAreUnknownWhereAnInterfaceHasTheNameAndElseAbsent) {
  for (const char* entry : {"net.ipv4.conf.ens5.rp_filter", "net/ipv4/conf/eno2.100/rp_filter",
                            "net.ipv4.conf.ens5.*", "net.ipv4.conf.en*"}) {
    const sysctl::KernelAnswer answer = answer_to(entry);
    EXPECT_EQ(answer.state, sysctl::KernelState::kUnknown) << entry;
    EXPECT_NE(answer.why.find("its network plugin decides"), std::string::npos) << answer.why;
  }
  EXPECT_EQ(answer_to("net.ipv4.conf.ens5.no_such_name").state, sysctl::KernelState::kAbsent);
  EXPECT_EQ(answer_to("net.ipv4.conf.ens5.no_such*").state, sysctl::KernelState::kAbsent);
  for (const sysctl::KernelName& name : answer_to("net.ipv4.conf.*").names) {
    const std::string rest = name.name.substr(std::string("net.ipv4.conf.").size());
    const std::string interface = rest.substr(0, rest.find('.'));
    EXPECT_TRUE(interface == "all" || interface == "default" || interface == "lo" ||
                interface == "eth0")
        << name.name;
  }
}

TEST_F(FreshNamespaces, NodeKeepsEveryValue) {
  const auto read_all = [] {
    States values;
    for (const std::string& name : asked_names()) {
      std::ifstream file(path_of(name));
      values[name] = std::string(std::istreambuf_iterator<char>(file), {});
    }
    return values;
  };
  const States before = read_all();
  Entries entries = asked_names();
  for (const char* wide : {"net.*", "kernel.shm*", "kernel.msg*", "fs.mqueue.*"}) {
    entries.emplace_back(wide);
  }
  ASSERT_TRUE(machine::Namespaces().ask(entries).asked);
  EXPECT_EQ(read_all(), before);
}

TEST_F(FreshNamespaces, MountThatIsReadOnlyHidesNothing) {
  const States expected = states_of(machine::Namespaces().ask(asked_names()));
  const int status = in_mount_namespace([&] {
    const unsigned long read_only = MS_BIND | MS_REMOUNT | MS_RDONLY;
    ASSERT_EQ(::mount("/proc/sys", "/proc/sys", nullptr, MS_BIND, nullptr), 0);
    ASSERT_EQ(::mount(nullptr, "/proc/sys", nullptr, read_only, nullptr), 0);
    EXPECT_EQ(states_of(machine::Namespaces().ask(asked_names())), expected);
  });
  if (status == kSkipped) GTEST_SKIP() << "this machine permits no mount namespace";
  EXPECT_EQ(status, 0);
}

// What a user namespace hides differs between releases, so nothing is said there.
TEST_F(FreshNamespaces, UserNamespaceGivesNoAnswer) {
  const int status = in_child([] {
    if (::unshare(CLONE_NEWUSER) != 0) ::_exit(kSkipped);
    expect_nothing_known(machine::Namespaces().ask(asked_names()),
                         "in a user namespace the kernel hides sysctls that pods have");
  });
  if (status == kSkipped) GTEST_SKIP() << "this machine permits no user namespace";
  EXPECT_EQ(status, 0);
}

TEST(Namespaces, WithoutThePrivilegeEverythingIsUnknownAndWhyIsSaid) {
  const int status = in_child([] {
    constexpr uid_t kNobody = 65534;
    if (::setuid(kNobody) != 0 && ::getuid() == 0) ::_exit(kSkipped);
    expect_nothing_known(machine::Namespaces().ask(asked_names()),
                         "cannot make a network and an IPC namespace: Operation not permitted");
  });
  if (status == kSkipped) GTEST_SKIP() << "this machine lets root not become another process";
  EXPECT_EQ(status, 0);
}

TEST(Namespaces, KernelWithoutNamespacesGivesNoAnswer) {
  machine::Namespaces kernel({.unshare = [](int) {
    errno = EINVAL;
    return -1;
  }});
  expect_nothing_known(kernel.ask(asked_names()),
                       "cannot make a network and an IPC namespace: Invalid argument");
}

TEST(Namespaces, KernelThatDoesNotAnswerIsGivenUpAtTheDeadline) {
  machine::Namespaces kernel({.deadline = Milliseconds(100), .unshare = [](int) {
                                for (;;) ::pause();
                                return 0;
                              }});
  expect_nothing_known(kernel.ask(asked_names()), "the kernel did not answer within 100 ms");
}

TEST(Namespaces, ChildThatEndsEarlyGivesNoAnswer) {
  machine::Namespaces kernel({.unshare = [](int) -> int { ::_exit(0); }});
  expect_nothing_known(kernel.ask(asked_names()),
                       "the process in fresh namespaces ended without an answer");
}

TEST(Namespaces, WithoutProcThereIsNoAnswer) {
  const Scratch scratch;
  machine::Namespaces kernel({.proc = scratch.path()});
  expect_nothing_known(kernel.ask(asked_names()), "'" + scratch.path("/sys") + "' is not there");
}

TEST(Namespaces, EntriesThatNoKubeletTakesAreNotLookedFor) {
  // The kernel is not asked, or this would be the answer.
  machine::Namespaces kernel({.unshare = [](int) -> int { ::_exit(0); }});
  const sysctl::KernelReport report =
      kernel.ask({"vm.max_map_count", "fs.file-max", "*", "kernel.*"});
  EXPECT_TRUE(report.asked);
  for (const sysctl::KernelAnswer& answer : report.answers) {
    EXPECT_EQ(answer.state, sysctl::KernelState::kUnknown);
    EXPECT_EQ(answer.why, "no kubelet accepts such an entry");
  }
  EXPECT_EQ(kernel.ask({"Net.Core"}).answers.front().why, "it is not spelt like an entry");
}

TEST(Namespaces, ReleaseIsThatOfTheKernel) {
  const auto ended = machine::run({.program = "uname", .arguments = {"-r"}});
  ASSERT_TRUE(ended);
  EXPECT_EQ(machine::Namespaces().release() + "\n", ended->output);
}

}  // namespace
}  // namespace kubelet_sysctl
