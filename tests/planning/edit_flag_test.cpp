// SPDX-License-Identifier: Apache-2.0
// Plans for a list that a flag sets: each edit as the bytes that a person would have written.
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kArguments = "/etc/default/kubelet";
constexpr const char* kUnit = "/etc/systemd/system/kubelet.service";
constexpr const char* kVendor = "/usr/lib/systemd/system/kubelet.service";
constexpr const char* kOwn = "/etc/systemd/system/kubelet.service.d/90-kubelet-sysctl.conf";
constexpr const char* kMade = "# Made by kubelet-sysctl; its 'undo' takes this file away again.\n";
constexpr const char* kRestated =
    "# The command is the one of the files before, with the list in it.\n";

/// The plan for a node whose unit starts the kubelet with $KUBELET_EXTRA_ARGS.
Result<planning::Plan> plan(const Lab::NodeFiles& files, const planning::Change& change) {
  Lab lab(files);
  lab.discover.live = false;
  auto prepared = lab.prepare(change);
  if (!prepared) return std::move(prepared).error();
  return std::move(prepared->plan);
}

Result<planning::Plan> plan_for_file(const std::string& bytes, const planning::Change& change) {
  return plan(plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS", bytes), change);
}

/// What becomes of the one file that is edited; the error when there is none.
std::string after(const Result<planning::Plan>& plan) {
  if (!plan) return "error: " + plan.error().message;
  if (plan->edits.size() != 1) return "edits: " + std::to_string(plan->edits.size());
  return plan->edits.front().after;
}

std::string after(const std::string& bytes, const planning::Change& change) {
  return after(plan_for_file(bytes, change));
}

Lab::NodeFiles vendor_node(const std::string& command, const std::string& environment_file) {
  Lab::NodeFiles files = {
      {kVendor, "[Service]\nEnvironmentFile=-/etc/default/kubelet\nExecStart=" + command + "\n"}};
  if (!environment_file.empty()) files.emplace_back(kArguments, environment_file);
  return files;
}

TEST(PlanFlag, AddGoesBehindTheLastEntry) {
  EXPECT_EQ(
      after("KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=net.core.somaxconn --v=2\"\n",
            add({"kernel.sem", "kernel.msg*"})),
      "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=net.core.somaxconn,kernel.sem,kernel.msg* "
      "--v=2\"\n");
}

TEST(PlanFlag, RemoveTakesTheEntryAndOneComma) {
  const std::string bytes =
      "KUBELET_EXTRA_ARGS=--allowed-unsafe-sysctls=kernel.sem,net.*,kernel.msg*\n";
  EXPECT_EQ(after(bytes, remove({"kernel.sem"})),
            "KUBELET_EXTRA_ARGS=--allowed-unsafe-sysctls=net.*,kernel.msg*\n");
  EXPECT_EQ(after(bytes, remove({"net.*"})),
            "KUBELET_EXTRA_ARGS=--allowed-unsafe-sysctls=kernel.sem,kernel.msg*\n");
  EXPECT_EQ(after(bytes, remove({"kernel.msg*"})),
            "KUBELET_EXTRA_ARGS=--allowed-unsafe-sysctls=kernel.sem,net.*\n");
}

TEST(PlanFlag, SetGivesTheseEntriesInThisOrder) {
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS=\"--v=2 --allowed-unsafe-sysctls=kernel.sem,net.*\"\n",
                  set({"net.*", "kernel.msg*"})),
            "KUBELET_EXTRA_ARGS=\"--v=2 --allowed-unsafe-sysctls=net.*,kernel.msg*\"\n");
}

TEST(PlanFlag, TwoWordsStayTwoWords) {
  EXPECT_EQ(
      after("KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls kernel.sem --v=2\"\n",
            add({"net.core.somaxconn"})),
      "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls kernel.sem,net.core.somaxconn --v=2\"\n");
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS=\"--v=2 --allowed-unsafe-sysctls kernel.sem\"\n",
                  remove({"kernel.sem"})),
            "KUBELET_EXTRA_ARGS=\"--v=2\"\n");
}

TEST(PlanFlag, OtherSpellingOfTheFlagStays) {
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS=--allowed_unsafe_sysctls=kernel.sem\n", add({"net.*"})),
            "KUBELET_EXTRA_ARGS=--allowed_unsafe_sysctls=kernel.sem,net.*\n");
}

TEST(PlanFlag, QuotesAroundAValueStayAroundIt) {
  EXPECT_EQ(
      after("KUBELET_EXTRA_ARGS=\"--v=2 --allowed-unsafe-sysctls='kernel.sem'\"\n", add({"net.*"})),
      "KUBELET_EXTRA_ARGS=\"--v=2 --allowed-unsafe-sysctls='kernel.sem,net.*'\"\n");
  EXPECT_EQ(
      after("KUBELET_EXTRA_ARGS='\"--allowed-unsafe-sysctls=kernel.sem\" --v=2'\n", add({"net.*"})),
      "KUBELET_EXTRA_ARGS='\"--allowed-unsafe-sysctls=kernel.sem,net.*\" --v=2'\n");
}

TEST(PlanFlag, WholeQuotedWordGoesWithItsQuotes) {
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS=\"--v=2 '--allowed-unsafe-sysctls=kernel.sem' --v=3\"\n",
                  remove({"kernel.sem"})),
            "KUBELET_EXTRA_ARGS=\"--v=2 --v=3\"\n");
}

TEST(PlanFlag, EntriesInCsvQuotesKeepThem) {
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS='--allowed-unsafe-sysctls=\\\"kernel.sem\\\",net.*'\n",
                  add({"kernel.msg*"})),
            "KUBELET_EXTRA_ARGS='--allowed-unsafe-sysctls=\\\"kernel.sem\\\",net.*,kernel.msg*'\n");
}

TEST(PlanFlag, AddJoinsTheLastOfRepeatedFlags) {
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=kernel.sem --v=2 "
                  "--allowed-unsafe-sysctls=net.*\"\n",
                  add({"kernel.msg*"})),
            "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=kernel.sem --v=2 "
            "--allowed-unsafe-sysctls=net.*,kernel.msg*\"\n");
}

TEST(PlanFlag, RemoveLeavesTheRepeatedFlagThatHasIt) {
  const std::string bytes =
      "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=kernel.sem,kernel.shm* --v=2 "
      "--allowed-unsafe-sysctls=net.*\"\n";
  EXPECT_EQ(after(bytes, remove({"kernel.shm*"})),
            "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=kernel.sem --v=2 "
            "--allowed-unsafe-sysctls=net.*\"\n");
  EXPECT_EQ(after(bytes, remove({"net.*"})),
            "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=kernel.sem,kernel.shm* --v=2\"\n");
}

TEST(PlanFlag, LastEntryTakesTheWordAndTheBlankBeforeIt) {
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS=\"--v=2 --allowed-unsafe-sysctls=kernel.sem --v=3\"\n",
                  remove({"kernel.sem"})),
            "KUBELET_EXTRA_ARGS=\"--v=2 --v=3\"\n");
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=kernel.sem --v=3\"\n",
                  remove({"kernel.sem"})),
            "KUBELET_EXTRA_ARGS=\"--v=3\"\n");
  EXPECT_EQ(
      after("KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=kernel.sem\"\n", remove({"kernel.sem"})),
      "KUBELET_EXTRA_ARGS=\"\"\n");
}

// Without the flag the list of the file would come into force (reference: flag over file).
TEST(PlanFlag, EmptyFlagStaysWhereAListBelowWouldComeIntoForce) {
  Lab lab(std::string("kubeadm-rpm"));
  lab.discover.live = false;
  auto prepared = lab.prepare(set({}));
  ASSERT_TRUE(prepared) << prepared.error().message;
  ASSERT_EQ(prepared->plan.edits.size(), 1u);
  EXPECT_EQ(prepared->plan.edits.front().after,
            "# site: kubelet extra flags (kept under configuration management)\n"
            "KUBELET_EXTRA_ARGS=\"--node-ip=192.0.2.21 --allowed-unsafe-sysctls=\"\n");
  ASSERT_EQ(ids_of(prepared->plan.findings), std::vector<std::string>{"empty-flag-kept"});
  EXPECT_EQ(prepared->plan.findings.front().path, "/var/lib/kubelet/config.yaml");
}

TEST(PlanFlag, EmptyFlagIsFilled) {
  EXPECT_EQ(after("KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls= --v=2\"\n", add({"kernel.sem"})),
            "KUBELET_EXTRA_ARGS=\"--allowed-unsafe-sysctls=kernel.sem --v=2\"\n");
}

TEST(PlanFlag, FlagInAUnitOfEtcIsEditedInPlaceAndAsksForAReload) {
  const Lab::NodeFiles files = {{kUnit,
                                 "[Service]\nExecStart=/usr/bin/kubelet \\\n  "
                                 "--allowed-unsafe-sysctls=kernel.sem \\\n  --v=2\n"}};
  auto planned = plan(files, add({"net.*"}));
  EXPECT_EQ(after(planned),
            "[Service]\nExecStart=/usr/bin/kubelet \\\n  --allowed-unsafe-sysctls=kernel.sem,net.* "
            "\\\n  --v=2\n");
  ASSERT_TRUE(planned);
  EXPECT_TRUE(planned->edits.front().daemon_reload);
  EXPECT_EQ(planned->edits.front().route, nodes::Route::kUnit);
  EXPECT_EQ(planned->expected_argv,
            (std::vector<std::string>{"/usr/bin/kubelet",
                                      "--allowed-unsafe-sysctls=kernel.sem,net.*", "--v=2"}));
}

TEST(PlanFlag, FlagOnALineOfItsOwnLeavesTheCommandWhole) {
  const Lab::NodeFiles files = {{kUnit,
                                 "[Service]\nExecStart=/usr/bin/kubelet \\\n  "
                                 "--allowed-unsafe-sysctls=kernel.sem \\\n  --v=2\n"}};
  auto planned = plan(files, remove({"kernel.sem"}));
  ASSERT_TRUE(planned) << planned.error().message;
  EXPECT_EQ(planned->expected_argv, (std::vector<std::string>{"/usr/bin/kubelet", "--v=2"}));
}

TEST(PlanFlag, FlagInAnEnvironmentLineIsEditedInItsQuotes) {
  const Lab::NodeFiles files = {
      {kUnit, "[Service]\nExecStart=/usr/bin/kubelet $A\n"},
      {"/etc/systemd/system/kubelet.service.d/20-a.conf",
       "[Service]\nEnvironment='A=--v=2 --allowed-unsafe-sysctls=kernel.sem'\n"}};
  auto planned = plan(files, add({"net.*"}));
  EXPECT_EQ(after(planned),
            "[Service]\nEnvironment='A=--v=2 --allowed-unsafe-sysctls=kernel.sem,net.*'\n");
  ASSERT_TRUE(planned);
  EXPECT_TRUE(planned->edits.front().daemon_reload);
}

// Without its word, B=" would stay: an open quote, over which systemd drops the whole assignment.
TEST(PlanFlag, RemovalThatWouldLoseTheVariableIsRefused) {
  const Lab::NodeFiles files = {
      {kUnit,
       "[Service]\nEnvironment=B=--allowed-unsafe-sysctls=\"kernel.sem\"\n"
       "ExecStart=/usr/bin/kubelet $B\n"}};
  const auto refused = plan(files, remove({"kernel.sem"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(refused.error().message.find("'B'"), std::string::npos);
}

TEST(PlanFlag, PackagesUnitIsNotEditedWhenTheOperatorsFileIsReadLater) {
  auto planned = plan(vendor_node("/usr/bin/kubelet --allowed-unsafe-sysctls=kernel.sem $EXTRA",
                                  "EXTRA=\"--v=2\"\n"),
                      add({"net.*"}));
  EXPECT_EQ(after(planned), "EXTRA=\"--v=2 --allowed-unsafe-sysctls=net.*\"\n");
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->after, (std::vector<std::string>{"kernel.sem", "net.*"}));
}

TEST(PlanFlag, RemoveFromAPackagesUnitRestatesTheCommandInOurDropIn) {
  auto planned =
      plan(vendor_node("/usr/bin/kubelet --allowed-unsafe-sysctls=kernel.sem,net.* $EXTRA",
                       "EXTRA=\"--v=2\"\n"),
           remove({"kernel.sem"}));
  EXPECT_EQ(after(planned),
            std::string(kMade) + kRestated +
                "[Service]\nExecStart=\n"
                "ExecStart=/usr/bin/kubelet --allowed-unsafe-sysctls=net.* $EXTRA\n");
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->edits.front().before.path, kOwn);
  EXPECT_FALSE(planned->edits.front().before.exists());
  EXPECT_TRUE(planned->edits.front().daemon_reload);
}

TEST(PlanFlag, ListInAPackagesUnitAndInTheOperatorsFileGoesFromBoth) {
  auto planned = plan(vendor_node("/usr/bin/kubelet --allowed-unsafe-sysctls=kernel.sem $EXTRA",
                                  "EXTRA=\"--v=2 --allowed-unsafe-sysctls=net.*\"\n"),
                      set({}));
  ASSERT_TRUE(planned) << planned.error().message;
  ASSERT_EQ(planned->edits.size(), 2u);
  EXPECT_EQ(planned->edits[0].after, "EXTRA=\"--v=2\"\n");
  EXPECT_EQ(planned->edits[1].after,
            std::string(kMade) + kRestated +
                "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet $EXTRA\n");
}

TEST(PlanFlag, OurDropInGoesWhenItsListGoes) {
  Lab::NodeFiles files = vendor_node("/usr/bin/kubelet", "");
  auto made = plan(files, add({"kernel.sem"}));
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_EQ(made->edits.front().before.path, kOwn);
  files.emplace_back(kOwn, made->edits.front().after);
  auto planned = plan(files, remove({"kernel.sem"}));
  ASSERT_TRUE(planned) << planned.error().message;
  ASSERT_EQ(planned->edits.size(), 1u);
  EXPECT_TRUE(planned->edits.front().removes);
  EXPECT_EQ(planned->edits.front().before.path, kOwn);
}

TEST(PlanFlag, OurDropInStaysWhenSomebodyPutMoreIntoIt) {
  Lab::NodeFiles files = vendor_node("/usr/bin/kubelet", "");
  files.emplace_back(kOwn, std::string(kMade) +
                               "[Service]\nExecStart=\n"
                               "ExecStart=/usr/bin/kubelet --allowed-unsafe-sysctls=kernel.sem\n"
                               "LimitNOFILE=65536\n");
  auto planned = plan(files, remove({"kernel.sem"}));
  ASSERT_TRUE(planned) << planned.error().message;
  EXPECT_FALSE(planned->edits.front().removes);
  EXPECT_EQ(after(planned), std::string(kMade) +
                                "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet\n"
                                "LimitNOFILE=65536\n");
}

TEST(PlanFlag, KopsNodeKeepsAllOtherArguments) {
  Lab lab(std::string("kops"));
  lab.discover.live = false;
  const std::string before = lab.tree().read("/etc/sysconfig/kubelet");
  auto prepared = lab.prepare(add({"net.ipv4.tcp_rmem"}));
  ASSERT_TRUE(prepared) << prepared.error().message;
  const std::string mark = "net.core.somaxconn,net.ipv4.tcp_tw_reuse";
  std::string wanted = before;
  wanted.insert(wanted.find(mark) + mark.size(), ",net.ipv4.tcp_rmem");
  ASSERT_EQ(prepared->plan.edits.size(), 1u);
  EXPECT_EQ(prepared->plan.edits.front().before.path, "/etc/sysconfig/kubelet");
  EXPECT_EQ(prepared->plan.edits.front().after, wanted);
}

TEST(PlanFlag, EksNodeKeepsTheQuotesOfItsEnvironmentLine) {
  Lab lab(std::string("eks-al2"));
  lab.discover.live = false;
  const std::string path = "/etc/systemd/system/kubelet.service.d/30-kubelet-extra-args.conf";
  const std::string before = lab.tree().read(path);
  auto prepared = lab.prepare(add({"kernel.sem"}));
  ASSERT_TRUE(prepared) << prepared.error().message;
  const std::string mark = "--allowed-unsafe-sysctls ";
  ASSERT_NE(before.find(mark), std::string::npos);
  std::string wanted = before;
  const std::size_t end = wanted.find_first_of(" '\n", before.find(mark) + mark.size());
  wanted.insert(end, ",kernel.sem");
  ASSERT_EQ(prepared->plan.edits.size(), 1u);
  EXPECT_EQ(prepared->plan.edits.front().before.path, path);
  EXPECT_EQ(prepared->plan.edits.front().after, wanted);
}

TEST(PlanFlag, ListWithAVariableInsideIsRefusedWithItsPlaceAndAWayOut) {
  auto planned = plan(
      plain_node("/usr/bin/kubelet --allowed-unsafe-sysctls=kernel.sem,${EXTRA}", "EXTRA=net.*\n"),
      add({"kernel.msg*"}));
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(planned.error().message, "will not edit this list: part of it comes from '${EXTRA}'");
  EXPECT_EQ(planned.error().path, kUnit);
  EXPECT_EQ(planned.error().line, 3u);
  EXPECT_EQ(planned.error().column, 64u);
  EXPECT_NE(planned.error().hint.find("/etc/default/kubelet"), std::string::npos);
}

TEST(PlanFlag, FlagAndValueFromTwoVariablesAreRefused) {
  auto planned = plan({{kUnit,
                        "[Service]\nEnvironment=A=--allowed-unsafe-sysctls\n"
                        "EnvironmentFile=/etc/b\nExecStart=/usr/bin/kubelet $A $B\n"},
                       {"/etc/b", "B=kernel.sem\n"}},
                      add({"net.*"}));
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(planned.error().message.find("several places"), std::string::npos);
}

TEST(PlanFlag, KubeletBehindAShellIsRefused) {
  auto planned =
      plan(plain_node("/bin/sh -c \"exec kubelet --allowed-unsafe-sysctls=kernel.sem\"", ""), [] {
        planning::Change change = add({"net.*"});
        change.via = planning::Via::kArgs;
        return change;
      }());
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(planned.error().path, kUnit);
}

// Whether an unknown flag takes the next word differs between releases of the kubelet.
TEST(PlanFlag, FlagBehindOneThatIsNotKnownIsRefused) {
  auto planned = plan_for_file(
      "KUBELET_EXTRA_ARGS=\"--not-a-known-flag --allowed-unsafe-sysctls=kernel.sem\"\n",
      add({"net.*"}));
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace kubelet_sysctl
