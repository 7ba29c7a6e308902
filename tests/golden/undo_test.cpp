// SPDX-License-Identifier: Apache-2.0
// Putting files back: beside files that cannot be read, with the directories that were made, and lists that end.
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden/golden_node.hpp"

namespace kubelet_sysctl::golden {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kConfig = "/var/lib/kubelet/config.yaml";
constexpr const char* kForeign = "/etc/kubernetes/kubelet.conf.d/20-sysctls.conf";
constexpr const char* kOwn = "/etc/kubernetes/kubelet.conf.d/90-kubelet-sysctl.conf";
constexpr const char* kGenerated =
    "/var/lib/rancher/rke2/agent/etc/kubelet.conf.d/00-rke2-defaults.conf";

Said run(const GoldenNode& node, std::vector<std::string> words) {
  words.insert(words.end(), {"--root", "ROOT"});
  return node.run(words);
}

Said add(const GoldenNode& node, std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"add", "kernel.sem", "--kubelet-version", "1.33"});
  Said said = run(node, more);
  EXPECT_EQ(said.exit, 0) << said.err;
  return said;
}

/// A node that has a directory of configurations and no list.
void without_lists(const GoldenNode& node) {
  node.tree().remove(kForeign);
  node.tree().write(
      kConfig,
      "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: 99\n");
}

TEST(UndoCommand, BesideAFileThatCannotBeReadPutsTheBytesBack) {
  const GoldenNode node("kubeadm-config-dir");
  const std::string before = node.tree().read(kForeign);
  add(node);
  ASSERT_NE(node.tree().read(kForeign), before);
  const std::string broken = node.tree().read(kConfig) + "x: [\n";
  node.tree().write(kConfig, broken);
  const Said said = run(node, {"undo"});
  EXPECT_EQ(said.exit, 0) << said.err;
  EXPECT_EQ(node.tree().read(kForeign), before);
  EXPECT_EQ(node.tree().read(kConfig), broken);
  EXPECT_THAT(said.out + said.err, HasSubstr(kConfig));
}

TEST(UndoCommand, BesideAPipeForAnEnvironmentFilePutsTheBytesBack) {
  const GoldenNode node("kubeadm-config-dir");
  const std::string before = node.tree().read(kForeign);
  add(node);
  const std::string pipe = node.tree().at("/var/lib/kubelet/kubeadm-flags.env");
  std::filesystem::remove(pipe);
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0644), 0);
  const Said said = run(node, {"undo"});
  EXPECT_EQ(said.exit, 0) << said.err;
  EXPECT_EQ(node.tree().read(kForeign), before);
}

TEST(UndoCommand, OfAFileThatWasChangedSinceOnANodeThatCannotBeReadIsAnError) {
  const GoldenNode node("kubeadm-config-dir");
  add(node);
  const std::string changed = node.tree().read(kForeign) + "# a word\n";
  node.tree().write(kForeign, changed);
  node.tree().write(kConfig, "x: [\n");
  EXPECT_NE(run(node, {"undo"}).exit, 0);
  EXPECT_EQ(node.tree().read(kForeign), changed);
}

TEST(UndoCommand, OnRke2NeedsNoFileThatIsWrittenAtEveryStart) {
  const GoldenNode node("rke2");
  const auto before = node.things();
  add(node);
  const std::string broken = node.tree().read(kGenerated) + "x: [\n";
  node.tree().write(kGenerated, broken);
  const Said shown = run(node, {"show"});
  EXPECT_EQ(shown.exit, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("kernel.sem"));
  const Said said = run(node, {"undo"});
  EXPECT_EQ(said.exit, 0) << said.err;
  auto after = node.things();
  after[kGenerated] = before.at(kGenerated);
  EXPECT_EQ(after, before);
}

TEST(UndoCommand, TakesTheDirectoriesThatTheChangeMadeAndNoOther) {
  for (const bool was_there : {false, true}) {
    const GoldenNode node("rke2");
    node.tree().write("/etc/rancher/rke2/config.yaml", "token: x\n");
    const std::string directory = "/etc/rancher/rke2/config.yaml.d";
    if (was_there) std::filesystem::create_directory(node.tree().at(directory));
    add(node, {"--via", "args"});
    ASSERT_TRUE(node.tree().exists(directory + "/90-kubelet-sysctl.yaml"));
    EXPECT_EQ(run(node, {"undo"}).exit, 0);
    EXPECT_FALSE(node.tree().exists(directory + "/90-kubelet-sysctl.yaml"));
    EXPECT_EQ(node.tree().exists(directory), was_there);
  }
}

TEST(UndoCommand, LeavesADirectoryThatHoldsSomethingElseNow) {
  const GoldenNode node("rke2");
  node.tree().write("/etc/rancher/rke2/config.yaml", "token: x\n");
  add(node, {"--via", "args"});
  node.tree().write("/etc/rancher/rke2/config.yaml.d/50-more.yaml", "debug: true\n");
  EXPECT_EQ(run(node, {"undo"}).exit, 0);
  EXPECT_TRUE(node.tree().exists("/etc/rancher/rke2/config.yaml.d/50-more.yaml"));
}

TEST(RemoveTheLast, TakesOurOwnFileAwayWhereItHidesNothing) {
  const GoldenNode node("kubeadm-config-dir");
  without_lists(node);
  const auto before = node.things();
  add(node, {"--via", "config"});
  ASSERT_TRUE(node.tree().exists(kOwn));
  EXPECT_EQ(run(node, {"remove", "kernel.sem"}).exit, 0);
  EXPECT_EQ(node.things(), before);
  // And a way back leads to the file.
  EXPECT_EQ(run(node, {"undo"}).exit, 0);
  EXPECT_THAT(node.tree().read(kOwn), HasSubstr("kernel.sem"));
}

TEST(RemoveTheLast, KeepsWhatElseStandsInOurOwnFile) {
  const GoldenNode node("kubeadm-config-dir");
  without_lists(node);
  add(node, {"--via", "config"});
  node.tree().write(kOwn, node.tree().read(kOwn) + "maxPods: 200\n");
  EXPECT_EQ(run(node, {"remove", "kernel.sem"}).exit, 0);
  EXPECT_THAT(node.tree().read(kOwn), HasSubstr("maxPods: 200"));
  EXPECT_THAT(node.tree().read(kOwn), Not(HasSubstr("allowedUnsafeSysctls")));
}

TEST(RemoveTheLast, KeepsAnEmptyListThatHidesAnotherOne) {
  const GoldenNode node("kubeadm-config-dir");
  node.tree().write(kOwn,
                    "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
                    "allowedUnsafeSysctls:\n- kernel.sem\n");
  EXPECT_EQ(run(node, {"remove", "kernel.sem"}).exit, 0);
  EXPECT_THAT(node.tree().read(kOwn), HasSubstr("allowedUnsafeSysctls: []"));
}

TEST(Limits, AConfigurationOfMoreThanAMebibyteIsRefused) {
  const GoldenNode node("kubeadm-deb");
  const auto before = node.tree().read(kConfig);
  node.tree().write(kConfig, before + "# " + std::string(1U << 20U, 'x') + "\n");
  const Said said = run(node, {"add", "kernel.sem", "--kubelet-version", "1.30"});
  EXPECT_EQ(said.exit, 3);
  EXPECT_THAT(said.err, HasSubstr("more than 1 MiB"));
}

std::string repeated(const std::string& line, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += line;
  return text;
}

/// Every command that reads the node refuses it before it has taken memory for all of it.
void expect_refused(const GoldenNode& node, const std::string& why) {
  const std::vector<std::vector<std::string>> commands = {
      {"show"}, {"explain"}, {"doctor"}, {"add", "kernel.sem", "--dry-run"}};
  for (std::vector<std::string> words : commands) {
    words.insert(words.end(), {"--kubelet-version", "1.30"});
    if (words.front() == "explain") words.resize(1);
    const Said said = run(node, words);
    EXPECT_EQ(said.exit, 3) << words.front() << said.out;
    EXPECT_THAT(said.err, HasSubstr(why)) << words.front();
    EXPECT_LT(said.err.size(), 1000U) << words.front();
  }
}

constexpr const char* kDropIn = "/etc/systemd/system/kubelet.service.d/90-x.conf";
constexpr const char* kVariables = "/etc/default/kubelet";

TEST(Limits, AUnitOfThousandsOfLinesIsRefused) {
  const GoldenNode node("kubeadm-deb");
  node.tree().write(kDropIn, "[Service]\n" + repeated("ExecStart=/usr/bin/kubelet\n", 20'000));
  expect_refused(node, "more than 5000 lines");
}

TEST(Limits, ACommandOfAHundredThousandWordsIsRefused) {
  const GoldenNode node("kubeadm-deb");
  node.tree().write(kDropIn, "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet " +
                                 repeated("-v=2 ", 100'000) + "\n");
  expect_refused(node, "or 10000 words");
}

// Every place where the text that is read is another than the one that is there is kept.
TEST(Limits, AMebibyteOfSpecifiersEscapesOrQuotesIsRefused) {
  for (const char* piece : {"%%a", "\\x41", "\"a\"", "'a'", "\ta", "$$a"}) {
    const GoldenNode node("kubeadm-deb");
    node.tree().write(kDropIn, "[Service]\nEnvironment=X=" + repeated(piece, 20'000) + "\n");
    expect_refused(node, "or 10000 words, quotes and escapes");
  }
}

TEST(Limits, VariablesInThousandsOfLinesAreRefused) {
  const GoldenNode node("kubeadm-deb");
  node.tree().write(kVariables, repeated("A=b\n", 20'000));
  expect_refused(node, "more than 5000 lines");
}

TEST(Limits, ACommandLineOfThousandsOfWordsIsRefused) {
  const GoldenNode node("kubeadm-deb");
  node.tree().write(kVariables, "KUBELET_EXTRA_ARGS=" + repeated("--v=2 ", 6000) + "\n");
  for (const char* command : {"show", "explain", "doctor"}) {
    const Said said = run(node, {command});
    // doctor goes on with what is left.
    EXPECT_EQ(said.exit, std::string(command) == "doctor" ? 6 : 3) << command;
    EXPECT_THAT(said.out + said.err, HasSubstr("more than 5000 words")) << command;
  }
}

TEST(Limits, AFileOfSettingsOfMoreThanAMebibyteIsRefused) {
  const GoldenNode node("kubeadm-deb");
  node.tree().write(kVariables, "# " + std::string(1U << 20U, 'x') + "\n");
  expect_refused(node, "more than 1 MiB");
}

TEST(Limits, AListOfMoreEntriesThanAKernelHasSysctlsIsRefused) {
  const GoldenNode node("kubeadm-deb");
  const std::string before = node.tree().read(kConfig);
  node.tree().write(kConfig, "allowedUnsafeSysctls: [" + repeated("a.b,", 25'001) + "a.b]\n" +
                                 "apiVersion: kubelet.config.k8s.io/v1beta1\n"
                                 "kind: KubeletConfiguration\n");
  const Said said = run(node, {"show"});
  EXPECT_EQ(said.exit, 3);
  EXPECT_THAT(said.err, HasSubstr("more than 25000 entries"));
  EXPECT_LT(said.err.size(), 1000U);
}

TEST(Limits, AListOfTwentyThousandEntriesIsRead) {
  const GoldenNode node("kubeadm-deb");
  std::string list =
      "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
      "allowedUnsafeSysctls:\n";
  for (int i = 0; i < 20'000; ++i) list += "- net.ipv4.a" + std::to_string(i) + "\n";
  node.tree().write(kConfig, list);
  const Said said = run(node, {"add", "kernel.sem", "--kubelet-version", "1.30", "--dry-run"});
  EXPECT_EQ(said.exit, 0) << said.err;
}

TEST(Limits, ADesiredListOfMoreEntriesThanAKernelHasSysctlsIsRefused) {
  const GoldenNode node("kubeadm-deb");
  std::string list;
  for (int i = 0; i < 5001; ++i) list += "net.ipv4.a" + std::to_string(i) + "\n";
  node.tree().write("/etc/kubelet-sysctl.conf", list);
  const Said said = run(node, {"sync", "--kubelet-version", "1.30"});
  EXPECT_EQ(said.exit, 3);
  EXPECT_THAT(said.err, HasSubstr("more than 5000 entries"));
}

TEST(Limits, ADirectoryOfThousandsOfConfigurationsIsRefused) {
  const GoldenNode node("kubeadm-config-dir");
  for (int i = 0; i < 1001; ++i) {
    node.tree().write("/etc/kubernetes/kubelet.conf.d/50-" + std::to_string(i) + ".conf",
                      "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n");
  }
  const Said said = run(node, {"show"});
  EXPECT_EQ(said.exit, 3);
  EXPECT_THAT(said.err, HasSubstr("more than 1000 files"));
}

}  // namespace
}  // namespace kubelet_sysctl::golden
