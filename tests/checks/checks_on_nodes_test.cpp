// SPDX-License-Identifier: Apache-2.0
// Every check speaks on a node that has its fault, and keeps quiet on one that has not, or where nobody knows.
#include <algorithm>
#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "support/doctor_nodes.hpp"

namespace kubelet_sysctl::doctor_nodes {
namespace {

using testing::HasSubstr;

/// Made by the command, of the records that it alone reads: tests/golden/doctor_test.cpp; list-lost in
/// tests/transaction/lost_entries_test.cpp. The answer to --configz: tests/discover/ask_configz_test.cpp.
const std::set<std::string> kOfTheCommand = {"unfinished-change", "broken-record", "list-lost",
                                             "configz-differs", "configz-silent"};

std::vector<Pair> pairs() {
  std::vector<Pair> all = pairs_of_files();
  const std::vector<Pair> more = pairs_of_process();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::vector<Finding> of_id(const std::vector<Finding>& findings, std::string_view id) {
  std::vector<Finding> found;
  std::copy_if(findings.begin(), findings.end(), std::back_inserter(found),
               [id](const Finding& one) { return one.id == id; });
  return found;
}

std::vector<Finding> of_id(Lab& lab, std::string_view id) { return of_id(found_on(lab), id); }

TEST(Doctor, HasAnIllAndAWellNodeForEveryCheck) {
  std::set<std::string> tested = kOfTheCommand;
  for (const Pair& pair : pairs()) EXPECT_TRUE(tested.insert(pair.id).second) << pair.id;
  std::set<std::string> all;
  for (const checks::Check& check : checks::all_checks()) all.emplace(check.id);
  EXPECT_EQ(tested, all);
}

TEST(Doctor, FindsNothingOnASoundNode) {
  EXPECT_EQ(ids_of(found_on(*running())), std::vector<std::string>{});
  // Its files are sound; that nothing runs is all there is to be said.
  EXPECT_EQ(ids_of(found_on(*node())), std::vector<std::string>{"kubelet-stopped"});
}

class Pairs : public testing::TestWithParam<Pair> {};

TEST_P(Pairs, SpeaksOfTheIllNodeAndNotOfTheWellOne) {
  const auto ill = GetParam().ill();
  const auto found = of_id(*ill, GetParam().id);
  ASSERT_EQ(found.size(), 1u) << testing::PrintToString(ids_of(found_on(*ill)));
  EXPECT_EQ(found[0].severity, checks::find_check(GetParam().id)->severity) << found[0].message;
  EXPECT_NE(found[0].hint, "") << "no fix";
  const auto well = GetParam().well();
  const auto none = of_id(*well, GetParam().id);
  EXPECT_TRUE(none.empty()) << none[0].message;
}

std::string name_of_pair(const testing::TestParamInfo<Pair>& info) {
  std::string name = info.param.id;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Checks, Pairs, testing::ValuesIn(pairs()), name_of_pair);

// Wrong answers are worse than none.

TEST(DoctorUnknown, KernelThatCannotBeAskedMakesNoEntryUseless) {
  const auto lab = listing({"net.core.netdev_max_backlog", "net.ipv4.tcp_*"});
  const auto found = found_on(*lab);
  EXPECT_TRUE(of_id(found, "useless-in-kernel").empty());
  EXPECT_TRUE(of_id(found, "wide-grant").empty());
}

TEST(DoctorUnknown, WholeGroupIsWideWithoutAKernelAndNothingIsCounted) {
  const auto lab = listing({"net.ipv4.*"});
  const auto found = of_id(*lab, "wide-grant");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].message, HasSubstr("every name that begins with 'net.ipv4.'"));
}

TEST(DoctorUnknown, KubeletOfUnknownReleaseMakesNoEntrySafe) {
  const auto lab = listing({"net.ipv4.tcp_syncookies"});
  EXPECT_TRUE(of_id(*lab, "safe-already").empty());
}

TEST(DoctorUnknown, KernelOfUnknownReleaseMakesNoNameSafeThatNeedsAMinimum) {
  const auto lab = listing({"net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies"});
  lab->discover.kubelet_version = sysctl::parse_kubelet_version("1.32.0");
  lab->services().kernel.release_text = "unreadable";
  const auto found = of_id(*lab, "safe-already");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].message, HasSubstr("tcp_syncookies"));
}

TEST(DoctorUnknown, EntryThatAnyReleaseRefusesIsTold) {
  const auto lab = listing({"kernel.shm_*"});
  const auto found = of_id(*lab, "entry-refused");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].message, HasSubstr("1.29 and later"));
}

TEST(DoctorUnknown, FileThatMayNotBeReadIsNotTakenForAbsent) {
  const auto lab = running({{kConfig, config("allowedUnsafeSysctls: [kernel.sem]\n")}});
  ports::Ports ports = lab->ports();
  ASSERT_TRUE(discover::discover(ports, lab->discover));
  const auto calls = lab->faults().calls(Calls::kAll);
  const auto at = std::find(calls.begin(), calls.end(), std::string("read ") + kConfig);
  ASSERT_NE(at, calls.end());
  lab->faults().fail(static_cast<std::size_t>(at - calls.begin()) + 1, Calls::kAll,
                     {.kind = ErrorKind::kPermission, .message = "Permission denied"});
  const auto snapshot = discover::discover_partly(ports, lab->discover);
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->unreadable, std::vector<std::string>{kConfig});
  const model::NodeModel model = model::resolve_partly(*snapshot);
  for (const Finding& finding : checks::run_checks(*snapshot, model, checks::Audience::kDoctor)) {
    EXPECT_EQ(checks::find_check(finding.id)->needs, checks::Needs::kPart) << finding.id;
  }
}

TEST(DoctorKernel, NameOfAModuleThatIsNotLoadedMayComeWithIt) {
  for (const char* entry : {"net.netfilter.nf_conntrack_tcp_loose", "net.netfilter.*"}) {
    const auto lab = listing({entry});
    lab->services().kernel.answer(entry, sysctl::KernelState::kAbsent);
    const auto found = of_id(*lab, "useless-in-kernel");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_THAT(found[0].hint, HasSubstr("module 'nf_conntrack'"));
  }
}

// Source: kubernetes/website sysctl-cluster.md: such a name is FailedCreatePodSandBox for every pod.
TEST(DoctorKernel, ADefaultThatPodsCannotSetStopsEveryPodThatGetsIt) {
  const std::string rest = "defaultPodSysctls: {net.core.rmem_max: \"1\", kernel.msgmax: \"1\"}\n";
  const auto lab = node({{kConfig, config("featureGates: {DefaultPodSysctls: true}\n" + rest)}});
  lab->discover.kubelet_version = sysctl::parse_kubelet_version("1.37.0");
  lab->services().kernel.answer("net.core.rmem_max", sysctl::KernelState::kReadOnly);
  lab->services().kernel.answer("kernel.msgmax", sysctl::KernelState::kWritable);
  const auto found = of_id(*lab, "useless-in-kernel");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].message, HasSubstr("'net.core.rmem_max' is read-only for pods"));
  EXPECT_EQ(found[0].path, kConfig);
  EXPECT_EQ(found[0].line, 4u);
}

// Source: the tables of 1.28 and 1.29 for 'kernel.shm_*'; slashes are legal from 1.23 on.
TEST(DoctorRelease, TellsThisKubeletFromTheNextAndForgetsOlderOnes) {
  const auto lab = listing({"kernel.shm_*", "net/core/somaxconn"});
  lab->discover.kubelet_version = sysctl::parse_kubelet_version("1.28.3");
  auto found = of_id(*lab, "entry-refused");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].message,
              HasSubstr("'kernel.shm_*' starts this kubelet (1.28.3) and stops 1.29 and later"));
  lab->discover.kubelet_version = sysctl::parse_kubelet_version("1.29.0");
  found = of_id(*lab, "entry-refused");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].message, HasSubstr("'kernel.shm_*' stops this kubelet (1.29.0)"));
  lab->discover.kubelet_version = sysctl::parse_kubelet_version("1.22.1");
  EXPECT_EQ(of_id(*lab, "entry-refused").size(), 2u);
}

TEST(DoctorLoop, SaysWhyTheKubeletFallsWhereItsWordsAreKnown) {
  for (const Pair& pair : pairs_of_process()) {
    if (pair.id != "restart-loop") continue;
    const auto lab = pair.ill();
    const auto found = of_id(*lab, "restart-loop");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_THAT(found[0].message,
                HasSubstr("an entry of the list is outside the namespaced groups"));
  }
}

TEST(DoctorLock, NeverOpensTheLockFileWhateverItsNameOrPlace) {
  const std::string inside = std::string(kConfigDir) + "/lock";
  const std::string by_link = std::string(kConfigDir) + "/link";
  const auto lab =
      node({{kUnit, unit("/usr/bin/kubelet --config-dir=/etc/kubelet.d $ARGS")},
            {kArguments, "ARGS=\"--lock-file=" + inside + " --exit-on-lock-contention\"\n"},
            {inside, "1\n"},
            {std::string(kConfigDir) + "/other", "2\n"}});
  std::filesystem::create_symlink("lock", lab->tree().at(by_link));
  EXPECT_EQ(of_id(*lab, "lock-file").size(), 1u);
  const std::vector<std::string> calls = lab->faults().calls(Calls::kAll);
  const auto reads = [&calls](const std::string& path) {
    return std::count(calls.begin(), calls.end(), "read " + path);
  };
  EXPECT_EQ(reads(inside), 0);
  EXPECT_EQ(reads(by_link), 0);
  EXPECT_EQ(reads(std::string(kConfigDir) + "/other"), 1);
}

TEST(DoctorPlaces, FindingsNameTheFileAndTheLine) {
  struct Expected {
    const char* id;
    const char* path;
    std::size_t line;
  };
  for (const Expected& want :
       {Expected{"misspelt-key", kConfig, 3}, Expected{"blank-after-comma", kArguments, 1},
        Expected{"misspelt-flag", kArguments, 1}, Expected{"assigned-again", kArguments, 1},
        Expected{"wiped-setting", kUnit, 2},
        Expected{"unread-drop-in", "/etc/kubelet.d/list.yaml", 3},
        Expected{"drop-in-without-kind", "/etc/kubelet.d/10.conf", 1},
        Expected{"unread-arguments", "/etc/sysconfig/kubelet", 1}}) {
    for (const Pair& pair : pairs_of_files()) {
      if (pair.id != want.id) continue;
      const auto lab = pair.ill();
      const auto found = of_id(*lab, want.id);
      ASSERT_EQ(found.size(), 1u);
      EXPECT_EQ(found[0].path, want.path);
      EXPECT_EQ(found[0].line, want.line) << want.id;
    }
  }
}

}  // namespace
}  // namespace kubelet_sysctl::doctor_nodes
