// SPDX-License-Identifier: Apache-2.0
// discover() on trees on disk, /proc included, with a manager that says what the test says it.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/discover/health.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/fake_kernel.hpp"
#include "support/tree.hpp"

namespace kubelet_sysctl::vectors {
namespace {

constexpr const char* kUnitPath = "/etc/systemd/system/kubelet.service";

/// A node whose kubelet runs as process 42.
struct Node {
  Node() {
    tree.program("/usr/bin/kubelet");
    // Field 22, the start, is 4000 ticks; the name of the process is meant to mislead.
    tree.file("/proc/42/stat", "42 (a) b) S 1 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4000 0 0\n");
    tree.file("/proc/42/cmdline", std::string("/usr/bin/kubelet\0--v=2\0", 23));
    tree.file("/proc/42/environ", std::string("PATH=/bin\0OTHER=1\0", 18));
    tree.link("/proc/42/cwd", "/var/lib/kubelet");
    services.state.main_pid = 42;
  }

  Result<nodes::NodeSnapshot> read(bool live = true) {
    machine::Disk disk(tree.root());
    ports::Ports ports{.files = disk,
                       .services = services,
                       .health = health,
                       .clock = clock,
                       .log = log,
                       .kernel = kernel,
                       .programs = programs};
    discover::DiscoverOptions options;
    options.live = live;
    options.systemd_version = 252;
    return discover::discover(ports, options);
  }

  /// What the endpoint of the live node's configuration answers.
  std::optional<nodes::HealthSeen> health_seen() {
    const auto snapshot = read();
    if (!snapshot) return std::nullopt;
    const auto model = model::resolve(*snapshot);
    machine::Disk disk(tree.root());
    ports::Ports ports{.files = disk,
                       .services = services,
                       .health = health,
                       .clock = clock,
                       .log = log,
                       .kernel = kernel,
                       .programs = programs};
    return model ? discover::health_of(ports, *snapshot, *model) : std::nullopt;
  }

  Tree tree;
  RecordingServices services;
  RecordingHealth health;
  StoppedClock clock;
  NoLog log;
  FakeKernel kernel;
  FakePrograms programs;
};

std::vector<std::string> paths_of(const std::vector<nodes::WalkEntry>& walk) {
  std::vector<std::string> paths;
  paths.reserve(walk.size());
  for (const nodes::WalkEntry& entry : walk) {
    paths.push_back((entry.source == kNoSource ? "- " : "+ ") + entry.path);
  }
  return paths;
}

TEST(Discover, ReadsTheMainProcessAndWhenItBegan) {
  Node node;
  node.tree.file(kUnitPath, "[Service]\nExecStart=/usr/bin/kubelet --v=2\n");
  node.services.state.main_start_usec = 7'000'000;
  node.clock.monotonic_us = 10'000'000;
  node.clock.wall = 1'700'000'000'000;
  const auto snapshot = node.read();
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  ASSERT_TRUE(snapshot->process);
  EXPECT_EQ(snapshot->process->argv, (std::vector<std::string>{"/usr/bin/kubelet", "--v=2"}));
  EXPECT_EQ(snapshot->process->start_ticks, 4000u);
  EXPECT_EQ(snapshot->process->started_at_ms, 1'700'000'000'000 - 3'000);
  EXPECT_EQ(snapshot->process_cwd, "/var/lib/kubelet");
  EXPECT_EQ(node.services.shows, 1);
}

TEST(Discover, TakesTheStartFromTheKernelWhereTheManagerHasNone) {
  Node node;
  node.tree.file("/proc/stat", "cpu 1 2\nbtime 1700000000\n");
  const auto snapshot = node.read();
  ASSERT_TRUE(snapshot);
  ASSERT_TRUE(snapshot->process);
  EXPECT_EQ(snapshot->process->started_at_ms, 1'700'000'000'000 + 40'000);
}

TEST(Discover, AsksForTheManagersVariablesOnlyWhenTheProcessHasOne) {
  Node without;
  without.tree.file(kUnitPath, "[Service]\nExecStart=/usr/bin/kubelet $MISSING\n");
  ASSERT_TRUE(without.read());
  EXPECT_EQ(without.services.environments, 0);

  Node with;
  with.tree.file(kUnitPath, "[Service]\nExecStart=/usr/bin/kubelet $OTHER\n");
  with.services.variables = {"OTHER=1"};
  const auto snapshot = with.read();
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(with.services.environments, 1);
  EXPECT_EQ(snapshot->manager_environment, (std::vector<std::string>{"OTHER=1"}));

  Node stopped;
  stopped.tree.file(kUnitPath, "[Service]\nExecStart=/usr/bin/kubelet $MISSING\n");
  stopped.services.state.main_pid = 0;
  ASSERT_TRUE(stopped.read());
  EXPECT_EQ(stopped.services.environments, 1);
}

// Source: kubernetes mergeKubeletConfigurations() and Go's filepath.WalkDir.
TEST(Discover, WalksConfigDirAsTheKubeletDoes) {
  Node node;
  node.tree.file(kUnitPath, "[Service]\nExecStart=/usr/bin/kubelet --config-dir=/etc/k.d\n");
  node.tree.file("/etc/k.d/20.conf", "b");
  node.tree.file("/etc/k.d/10.d/99.conf", "a");
  node.tree.file("/etc/k.d/.x.conf", "hidden");
  node.tree.file("/etc/k.d/30.yaml", "not read");
  node.tree.file("/opt/real/40.conf", "c");
  node.tree.link("/etc/k.d/linked", "/opt/real");
  node.tree.link("/etc/k.d/50.conf", "/opt/real/40.conf");
  const auto snapshot = node.read(false);
  ASSERT_TRUE(snapshot);
  ASSERT_TRUE(snapshot->config_dirs.contains("/etc/k.d"));
  EXPECT_EQ(paths_of(snapshot->config_dirs.at("/etc/k.d")),
            (std::vector<std::string>{"+ /etc/k.d/.x.conf", "+ /etc/k.d/10.d/99.conf",
                                      "+ /etc/k.d/20.conf", "- /etc/k.d/30.yaml",
                                      "+ /etc/k.d/50.conf", "- /etc/k.d/linked"}));
}

TEST(Discover, ConfigDirThatIsALinkHoldsNothingAndAMissingOneIsAFact) {
  Node node;
  node.tree.file(kUnitPath, "[Service]\nExecStart=/usr/bin/kubelet --config-dir=/etc/k.d\n");
  EXPECT_TRUE(node.read(false)->config_dirs.empty());
  node.tree.file("/opt/k.d/10.conf", "a");
  node.tree.link("/etc/k.d", "/opt/k.d");
  const auto snapshot = node.read(false);
  ASSERT_TRUE(snapshot->config_dirs.contains("/etc/k.d"));
  for (const nodes::WalkEntry& entry : snapshot->config_dirs.at("/etc/k.d")) {
    EXPECT_EQ(entry.source, kNoSource);
  }
}

TEST(Discover, RelativeConfigIsBelowTheWorkingDirectory) {
  Node node;
  node.tree.file(kUnitPath,
                 "[Service]\nWorkingDirectory=-/srv\nExecStart=/usr/bin/kubelet --config=k.yaml\n");
  node.tree.file("/srv/k.yaml", "offline");
  node.tree.file("/var/lib/kubelet/k.yaml", "live");
  const auto offline = node.read(false);
  ASSERT_TRUE(offline);
  ASSERT_NE(nodes::find_file(*offline, "/srv/k.yaml"), nullptr);
  const auto live = node.read(true);
  ASSERT_TRUE(live);
  ASSERT_NE(nodes::find_file(*live, "/var/lib/kubelet/k.yaml"), nullptr);
}

TEST(Discover, MissingFilesThatMayBeWrittenAreLookedFor) {
  Node node;
  node.tree.file(kUnitPath,
                 "[Service]\nEnvironmentFile=-/etc/default/kubelet\n"
                 "ExecStart=/usr/bin/kubelet --config-dir=/etc/k.d\n");
  const auto snapshot = node.read(false);
  ASSERT_TRUE(snapshot);
  for (const char* path :
       {"/etc/default/kubelet", "/etc/systemd/system/kubelet.service.d/90-kubelet-sysctl.conf",
        "/etc/k.d/90-kubelet-sysctl.conf"}) {
    const SourceFile* file = nodes::find_file(*snapshot, path);
    ASSERT_NE(file, nullptr) << path;
    EXPECT_EQ(file->kind, FileKind::kAbsent);
  }
}

TEST(Discover, EnvironmentFileThatIsAPipeIsRefusedWhereItIsDeclared) {
  Node node;
  node.tree.file(kUnitPath,
                 "[Service]\nEnvironmentFile=-/etc/default/kubelet\nExecStart=/usr/bin/kubelet\n");
  node.tree.pipe("/etc/default/kubelet");
  const auto snapshot = node.read(false);
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(snapshot.error().path, kUnitPath);
  EXPECT_EQ(snapshot.error().line, 2u);
}

// execve(2): EACCES without an execute bit, which systemd reports as status 203.
TEST(Discover, ProgramNeedsAnExecuteBit) {
  Node node;
  node.tree.file(kUnitPath, "[Service]\nExecStart=/opt/kubelet\n");
  node.tree.file("/opt/kubelet", "#!/bin/sh\n", 0644);
  EXPECT_FALSE(node.read(false)->programs.at("/opt/kubelet"));
  node.tree.file("/opt/kubelet", "#!/bin/sh\n", 0755);
  EXPECT_TRUE(node.read(false)->programs.at("/opt/kubelet"));
}

// RKE1 and others run it as a container, without a unit; a tree of files says nothing of processes.
TEST(Discover, NamesAKubeletThatRunsOutsideOfUnits) {
  Node node;
  node.tree.file("/proc/42/cgroup", "0::/docker/3f1c\n");
  EXPECT_EQ(node.read(true)->kubelet_elsewhere, "pid 42, in the control group '/docker/3f1c'");
  EXPECT_EQ(node.read(false)->kubelet_elsewhere, "");
  // NixOS runs it under such a name, from a wrapper.
  node.tree.file("/proc/42/cmdline", std::string("/nix/store/x/bin/.kubelet-wrapped\0--v=2\0", 40));
  EXPECT_EQ(node.read(true)->kubelet_elsewhere, "pid 42, in the control group '/docker/3f1c'");
}

TEST(Discover, SpecifiersOfTheRunningKernelAreUnknownInATree) {
  Node node;
  node.tree.file(kUnitPath, "[Service]\nExecStart=/usr/bin/kubelet\n");
  node.tree.file("/proc/sys/kernel/hostname", "n1.example.org\n");
  node.tree.file("/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
  const auto tree = node.read(false);
  ASSERT_TRUE(tree);
  // Each stands for itself: a text that is not known further.
  EXPECT_EQ(tree->specifiers.at('H'), "%H");
  EXPECT_EQ(tree->specifiers.at('m'), "%m");
  EXPECT_EQ(tree->specifiers.at('w'), "12");
  EXPECT_EQ(tree->os_id, "debian");
  const auto live = node.read(true);
  ASSERT_TRUE(live);
  EXPECT_EQ(live->specifiers.at('H'), "n1.example.org");
  EXPECT_EQ(live->specifiers.at('l'), "n1");
}

// Measured on 252: which of its names an aliased unit answers with depends on what was loaded
// first.
TEST(Discover, NamesOfAnAliasedUnitAreUnknown) {
  Node node;
  node.tree.file(kUnitPath, "[Service]\nExecStart=/usr/bin/kubelet\n");
  EXPECT_EQ(node.read(false)->specifiers.at('n'), "kubelet.service");
  node.tree.link("/etc/systemd/system/kube.service", "kubelet.service");
  EXPECT_FALSE(node.read(false)->specifiers.contains('n'));
}

TEST(Discover, HealthIsWhatTheEndpointOfTheConfigurationAnswers) {
  Node node;
  node.tree.file(kUnitPath, "[Service]\nExecStart=/usr/bin/kubelet --v=2\n");
  const auto on = node.health_seen();
  ASSERT_TRUE(on);
  EXPECT_TRUE(on->ok);
  node.tree.file(kUnitPath, "[Service]\nExecStart=/usr/bin/kubelet --healthz-port=0\n");
  EXPECT_FALSE(node.health_seen());
}

TEST(Discover, MachineWithoutSystemdIsAnErrorOnlyWhenTheProcessIsWanted) {
  Node node;
  node.services.is_booted = false;
  const auto snapshot = node.read();
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().kind, ErrorKind::kNoSystemd);
}

}  // namespace
}  // namespace kubelet_sysctl::vectors
