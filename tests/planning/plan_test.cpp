// SPDX-License-Identifier: Apache-2.0
// What is planned and what is refused: entries, places, routes, and whether a restart is needed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kArguments = "/etc/default/kubelet";
constexpr const char* kConfig = "/etc/kubelet.yaml";
constexpr const char* kHead =
    "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

Result<planning::Plan> plan(Lab& lab, const planning::Change& change) {
  lab.discover.live = false;
  auto prepared = lab.prepare(change);
  if (!prepared) return std::move(prepared).error();
  return std::move(prepared->plan);
}

Result<planning::Plan> plan(const Lab::NodeFiles& files, const planning::Change& change) {
  Lab lab(files);
  return plan(lab, change);
}

Lab::NodeFiles flag_node(const std::string& list) {
  return plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS",
                    "KUBELET_EXTRA_ARGS=--allowed-unsafe-sysctls=" + list + "\n");
}

Lab::NodeFiles config_node(const std::string& config, const std::string& arguments) {
  Lab::NodeFiles files =
      plain_node("/usr/bin/kubelet --config=/etc/kubelet.yaml $KUBELET_EXTRA_ARGS", arguments);
  files.emplace_back(kConfig, config);
  return files;
}

planning::Change with(planning::Change change, planning::Via via, std::string file = {}) {
  change.via = via;
  change.file = std::move(file);
  return change;
}

std::vector<std::string> list(std::vector<std::string> entries) { return entries; }

TEST(PlanDesired, AddKeepsTheOrderAndPutsNewEntriesLast) {
  auto planned =
      plan(flag_node("net.ipv4.tcp_rmem,kernel.sem"), add({"kernel.msg*", "kernel.sem"}));
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->after, list({"net.ipv4.tcp_rmem", "kernel.sem", "kernel.msg*"}));
}

TEST(PlanDesired, CoveredEntryIsNotAddedUnlessExactlyItIsWished) {
  auto planned = plan(flag_node("net.*"), add({"net.core.somaxconn"}));
  ASSERT_TRUE(planned);
  EXPECT_TRUE(planned->edits.empty());
  EXPECT_EQ(ids_of(planned->findings), list({"already-allowed"}));
  planning::Change exact = add({"net.core.somaxconn"});
  exact.exact = true;
  planned = plan(flag_node("net.*"), exact);
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->after, list({"net.*", "net.core.somaxconn"}));
}

// Source: from 1.23 on a/b/c and a.b.c are one name.
TEST(PlanDesired, SlashesAndDotsAreOneEntry) {
  auto planned = plan(flag_node("net.core.somaxconn"), add({"net/core/somaxconn"}));
  ASSERT_TRUE(planned);
  EXPECT_TRUE(planned->edits.empty());
  planned = plan(flag_node("net.core.somaxconn,kernel.sem"), remove({"net/core/somaxconn"}));
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->after, list({"kernel.sem"}));
}

TEST(PlanDesired, RemoveSaysWhatWasNotThereAndWhatIsStillAllowed) {
  auto planned = plan(flag_node("net.*,net.core.somaxconn"), remove({"net.core.somaxconn"}));
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->after, list({"net.*"}));
  EXPECT_EQ(ids_of(planned->findings), list({"still-allowed"}));
  planned = plan(flag_node("net.*"), remove({"kernel.sem"}));
  ASSERT_TRUE(planned);
  EXPECT_TRUE(planned->edits.empty());
  EXPECT_EQ(ids_of(planned->findings), list({"not-listed"}));
}

TEST(PlanDesired, SetTakesEachEntryOnce) {
  auto planned = plan(flag_node("net.*"), set({"kernel.sem", "kernel.msg*", "kernel.sem"}));
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->after, list({"kernel.sem", "kernel.msg*"}));
}

// Source: the table of legal forms by release: kernel.shm_* stops a kubelet of 1.29 and later.
TEST(PlanDesired, EntryThatSomeKubeletDiesOfIsRefusedUnlessForced) {
  for (const char* entry : {"vm.max_map_count", "kernel.shm_*", "fs.*", "*"}) {
    auto planned = plan(flag_node("net.*"), add({entry}));
    ASSERT_FALSE(planned) << entry;
    EXPECT_EQ(planned.error().kind, ErrorKind::kRefused) << entry;
  }
  planning::Change forced = add({"kernel.shm_*"});
  forced.force = true;
  auto planned = plan(flag_node("net.*"), forced);
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->after, list({"net.*", "kernel.shm_*"}));
  EXPECT_EQ(ids_of(planned->findings), list({"forced-entry"}));
}

// An hourly 'add' must stay one that finds nothing to do.
TEST(PlanDesired, EntryThatIsThereAlreadyNeedsNoForce) {
  auto planned = plan(flag_node("kernel.shm_*"), add({"kernel.shm_*"}));
  ASSERT_TRUE(planned);
  EXPECT_TRUE(planned->edits.empty());
}

TEST(PlanDesired, BadSpellingIsNoEntryAtAll) {
  auto planned = plan(flag_node("net.*"), add({"Net.Core"}));
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::kBadEntry);
}

TEST(PlanDesired, ListThatHoldsADeadlyEntryAlreadyIsRefusedWithTheCommandThatMendsIt) {
  const Lab::NodeFiles files = flag_node("net.*,vm.max_map_count");
  auto planned = plan(files, add({"kernel.sem"}));
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(planned.error().path, kArguments);
  EXPECT_EQ(planned.error().line, 1u);
  EXPECT_NE(planned.error().hint.find("kubelet-sysctl set 'net.*' kernel.sem"), std::string::npos)
      << planned.error().hint;
  EXPECT_FALSE(plan(files, add({"vm.max_map_count"})));
  EXPECT_TRUE(plan(files, set({"net.*", "kernel.sem"})));
  EXPECT_TRUE(plan(files, remove({"vm.max_map_count"})));
}

TEST(PlanRoute, NodeOfAnotherManagerIsRefusedWithTheObjectToEdit) {
  Lab lab{std::string("openshift")};
  auto planned = plan(lab, add({"kernel.sem"}));
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::kRefused) << planned.error().message;
  EXPECT_NE(planned.error().hint.find("KubeletConfig"), std::string::npos);
}

TEST(PlanRoute, ConfigurationIsNotEditedUnderAFlagThatHidesIt) {
  auto planned = plan(config_node(kHead, "KUBELET_EXTRA_ARGS=--allowed-unsafe-sysctls=net.*\n"),
                      with(add({"kernel.sem"}), planning::Via::kConfig));
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(planned.error().path, kArguments);
  EXPECT_EQ(planned.error().line, 1u);
}

TEST(PlanRoute, ListOfTheFileComesAlongWhenAFlagWillHideIt) {
  auto planned = plan(config_node(std::string(kHead) + "allowedUnsafeSysctls: [net.*]\n", ""),
                      with(add({"kernel.sem"}), planning::Via::kArgs));
  ASSERT_TRUE(planned) << planned.error().message;
  ASSERT_EQ(planned->edits.size(), 1u);
  EXPECT_EQ(planned->edits.front().after,
            "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=net.*,kernel.sem\"\n");
  EXPECT_EQ(ids_of(planned->findings), list({"carried-over"}));
}

TEST(PlanRoute, NewListGoesIntoTheConfigurationFileWhereThereIsOne) {
  auto planned = plan(config_node(kHead, ""), add({"kernel.sem"}));
  ASSERT_TRUE(planned) << planned.error().message;
  ASSERT_EQ(planned->edits.size(), 1u);
  EXPECT_EQ(planned->edits.front().before.path, kConfig);
  EXPECT_EQ(planned->edits.front().route, nodes::Route::kConfig);
  EXPECT_FALSE(planned->edits.front().daemon_reload);
  EXPECT_EQ(planned->edits.front().after,
            std::string(kHead) + "allowedUnsafeSysctls:\n- kernel.sem\n");
}

TEST(PlanRoute, WithoutItsConfigurationNoKubeletStartsAndAFlagIsWrittenOnlyWhenAskedFor) {
  const Lab::NodeFiles files =
      plain_node("/usr/bin/kubelet --config=/etc/kubelet.yaml $KUBELET_EXTRA_ARGS", "");
  auto refused = plan(files, with(add({"kernel.sem"}), planning::Via::kConfig));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(refused.error().path, kConfig);
  auto usual = plan(files, add({"kernel.sem"}));
  ASSERT_FALSE(usual);
  EXPECT_EQ(usual.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(usual.error().message, testing::HasSubstr("no such file or directory"));
  auto planned = plan(files, with(add({"kernel.sem"}), planning::Via::kArgs));
  ASSERT_TRUE(planned) << planned.error().message;
  EXPECT_EQ(planned->edits.front().before.path, kArguments);
}

TEST(PlanRoute, RewrittenDropInIsLeftAndOursSortsBehindIt) {
  Lab lab(std::string("eks-al2023"));
  auto planned = plan(lab, add({"kernel.sem"}));
  ASSERT_TRUE(planned) << planned.error().message;
  ASSERT_EQ(planned->edits.size(), 1u);
  EXPECT_EQ(planned->edits.front().before.path,
            "/etc/kubernetes/kubelet/config.json.d/90-kubelet-sysctl.conf");
  EXPECT_EQ(planned->after, list({"net.core.somaxconn", "kernel.sem"}));
}

TEST(PlanRoute, FileThatSomebodyRewritesIsNamedWithTheLastingWay) {
  Lab lab(std::string("kops"));
  auto planned = plan(lab, add({"kernel.sem"}));
  ASSERT_TRUE(planned);
  ASSERT_EQ(ids_of(planned->findings), list({"will-be-rewritten"}));
  EXPECT_EQ(planned->findings.front().path, "/etc/sysconfig/kubelet");
  EXPECT_NE(planned->findings.front().hint.find("spec.kubelet.allowedUnsafeSysctls"),
            std::string::npos);
}

TEST(PlanFile, FileThatTheNextStartReadsIsTaken) {
  const Lab::NodeFiles files = config_node(kHead, "KUBELET_EXTRA_ARGS=--v=2\n");
  auto planned = plan(files, with(add({"kernel.sem"}), planning::Via::kAuto, kArguments));
  ASSERT_TRUE(planned) << planned.error().message;
  EXPECT_EQ(planned->edits.front().before.path, kArguments);
  planned = plan(files, with(add({"kernel.sem"}), planning::Via::kAuto, kConfig));
  ASSERT_TRUE(planned) << planned.error().message;
  EXPECT_EQ(planned->edits.front().before.path, kConfig);
  planned = plan(files, with(add({"kernel.sem"}), planning::Via::kAuto,
                             "/etc/systemd/system/kubelet.service.d/90-kubelet-sysctl.conf"));
  ASSERT_TRUE(planned) << planned.error().message;
  EXPECT_TRUE(planned->edits.front().daemon_reload);
}

TEST(PlanFile, FileThatNothingReadsIsRefused) {
  Lab lab(std::string("kubeadm-deb"));
  auto planned =
      plan(lab, with(add({"kernel.sem"}), planning::Via::kAuto, "/etc/sysconfig/kubelet"));
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(planned.error().path, "/etc/sysconfig/kubelet");
}

TEST(PlanFile, RouteAndFileThatContradictEachOtherAreRefused) {
  auto planned = plan(config_node(kHead, "KUBELET_EXTRA_ARGS=--v=2\n"),
                      with(add({"kernel.sem"}), planning::Via::kArgs, kConfig));
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::kRefused);
}

TEST(PlanFile, DropInThatALaterOneHidesIsRefused) {
  Lab lab(std::string("eks-al2023"));
  auto planned = plan(lab, with(add({"kernel.sem"}), planning::Via::kAuto,
                                "/etc/kubernetes/kubelet/config.json.d/10-mine.conf"));
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::kUnsupported);
}

/// A node that runs.
Result<planning::Plan> live_plan(Lab& lab, const planning::Change& change) {
  auto prepared = lab.prepare(change);
  if (!prepared) return std::move(prepared).error();
  return std::move(prepared->plan);
}

TEST(PlanRestart, OnlyWhenTheRunningListWouldChange) {
  Lab lab(flag_node("net.*,kernel.sem"));
  lab.services().boot();
  auto planned = live_plan(lab, add({"kernel.msg*"}));
  ASSERT_TRUE(planned);
  EXPECT_TRUE(planned->restart);
  planned = live_plan(lab, set({"kernel.sem", "net.*"}));  // another order, the same list
  ASSERT_TRUE(planned);
  EXPECT_FALSE(planned->edits.empty());
  EXPECT_FALSE(planned->restart);
}

TEST(PlanRestart, RunningListThatCannotBeToldAsksForARestart) {
  Lab lab(config_node(std::string(kHead) + "allowedUnsafeSysctls: [net.*]\n", ""));
  lab.services().boot();
  auto planned = live_plan(lab, add({"net.*"}));
  ASSERT_TRUE(planned);
  EXPECT_FALSE(planned->restart);
  // A file newer than the process proves nothing about the process.
  lab.services().write(kConfig, lab.tree().read(kConfig));
  planned = live_plan(lab, add({"net.*"}));
  ASSERT_TRUE(planned);
  EXPECT_TRUE(planned->edits.empty());
  EXPECT_TRUE(planned->restart);
}

TEST(PlanRestart, UnitThatIsStoppedIsNotStarted) {
  Lab lab(flag_node("net.*"));
  auto planned = live_plan(lab, add({"kernel.sem"}));
  ASSERT_TRUE(planned);
  EXPECT_FALSE(planned->restart);
  EXPECT_TRUE(planned->pending);
}

TEST(PlanRestart, UnitThatFailedIsStarted) {
  Lab lab(flag_node("net.*"));
  lab.services().boot();
  lab.services().stop(true);
  auto planned = live_plan(lab, add({"net.*"}));
  ASSERT_TRUE(planned);
  EXPECT_TRUE(planned->edits.empty());
  EXPECT_TRUE(planned->restart);
}

}  // namespace
}  // namespace kubelet_sysctl
