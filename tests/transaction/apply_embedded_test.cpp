// SPDX-License-Identifier: Apache-2.0
// Changes on nodes whose kubelet another program runs: what is taken for a proof there, and what is not.
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/discover/kubelet_version.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "support/elf_program.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

using Entries = std::vector<std::string>;

constexpr const char* kSite = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/50-sysctls.conf";
constexpr const char* kOwn = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/90-kubelet-sysctl.conf";
const Entries kThree = {"net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding",
                        "net.core.somaxconn"};

Misbehaviour ends_over(const std::string& entry) {
  Misbehaviour how;
  how.only_with = entry;
  how.dies_after = Milliseconds(400);
  how.last_words = {
      "E1120 22:57:26.000000 1 run.go:74] \"command failed\" err=\"the sysctls "
      "[\\\"kernel.sem\\\"] are not known to be namespaced\""};
  return how;
}

TEST(Embedded, ListInsideK3sIsProvedByTheJournalAndOlderFiles) {
  Lab lab(std::string("k3s"));
  lab.services().boot();
  const auto before = lab.model();
  ASSERT_TRUE(before) << before.error().message;
  ASSERT_TRUE(before->running);
  EXPECT_EQ(before->running->evidence, model::RunningList::Evidence::kConfigFile);
  EXPECT_EQ(before->running->entries, kThree);
  EXPECT_FALSE(before->drift);
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  ASSERT_EQ(outcome->kind, transaction::OutcomeKind::kApplied)
      << (outcome->cause ? outcome->cause->message : "");
  ASSERT_TRUE(outcome->evidence);
  EXPECT_EQ(outcome->evidence->pid, lab.services().pid());
  EXPECT_EQ(outcome->evidence->config_file, kSite);
  EXPECT_EQ(lab.services().started_lists.back().back(), "kernel.sem");
  ASSERT_EQ(outcome->edits.size(), 1u);
  EXPECT_EQ(outcome->edits.front().before.path, kSite);
}

TEST(Embedded, FileChangedAfterTheStartOfTheKubeletProvesNothing) {
  Lab lab(std::string("k3s"));
  lab.services().boot();
  lab.services().write(kSite,
                       "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
                       "allowedUnsafeSysctls: [kernel.sem]\n");
  const auto model = lab.model();
  ASSERT_TRUE(model && model->running);
  EXPECT_FALSE(model->running->entries) << "the list of the process is unknown";
}

TEST(Embedded, OwnDefaultsOfK3sAreProvedByTheirPlaceInTheJournal) {
  Lab lab(std::string("k3s"));
  lab.tree().remove(kSite);
  lab.services().boot();
  const auto model = lab.model();
  ASSERT_TRUE(model && model->running);
  EXPECT_EQ(model->running->entries, (Entries{kThree[0], kThree[1]}));
  auto outcome = lab.change(add({"net.core.somaxconn"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(outcome->edits.front().before.path, kOwn) << "k3s writes its defaults at every start";
  EXPECT_EQ(outcome->after, kThree);
}

TEST(Embedded, ListThatTheJournalContradictsIsDrift) {
  Lab lab(std::string("k3s"));
  const std::string beside = "/etc/rancher/k3s/config.yaml.d/95-list.yaml";
  lab.tree().write(beside, "kubelet-arg+: [\"allowed-unsafe-sysctls=kernel.sem\"]\n");
  lab.services().boot();
  auto model = lab.model();
  ASSERT_TRUE(model && model->running);
  EXPECT_EQ(model->running->evidence, model::RunningList::Evidence::kLog);
  EXPECT_EQ(model->running->entries, Entries{"kernel.sem"});
  EXPECT_FALSE(model->drift);
  lab.services().write(beside, "kubelet-arg+: [\"allowed-unsafe-sysctls=kernel.msgmax\"]\n");
  model = lab.model();
  ASSERT_TRUE(model && model->running);
  EXPECT_TRUE(model->drift);
}

TEST(Embedded, K3sThatEndsOverItsListGetsTheOldOneBack) {
  Lab lab(std::string("k3s"));
  lab.services().boot();
  const std::string bytes = lab.tree().read(kSite);
  lab.services().misbehave(ends_over("kernel.sem"));
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kRolledBack);
  EXPECT_FALSE(outcome->recognised.empty());
  EXPECT_EQ(lab.tree().read(kSite), bytes);
  EXPECT_EQ(lab.services().started_lists.back(), kThree);
}

TEST(Embedded, ChildOfRke2IsSeenByItsOwnArguments) {
  Lab lab(std::string("rke2"));
  lab.services().boot();
  const auto before = lab.model();
  ASSERT_TRUE(before && before->running);
  EXPECT_EQ(before->running->evidence, model::RunningList::Evidence::kArgv);
  EXPECT_EQ(before->running->process.pid, lab.services().kubelet_pid());
  EXPECT_NE(lab.services().kubelet_pid(), lab.services().pid());
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  ASSERT_EQ(outcome->kind, transaction::OutcomeKind::kApplied)
      << (outcome->cause ? outcome->cause->message : "");
  EXPECT_EQ(outcome->evidence->argv, true);
  EXPECT_EQ(outcome->evidence->pid, lab.services().kubelet_pid());
}

TEST(Embedded, ChildThatEndsAgainAndAgainBelowAUnitThatStaysUpIsNoSuccess) {
  Lab lab(std::string("rke2"));
  lab.services().boot();
  const std::string file = "/etc/rancher/rke2/config.yaml";
  const std::string bytes = lab.tree().read(file);
  lab.services().misbehave(ends_over("kernel.sem"));
  auto outcome = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kRolledBack);
  ASSERT_TRUE(outcome->cause);
  EXPECT_NE(outcome->cause->message.find("the kubelet ended after"), std::string::npos)
      << outcome->cause->message;
  EXPECT_EQ(outcome->last_words.size(), 1u) << "those of its own log";
  EXPECT_FALSE(outcome->recognised.empty());
  EXPECT_EQ(lab.tree().read(file), bytes);
  EXPECT_EQ(lab.services().started_lists.back(),
            (Entries{"net.core.somaxconn", "net.ipv4.tcp_keepalive_time"}));
}

TEST(Embedded, ReleaseOfAHostIsAskedBeforeItsWordsAreMade) {
  Lab lab(std::string("k3s-old"));
  lab.tree().write("/usr/local/bin/k3s", elf_with_data(""));
  ::chmod(lab.tree().at("/usr/local/bin/k3s").c_str(), 0755);
  lab.services().programs.outputs.insert_or_assign(
      "/usr/local/bin/k3s",
      std::string("k3s version v1.31.9+k3s1 (1a2b3c4d)\ngo version go1.23.8\n"));
  lab.discover.version_from = discover::VersionFrom::kProgram;  // as every verb that changes does
  const auto prepared = lab.prepare(add({"kernel.sem"}));
  ASSERT_TRUE(prepared) << prepared.error().message;
  EXPECT_EQ(configured_texts(prepared->model), kThree);
  EXPECT_EQ(prepared->plan.after.size(), 4u);
  // Nobody can be asked: shown, and not changed.
  lab.services().programs.outputs.clear();
  lab.tree().remove("/run/kubelet-sysctl/kubelet-version");
  const auto blind = lab.prepare(add({"kernel.sem"}));
  ASSERT_FALSE(blind);
  EXPECT_EQ(blind.error().kind, ErrorKind::kUnsupported);
  EXPECT_TRUE(lab.model());
}

}  // namespace
}  // namespace kubelet_sysctl
