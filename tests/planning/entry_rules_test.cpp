// SPDX-License-Identifier: Apache-2.0
// What the release of the installed kubelet makes of a wish: refused, a warning, a note, or nothing
// at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The plan for a node with this list whose kubelet is of that release; "" is an unknown one.
Result<planning::Plan> plan(const std::string& version, const std::string& list,
                            const planning::Change& change) {
  Lab lab(plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS",
                     "KUBELET_EXTRA_ARGS=--allowed-unsafe-sysctls=" + list + "\n"));
  lab.discover.live = false;
  lab.discover.kubelet_version = sysctl::parse_kubelet_version(version);
  auto prepared = lab.prepare(change);
  if (!prepared) return std::move(prepared).error();
  return std::move(prepared->plan);
}

/// Findings that come from the release, of those a plan has.
std::vector<std::string> said(const Result<planning::Plan>& planned) {
  if (!planned) return {"refused: " + planned.error().message};
  std::vector<std::string> ids;
  for (const Finding& finding : planned->findings) {
    for (const char* id : {"stops-next-kubelet", "safe-already", "forced-entry"}) {
      if (finding.id == id) ids.emplace_back(id);
    }
  }
  return ids;
}

TEST(PlanVersion, WhatOnlyALaterKubeletRefusesIsAWarning) {
  const auto planned = plan("1.28.3", "net.core.somaxconn", add({"kernel.shm_*"}));
  ASSERT_TRUE(planned);
  EXPECT_THAT(said(planned), ElementsAre("stops-next-kubelet"));
  EXPECT_THAT(planned->after, ElementsAre("net.core.somaxconn", "kernel.shm_*"));
  const Finding& finding = planned->findings.front();
  EXPECT_EQ(finding.severity, Severity::kWarning);
  EXPECT_EQ(finding.message,
            "'kernel.shm_*' starts the kubelet of this node (1.28.3) and stops 1.29 and later: the "
            "sysctls \"kernel.shm_\" are not known to be namespaced");
  EXPECT_EQ(finding.hint,
            "use 'kernel.shm_rmid_forced' or 'kernel.shm*', which every kubelet accepts");
  EXPECT_THAT(said(plan("1.20", "kernel.sem", set({"kernel.msg_next_id"}))),
              ElementsAre("stops-next-kubelet"));
}

TEST(PlanVersion, WhatTheInstalledKubeletRefusesIsRefusedInItsWords) {
  EXPECT_THAT(
      said(plan("1.29.6", "kernel.sem", add({"kernel.shm_*"}))),
      ElementsAre("refused: 'kernel.shm_*' would stop the kubelet of this node (1.29.6): the "
                  "sysctls \"kernel.shm_\" are not known to be namespaced"));
  const auto slashes = plan("1.22.1", "kernel.sem", add({"net/core/somaxconn"}));
  ASSERT_FALSE(slashes);
  EXPECT_EQ(slashes.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(slashes.error().message, HasSubstr("(1.22.1): sysctl \"net/core/somaxconn\" must"));
  EXPECT_EQ(slashes.error().hint, "write dots: 'net.core.somaxconn'");
  EXPECT_THAT(said(plan("1.28", "kernel.sem", add({"vm.max_map_count"}))),
              ElementsAre("refused: 'vm.max_map_count' would stop every kubelet: the sysctl "
                          "\"vm.max_map_count\" are not known to be namespaced"));
}

TEST(PlanVersion, WhatOnlyAnOlderKubeletRefusesIsNotWorthAWord) {
  EXPECT_THAT(said(plan("1.23", "kernel.sem", add({"net/core/somaxconn"}))), IsEmpty());
}

TEST(PlanVersion, OfAnUnknownReleaseTheStrictestRuleCounts) {
  for (const char* entry : {"kernel.shm_*", "net/core/somaxconn", "kernel.msg_next_id"}) {
    const auto planned = plan("", "kernel.sem", add({entry}));
    ASSERT_FALSE(planned) << entry;
    EXPECT_EQ(planned.error().kind, ErrorKind::kRefused);
  }
  EXPECT_THAT(said(plan("", "kernel.sem", add({"net.ipv4.tcp_rmem"}))), IsEmpty());
}

TEST(PlanVersion, ForceWritesItAndSaysWhatItDoes) {
  planning::Change change = add({"kernel.shm_*"});
  change.force = true;
  EXPECT_THAT(said(plan("1.29", "kernel.sem", change)), ElementsAre("forced-entry"));
  EXPECT_THAT(said(plan("1.28", "kernel.sem", change)), ElementsAre("stops-next-kubelet"));
}

// The kernel of a tree of files is not known, so only names without a minimum are safe for certain.
TEST(PlanVersion, WhatIsSafeAlreadyIsANoteAndWrittenOnlyWhereAskedFor) {
  planning::Change wish = add({"net.ipv4.tcp_syncookies"});
  const auto planned = plan("1.29", "kernel.sem", wish);
  ASSERT_TRUE(planned);
  EXPECT_THAT(said(planned), ElementsAre("safe-already"));
  EXPECT_EQ(planned->findings.front().severity, Severity::kNote);
  EXPECT_THAT(planned->edits, IsEmpty());
  wish.exact = true;
  const auto exact = plan("1.29", "kernel.sem", wish);
  ASSERT_TRUE(exact);
  EXPECT_THAT(said(exact), ElementsAre("safe-already"));
  EXPECT_EQ(exact->edits.size(), 1U);
  EXPECT_THAT(said(plan("1.29", "kernel.sem", add({"net.ipv4.tcp_fin_timeout"}))), IsEmpty());
  EXPECT_THAT(said(plan("1.21", "kernel.sem", add({"net.ipv4.ip_unprivileged_port_start"}))),
              IsEmpty());
}

TEST(PlanVersion, AnEntryInTheListThatThisKubeletDiesOfStopsTheChange) {
  const auto refused = plan("1.29.6", "kernel.shm_*,kernel.sem", add({"net.core.somaxconn"}));
  ASSERT_FALSE(refused);
  EXPECT_THAT(
      refused.error().message,
      HasSubstr("already holds 'kernel.shm_*', which stops the kubelet of this node (1.29.6)"));
  EXPECT_EQ(refused.error().hint,
            "give the whole list: 'kubelet-sysctl set kernel.sem net.core.somaxconn'");
  EXPECT_TRUE(plan("1.28", "kernel.shm_*,kernel.sem", add({"net.core.somaxconn"})));
  EXPECT_TRUE(plan("", "kernel.shm_*,kernel.sem", add({"net.core.somaxconn"})));
  EXPECT_TRUE(plan("1.29.6", "kernel.shm_*,kernel.sem", remove({"kernel.shm_*"})));
}

TEST(PlanVersion, OfWhatWasThereTheWishSaysNothingNew) {
  const auto planned = plan("1.28", "kernel.shm_*", set({"kernel.shm_*", "kernel.msgm*"}));
  ASSERT_TRUE(planned);
  EXPECT_THAT(said(planned), ElementsAre("stops-next-kubelet"));
}

}  // namespace
}  // namespace kubelet_sysctl
