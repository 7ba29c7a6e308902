// SPDX-License-Identifier: Apache-2.0
// What needs no decision is fixed, in the bytes that it takes; what needs one is refused or stays advice.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "support/doctor_nodes.hpp"

namespace kubelet_sysctl::doctor_nodes {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

using List = std::vector<std::string>;

Result<Lab::Prepared> prepare_fix(Lab& lab) {
  ports::Ports ports = lab.ports();
  Lab::Prepared prepared;
  auto snapshot = discover::discover(ports, lab.discover);
  if (!snapshot) return std::move(snapshot).error();
  prepared.snapshot = std::move(*snapshot);
  auto model = checks::resolve_and_check(prepared.snapshot);
  if (!model) return std::move(model).error();
  prepared.model = std::move(*model);
  auto plan = planning::plan_fix(prepared.snapshot, prepared.model);
  if (!plan) return std::move(plan).error();
  prepared.plan = std::move(*plan);
  return prepared;
}

/// The plan of a fix on that node.
planning::Plan plan_on(Lab& lab) {
  auto prepared = prepare_fix(lab);
  EXPECT_TRUE(prepared) << prepared.error().message;
  return prepared ? prepared->plan : planning::Plan{};
}

Error error_on(Lab& lab) {
  auto prepared = prepare_fix(lab);
  EXPECT_FALSE(prepared);
  return prepared ? Error{} : prepared.error();
}

std::string flag(const std::string& value) {
  return "ARGS=\"--v=2 --allowed-unsafe-sysctls=" + value + " --max-pods=50\"\n";
}

TEST(PlanFix, GivesTheKeyItsNameAndTheRunningKubeletItsList) {
  const std::string rest =
      ":\n# for the payments pods\n- net.core.somaxconn   # backlog\n- kernel.sem\n";
  const auto lab = running({{kConfig, config("maxPods: 50\nallowed-unsafe-sysctls" + rest)}});
  const auto prepared = prepare_fix(*lab);
  ASSERT_TRUE(prepared);
  const auto outcome = lab->carry_out(*prepared);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(lab->tree().read(kConfig), config("maxPods: 50\nallowedUnsafeSysctls" + rest));
  EXPECT_EQ(lab->services().started_lists.back(), (List{"net.core.somaxconn", "kernel.sem"}));
  const auto record = newest_record(*lab);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->verb, planning::Verb::kFix);
  ASSERT_TRUE(lab->undo(record->id));
  EXPECT_THAT(lab->tree().read(kConfig), HasSubstr("allowed-unsafe-sysctls:\n"));
}

TEST(PlanFix, NamesTheCommandWhereTheFileHoldsASecondList) {
  const auto lab =
      node({{kConfig, config("allowedUnsafeSysctls: [kernel.sem]\n"
                             "allowed-unsafe-sysctls: [kernel.sem, net.core.somaxconn]\n")}});
  const Error error = error_on(*lab);
  EXPECT_EQ(error.kind, ErrorKind::kRefused);
  EXPECT_EQ(error.path, kConfig);
  EXPECT_EQ(error.line, 4u);
  EXPECT_THAT(error.hint, HasSubstr("run: kubelet-sysctl add net.core.somaxconn"));
  EXPECT_THAT(error.hint, Not(HasSubstr("kernel.sem")));
}

TEST(PlanFix, RefusesEntriesThatWouldComeIntoForceAndEndTheKubelet) {
  const auto lab =
      node({{kConfig, config("allowed-unsafe-sysctls:\n- kernel.sem\n- vm.max_map_count\n")}});
  const Error error = error_on(*lab);
  EXPECT_EQ(error.kind, ErrorKind::kRefused);
  EXPECT_THAT(error.message, HasSubstr("are not known to be namespaced"));
  EXPECT_EQ(error.path, kConfig);
  EXPECT_EQ(error.line, 5u);
}

TEST(PlanFix, BringsNoGrantOfEverythingBelowNetIntoForce) {
  const auto lab = node({{kConfig, config("allowed-unsafe-sysctls: ['net.*']\n")}});
  const Error error = error_on(*lab);
  EXPECT_EQ(error.kind, ErrorKind::kRefused);
  EXPECT_THAT(error.hint, HasSubstr("--allow-wide"));
}

TEST(PlanFix, SaysThatNothingChangesInForceBelowAFlag) {
  const auto lab = running({{kConfig, config("allowed-unsafe-sysctls: [net.core.somaxconn]\n")},
                            {kArguments, flag("kernel.sem")}});
  const planning::Plan plan = plan_on(*lab);
  ASSERT_EQ(plan.edits.size(), 1u);
  EXPECT_EQ(plan.edits[0].after, config("allowedUnsafeSysctls: [net.core.somaxconn]\n"));
  EXPECT_EQ(plan.before, List{"kernel.sem"});
  EXPECT_EQ(plan.after, List{"kernel.sem"});
  EXPECT_FALSE(plan.restart);
  EXPECT_THAT(ids_of(plan.findings), Contains("list-unchanged"));
  EXPECT_THAT(ids_of(plan.findings), Contains("shadowed-list"));
}

struct Mend {
  const char* what;
  std::string before;
  std::string after;
  List list;
};

TEST(PlanFix, MendsTheValueOfAFlagAndNoOtherWord) {
  const std::string ab = flag("kernel.sem,net.core.somaxconn");
  const List both = {"kernel.sem", "net.core.somaxconn"};
  for (const Mend& mend : {
           Mend{"a torn list", flag("kernel.sem, net.core.somaxconn"), ab, both},
           Mend{"torn twice", flag("kernel.sem , net.core.somaxconn"), ab, both},
           Mend{"a comma at the end", flag("kernel.sem,net.core.somaxconn,"), ab, both},
           Mend{"an empty item", flag("kernel.sem,,net.core.somaxconn"), ab, both},
           Mend{"torn and doubled", flag("kernel.sem, net.core.somaxconn,kernel.sem"), ab, both},
           Mend{"quotes", flag("\\\\'kernel.sem\\\\',net.core.somaxconn"), ab, both},
           Mend{"covered", flag("net.*,net.core.somaxconn"), flag("net.*"), {"net.*"}},
       }) {
    const auto lab = node({{kArguments, mend.before}});
    const planning::Plan plan = plan_on(*lab);
    ASSERT_EQ(plan.edits.size(), 1u) << mend.what;
    EXPECT_EQ(plan.edits[0].after, mend.after) << mend.what;
    EXPECT_TRUE(
        only_spliced(plan.edits[0].before.bytes, plan.edits[0].after, plan.edits[0].splices));
    EXPECT_EQ(plan.after, mend.list) << mend.what;
  }
}

TEST(PlanFix, MendsAListInAFileWithItsCommentsKept) {
  const auto lab =
      node({{kConfig, config("allowedUnsafeSysctls:\n- kernel.msg*   # queues\n- kernel.msgmax\n"
                             "- ' kernel.sem'\n- \"\"\n- net.core.a, net.core.b\n"
                             "- kernel.msg*\n# end\nmaxPods: 5\n")}});
  const planning::Plan plan = plan_on(*lab);
  EXPECT_EQ(plan.after, (List{"kernel.msg*", "kernel.sem", "net.core.a", "net.core.b"}));
  ASSERT_EQ(plan.edits.size(), 1u);
  EXPECT_EQ(plan.edits[0].after,
            config("allowedUnsafeSysctls:\n- kernel.msg*   # queues\n- kernel.sem\n- net.core.a\n"
                   "- net.core.b\n# end\nmaxPods: 5\n"));
}

TEST(PlanFix, RenamesAndCleansInOneEdit) {
  const auto lab =
      node({{kConfig, config("allowed-unsafe-sysctls:\n- kernel.sem\n- kernel.sem\n")}});
  const planning::Plan plan = plan_on(*lab);
  ASSERT_EQ(plan.edits.size(), 1u);
  EXPECT_EQ(plan.edits[0].after, config("allowedUnsafeSysctls:\n- kernel.sem\n"));
  EXPECT_TRUE(only_spliced(plan.edits[0].before.bytes, plan.edits[0].after, plan.edits[0].splices));
}

TEST(PlanFix, LeavesDriftAndEverythingElseAsAdvice) {
  const auto lab =
      running({{kArguments, flag("kernel.sem")}, {kConfig, config("healthzPort: 0\n")}});
  lab->services().write(kArguments, flag("kernel.msgmax"));
  const planning::Plan plan = plan_on(*lab);
  EXPECT_TRUE(plan.edits.empty());
  EXPECT_FALSE(plan.restart);
  EXPECT_EQ(ids_of(plan.findings), List{"health-off"});
}

TEST(PlanFix, RefusesANodeOfAnotherManager) {
  Lab lab("openshift");
  EXPECT_EQ(error_on(lab).kind, ErrorKind::kRefused);
}

TEST(PlanFix, RefusesAListWithANameThatIsNone) {
  const auto lab = node({{kArguments, flag("net.*.somaxconn,,kernel.sem")}});
  const Error error = error_on(*lab);
  EXPECT_EQ(error.kind, ErrorKind::kRefused);
  EXPECT_EQ(error.path, kArguments);
}

}  // namespace
}  // namespace kubelet_sysctl::doctor_nodes
