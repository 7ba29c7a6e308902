// SPDX-License-Identifier: Apache-2.0
// What the desired list makes of the list in force: additive and exact, expired and not, before the first
// start, and what a change by hand is reported it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/desired/desired_list.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kConfig = "/etc/kubelet.yaml";
constexpr const char* kPart = "/etc/kubelet-sysctl.conf.d/50-web.conf";
constexpr const char* kHead =
    "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
/// The pretended clock is at 2026-11-20T22:00Z.
constexpr const char* kOver = "2026-11-19";
constexpr const char* kToday = "2026-11-20";

using Texts = std::vector<std::string>;

Lab::NodeFiles node(const std::string& list, const std::string& wished) {
  Lab::NodeFiles files = plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS",
                                    "KUBELET_EXTRA_ARGS=--allowed-unsafe-sysctls=" + list + "\n");
  files.emplace_back(desired::kDesiredFile, wished);
  return files;
}

struct Planned {
  model::NodeModel model;
  Result<planning::Plan> plan = planning::Plan{};
};

/// The plan of a sync on a tree of files.
Planned sync(Lab& lab, const planning::SyncRequest& wish = {}) {
  lab.discover.live = false;
  ports::Ports ports = lab.ports();
  auto snapshot = discover::discover(ports, lab.discover);
  EXPECT_TRUE(snapshot);
  auto model = checks::resolve_and_check(*snapshot);
  EXPECT_TRUE(model) << model.error().message;
  EXPECT_TRUE(model->desired_list);
  Planned planned;
  planned.plan = planning::plan_sync(*snapshot, *model, *model->desired_list, wish);
  planned.model = std::move(*model);
  return planned;
}

Planned sync(const Lab::NodeFiles& files, const planning::SyncRequest& wish = {}) {
  Lab lab(files);
  return sync(lab, wish);
}

/// The list after a sync, or the error.
Texts after(const Lab::NodeFiles& files, const planning::SyncRequest& wish = {}) {
  const auto planned = sync(files, wish);
  if (!planned.plan) return {planned.plan.error().message};
  EXPECT_EQ(planned.plan->verb, planning::Verb::kSync);
  return planned.plan->after;
}

TEST(PlanSync, AddsWhatTheListLacksAndLeavesWhatNobodyWished) {
  EXPECT_THAT(after(node("kernel.sem", "net.core.somaxconn\nkernel.sem\nkernel.msg*\n")),
              ElementsAre("kernel.sem", "net.core.somaxconn", "kernel.msg*"));
}

TEST(PlanSync, HasNothingToDoWhereEverythingWishedIsThere) {
  const auto planned = sync(node("kernel.sem,net.*", "net.core.somaxconn\nkernel/sem\n"));
  ASSERT_TRUE(planned.plan);
  EXPECT_TRUE(planned.plan->edits.empty());
  EXPECT_FALSE(planned.plan->pending);
}

TEST(PlanSync, MakesTheListExactlyWhatIsWishedWhereTheFileSaysSo) {
  EXPECT_THAT(
      after(node("kernel.sem,kernel.msgmax", "mode = exact\nkernel.msgmax\nkernel.msgmnb\n")),
      ElementsAre("kernel.msgmax", "kernel.msgmnb"));
}

TEST(PlanSync, NeverEmptiesAListBecauseNothingIsWished) {
  const auto exact = sync(node("kernel.sem", "mode = exact\n# kernel.sem\n"));
  ASSERT_FALSE(exact.plan);
  EXPECT_EQ(exact.plan.error().kind, ErrorKind::kRefused);
  const auto dropped =
      sync(node("kernel.sem", fmt::format("mode = exact\nkernel.sem expires={}\n", kOver)),
           {.drop_expired = true});
  ASSERT_FALSE(dropped.plan);
  EXPECT_EQ(dropped.plan.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(after(node("kernel.sem", "# nothing\n")), ElementsAre("kernel.sem"));
}

TEST(PlanSync, MergesTheFilesOfTheDirectoryBehindTheMainOne) {
  auto files = node("kernel.sem", "kernel.msgmax\n");
  files.emplace_back(kPart, "net.core.somaxconn\n");
  files.emplace_back("/etc/kubelet-sysctl.conf.d/10-db.conf", "kernel.msgmnb\n");
  files.emplace_back("/etc/kubelet-sysctl.conf.d/50-web.conf.dpkg-old", "kernel.shmmax\n");
  files.emplace_back("/etc/kubelet-sysctl.conf.d/.50-web.conf", "kernel.shmall\n");
  EXPECT_THAT(after(files),
              ElementsAre("kernel.sem", "kernel.msgmax", "kernel.msgmnb", "net.core.somaxconn"));
}

TEST(PlanSync, KeepsAnExpiredEntryAndTellsOfIt) {
  const auto planned =
      sync(node("kernel.sem",
                fmt::format("kernel.sem owner=team-db reason=\"ticket 7\" expires={}\n", kOver)));
  ASSERT_TRUE(planned.plan);
  EXPECT_THAT(planned.plan->after, ElementsAre("kernel.sem"));
  ASSERT_THAT(ids_of(planned.plan->findings), ElementsAre("expired-entry"));
  const Finding& finding = planned.plan->findings.front();
  EXPECT_EQ(finding.severity, Severity::kWarning);
  EXPECT_EQ(finding.path, desired::kDesiredFile);
  EXPECT_EQ(finding.line, 1U);
  EXPECT_THAT(finding.message, HasSubstr("expired at 2026-11-20T00:00:00Z"));
  EXPECT_THAT(finding.message, HasSubstr("by team-db, for 'ticket 7'"));
}

TEST(PlanSync, DropsWhatIsExpiredOnlyWhenAskedForByOptionOrFile) {
  const std::string wished = fmt::format(
      "kernel.sem expires={}\nkernel.msgmax expires={}\nkernel.msgmnb\n", kOver, kToday);
  EXPECT_THAT(after(node("kernel.sem,kernel.msgmax", wished)),
              ElementsAre("kernel.sem", "kernel.msgmax", "kernel.msgmnb"));
  EXPECT_THAT(after(node("kernel.sem,kernel.msgmax", wished), {.drop_expired = true}),
              ElementsAre("kernel.msgmax", "kernel.msgmnb"));
  EXPECT_THAT(after(node("kernel.sem,kernel.msgmax", "expired = drop\n" + wished)),
              ElementsAre("kernel.msgmax", "kernel.msgmnb"));
  EXPECT_THAT(
      after(node("kernel.sem,kernel.msgmax", "mode = exact\n" + wished), {.drop_expired = true}),
      ElementsAre("kernel.msgmax", "kernel.msgmnb"));
}

TEST(PlanSync, SaysThatADroppedEntryComesBackUnlessItsLineGoes) {
  const std::string wished = fmt::format("kernel.msgmax\nkernel.sem expires={}\n", kOver);
  auto planned = sync(node("kernel.sem,kernel.msgmax", wished), {.drop_expired = true});
  ASSERT_TRUE(planned.plan);
  ASSERT_THAT(ids_of(planned.plan->findings), ElementsAre("expired-entry"));
  EXPECT_EQ(planned.plan->findings[0].severity, Severity::kNote);
  EXPECT_THAT(planned.plan->findings[0].hint, HasSubstr("the next sync adds the entry again"));
  planned = sync(node("kernel.msgmax", "expired = drop\n" + wished));
  ASSERT_TRUE(planned.plan);
  EXPECT_THAT(ids_of(planned.plan->findings), ElementsAre());
}

TEST(PlanSync, SaysWhereAPatternStillAllowsWhatWasDropped) {
  const auto planned =
      sync(node("kernel.msgmax,kernel.msg*", fmt::format("kernel.msgmax expires={}\n", kOver)),
           {.drop_expired = true});
  ASSERT_TRUE(planned.plan);
  EXPECT_THAT(planned.plan->after, ElementsAre("kernel.msg*"));
  EXPECT_THAT(ids_of(planned.plan->findings), testing::Contains("still-allowed"));
}

TEST(PlanSync, RefusesAnEntryThatStopsTheKubeletAtItsLineAndWritesNothing) {
  Lab lab(node("kernel.sem", "net.core.somaxconn\n  vm.max_map_count owner=search\n"));
  const auto planned = sync(lab);
  ASSERT_FALSE(planned.plan);
  const Error& error = planned.plan.error();
  EXPECT_EQ(error.kind, ErrorKind::kRefused);
  EXPECT_EQ(error.path, desired::kDesiredFile);
  EXPECT_EQ(error.line, 2U);
  EXPECT_EQ(error.column, 3U);
  EXPECT_EQ(error.excerpt, "  vm.max_map_count owner=search");
  EXPECT_THAT(error.message, HasSubstr("not known to be namespaced"));
}

TEST(PlanSync, RefusesEverythingBelowNetAtItsLine) {
  const auto planned = sync(node("kernel.sem", "kernel.sem\nnet.*\n"));
  ASSERT_FALSE(planned.plan);
  EXPECT_EQ(planned.plan.error().line, 2U);
  EXPECT_THAT(after(node("kernel.sem", "net.*\n"), {.allow_wide = true}),
              ElementsAre("kernel.sem", "net.*"));
}

TEST(PlanSync, WritesNothingBeforeTheConfigurationOfTheKubeletIsThere) {
  auto files = plain_node("/usr/bin/kubelet --config=/etc/kubelet.yaml $KUBELET_EXTRA_ARGS", {});
  files.emplace_back(desired::kDesiredFile, "kernel.sem\n");
  auto planned = sync(files);
  ASSERT_TRUE(planned.plan);
  EXPECT_TRUE(planned.plan->edits.empty());
  EXPECT_TRUE(planned.plan->pending);
  ASSERT_THAT(ids_of(planned.plan->findings), ElementsAre("waits-for-config"));
  EXPECT_EQ(planned.plan->findings[0].path, kConfig);
  planned = sync(files, {.via = planning::Via::kArgs});
  ASSERT_TRUE(planned.plan) << planned.plan.error().message;
  EXPECT_FALSE(planned.plan->edits.empty());
  files.emplace_back(kConfig, kHead);
  planned = sync(files);
  ASSERT_TRUE(planned.plan) << planned.plan.error().message;
  ASSERT_EQ(planned.plan->edits.size(), 1U);
  EXPECT_EQ(planned.plan->edits[0].before.path, kConfig);
}

TEST(PlanSync, GivesTheRecordOwnersAndReasonsOfWhatChanged) {
  const auto planned = sync(
      node("kernel.sem,kernel.msgmax",
           fmt::format("kernel.sem owner=team-db reason=old expires={}\nkernel.msgmax owner=x\n"
                       "net.core.somaxconn owner=team-web reason=\"ticket 1412: nginx\"\n",
                       kOver)),
      {.drop_expired = true});
  ASSERT_TRUE(planned.plan);
  EXPECT_EQ(planning::reason_of(*planned.model.desired_list, *planned.plan),
            "kernel.sem (team-db) expired 2026-11-19: old; "
            "net.core.somaxconn (team-web): ticket 1412: nginx");
}

TEST(PlanSync, TellsAChangeByHandThatTheNextSyncUndoesIt) {
  Lab lab(node("kernel.sem,kernel.msgmax", "kernel.sem owner=team-db\n"));
  lab.discover.live = false;
  const auto removal = lab.prepare(remove({"kernel.sem"}));
  ASSERT_TRUE(removal);
  ASSERT_THAT(ids_of(removal->plan.findings), ElementsAre("still-desired"));
  EXPECT_EQ(removal->plan.findings[0].line, 1U);
  const auto other = lab.prepare(remove({"kernel.msgmax"}));
  ASSERT_TRUE(other);
  EXPECT_THAT(ids_of(other->plan.findings), ElementsAre());
  lab.tree().write(desired::kDesiredFile, "mode = exact\nkernel.sem\nkernel.msgmax\n");
  const auto addition = lab.prepare(add({"net.core.somaxconn"}));
  ASSERT_TRUE(addition);
  EXPECT_THAT(ids_of(addition->plan.findings), ElementsAre("not-desired"));
}

TEST(PlanSync, ListThatCannotBeReadHindersNoOtherCommand) {
  Lab lab(node("kernel.sem", "kernel.sem owner=\n"));
  lab.discover.live = false;
  const auto prepared = lab.prepare(add({"net.core.somaxconn"}));
  ASSERT_TRUE(prepared) << prepared.error().message;
  EXPECT_FALSE(prepared->model.desired_list);
  ASSERT_TRUE(prepared->model.desired_fault);
  EXPECT_EQ(prepared->model.desired_fault->line, 1U);
  EXPECT_EQ(prepared->plan.after.size(), 2U);
}

}  // namespace
}  // namespace kubelet_sysctl
