// SPDX-License-Identifier: Apache-2.0
// Plans for a list that is not in the arguments yet: into which file it goes, and how it is
// written.
#include <gtest/gtest.h>

#include "kubelet_sysctl/planning/plan.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kArguments = "/etc/default/kubelet";
constexpr const char* kOwn = "/etc/systemd/system/kubelet.service.d/90-kubelet-sysctl.conf";

planning::Change via_args(planning::Change change) {
  change.via = planning::Via::kArgs;
  return change;
}

struct Edited {
  std::string path;
  std::string after;
  std::vector<std::string> argv;
  bool operator==(const Edited&) const = default;
};

Edited edited(Lab& lab, const planning::Change& change) {
  lab.discover.live = false;
  auto prepared = lab.prepare(change);
  if (!prepared) return {.path = "error", .after = prepared.error().message, .argv = {}};
  const planning::Plan& plan = prepared->plan;
  if (plan.edits.size() != 1) return {.path = "edits", .after = {}, .argv = {}};
  return {.path = plan.edits.front().before.path,
          .after = plan.edits.front().after,
          .argv = plan.expected_argv};
}

std::string after(const std::string& bytes) {
  Lab lab(plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS", bytes));
  const Edited done = edited(lab, add({"kernel.sem"}));
  EXPECT_EQ(done.path, kArguments);
  EXPECT_EQ(done.argv.back(), "--allowed-unsafe-sysctls=kernel.sem");
  return done.after;
}

TEST(PlanInsert, EmptyUnquotedValueBecomesAQuotedOne) {
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS=\n"),
            "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=kernel.sem\"\n");
  EXPECT_EQ(after("A=1\r\nKUBELET_EXTRA_ARGS=\r\n"),
            "A=1\r\nKUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=kernel.sem\"\r\n");
}

TEST(PlanInsert, EmptyQuotedValueIsFilled) {
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS=\"\"\n"),
            "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=kernel.sem\"\n");
}

TEST(PlanInsert, OneUnquotedWordGetsQuotesSoThatAShellReadsItToo) {
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS=--v=2\n"),
            "KUBELET_EXTRA_ARGS=\"--v=2 --allowed-unsafe-sysctls=kernel.sem\"\n");
}

TEST(PlanInsert, UnquotedValueWithBlanksStaysUnquoted) {
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS=--v=2 --node-ip=192.0.2.1"),
            "KUBELET_EXTRA_ARGS=--v=2 --node-ip=192.0.2.1 --allowed-unsafe-sysctls=kernel.sem");
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS=--v=2 --v=3  \n# end\n"),
            "KUBELET_EXTRA_ARGS=--v=2 --v=3 --allowed-unsafe-sysctls=kernel.sem  \n# end\n");
}

TEST(PlanInsert, QuotedValueIsExtendedInsideItsQuotes) {
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS=\"--v=2 \"\nB=1\n"),
            "KUBELET_EXTRA_ARGS=\"--v=2 --allowed-unsafe-sysctls=kernel.sem \"\nB=1\n");
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS='--v=2'\n"),
            "KUBELET_EXTRA_ARGS='--v=2 --allowed-unsafe-sysctls=kernel.sem'\n");
}

TEST(PlanInsert, LastAssignmentOfTheVariableIsTheOneThatCounts) {
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS=--v=1\nKUBELET_EXTRA_ARGS='--v=2'\n"),
            "KUBELET_EXTRA_ARGS=--v=1\nKUBELET_EXTRA_ARGS='--v=2 "
            "--allowed-unsafe-sysctls=kernel.sem'\n");
}

TEST(PlanInsert, UnsetVariableGetsALineInTheOperatorsFile) {
  EXPECT_EQ(after("# nothing\n"),
            "# nothing\nKUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=kernel.sem\"\n");
  EXPECT_EQ(after("A=1"), "A=1\nKUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=kernel.sem\"\n");
}

TEST(PlanInsert, OperatorsFileThatIsNotThereIsMadeWithOneLine) {
  Lab lab(plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS", ""));
  const Edited done = edited(lab, add({"kernel.sem", "net.*"}));
  EXPECT_EQ(done.path, kArguments);
  EXPECT_EQ(done.after, "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=kernel.sem,net.*\"\n");
}

TEST(PlanInsert, CommandWithoutAVariableIsRestatedInOurDropIn) {
  Lab lab(Lab::NodeFiles{
      {"/usr/lib/systemd/system/kubelet.service",
       "[Service]\nExecStart=/usr/bin/kubelet \\\n  --v=2 \\\n  --node-ip=192.0.2.1\n"}});
  const Edited done = edited(lab, add({"kernel.sem"}));
  EXPECT_EQ(done.path, kOwn);
  EXPECT_NE(done.after.find("\n[Service]\nExecStart=\nExecStart=/usr/bin/kubelet"),
            std::string::npos);
  EXPECT_EQ(done.argv, (std::vector<std::string>{"/usr/bin/kubelet", "--v=2", "--node-ip=192.0.2.1",
                                                 "--allowed-unsafe-sysctls=kernel.sem"}));
}

// ${VAR} is one word, never split, so nothing can be added through it.
TEST(PlanInsert, VariableInBracesIsNoPlaceForAFlag) {
  Lab lab(plain_node("/usr/bin/kubelet ${KUBELET_EXTRA_ARGS}", "KUBELET_EXTRA_ARGS=--v=2\n"));
  const Edited done = edited(lab, add({"kernel.sem"}));
  EXPECT_EQ(done.path, kOwn);
  EXPECT_EQ(done.argv, (std::vector<std::string>{"/usr/bin/kubelet", "--v=2",
                                                 "--allowed-unsafe-sysctls=kernel.sem"}));
}

TEST(PlanInsert, UnsetVariableWithoutAnOperatorsFileIsSetInOurDropIn) {
  Lab lab(Lab::NodeFiles{{"/usr/lib/systemd/system/kubelet.service",
                          "[Service]\nExecStart=/usr/bin/kubelet $KUBELET_EXTRA_ARGS --v=2\n"}});
  const Edited done = edited(lab, add({"kernel.sem"}));
  EXPECT_EQ(done.path, kOwn);
  EXPECT_EQ(done.after,
            "# Made by kubelet-sysctl; its 'undo' takes this file away again.\n[Service]\n"
            "Environment=\"KUBELET_EXTRA_ARGS=--allowed-unsafe-sysctls=kernel.sem\"\n");
}

TEST(PlanInsert, EnvironmentLineOfADropInInEtcIsExtended) {
  Lab lab(Lab::NodeFiles{
      {"/usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet $ARGS\n"},
      {"/etc/systemd/system/kubelet.service.d/20-a.conf", "[Service]\nEnvironment=ARGS=--v=2\n"}});
  const Edited done = edited(lab, add({"kernel.sem"}));
  EXPECT_EQ(done.path, "/etc/systemd/system/kubelet.service.d/20-a.conf");
  EXPECT_EQ(done.after,
            "[Service]\nEnvironment=\"ARGS=--v=2 --allowed-unsafe-sysctls=kernel.sem\"\n");
}

TEST(PlanInsert, KubesprayValueOverSeveralLinesIsExtendedAtItsEnd) {
  Lab lab(std::string("kubespray"));
  const std::string before = lab.tree().read("/etc/kubernetes/kubelet.env");
  const Edited done = edited(lab, via_args(add({"kernel.sem"})));
  EXPECT_EQ(done.path, "/etc/kubernetes/kubelet.env");
  const std::string mark = "--runtime-cgroups=/system.slice/containerd.service";
  std::string wanted = before;
  wanted.insert(wanted.find(mark) + mark.size(), " --allowed-unsafe-sysctls=kernel.sem");
  EXPECT_EQ(done.after, wanted);
}

TEST(PlanInsert, NodeadmValueWithoutAnyQuotesOrLineEndIsExtended) {
  Lab lab(std::string("eks-al2023"));
  const std::string before = lab.tree().read("/etc/eks/kubelet/environment");
  const Edited done = edited(lab, via_args(add({"kernel.sem"})));
  EXPECT_EQ(done.path, "/etc/eks/kubelet/environment");
  // The list of the drop-in would be hidden by the flag, so it comes along.
  EXPECT_EQ(done.after, before + " --allowed-unsafe-sysctls=net.core.somaxconn,kernel.sem");
}

TEST(PlanInsert, DebNodeWithAnEmptyOperatorsFileGetsItsFlagThere) {
  Lab lab(std::string("kubeadm-deb"));
  const Edited done = edited(lab, via_args(add({"kernel.sem"})));
  EXPECT_EQ(done.path, kArguments);
  EXPECT_EQ(done.after,
            "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=net.core.somaxconn,kernel.shm*,"
            "kernel.sem\"\n");
}

}  // namespace
}  // namespace kubelet_sysctl
