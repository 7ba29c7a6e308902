// SPDX-License-Identifier: Apache-2.0
// The unit that is meant where nobody names one.
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kSnap = "/etc/systemd/system/snap.kubelet-eks.daemon.service";
constexpr const char* kServer = "/usr/local/lib/systemd/system/rke2-server.service";
constexpr const char* kAgent = "/usr/local/lib/systemd/system/rke2-agent.service";
constexpr const char* kText = "[Service]\nExecStart=/usr/bin/kubelet\n";

Result<std::string> chosen(const Lab::NodeFiles& files) {
  Lab lab(files);
  ports::Ports ports = lab.ports();
  return discover::choose_unit(ports.files, systemd::kReferenceSystemd);
}

TEST(UnitChoice, KubeletServiceCountsBeforeEveryOtherUnit) {
  const auto unit = chosen({{"/usr/lib/systemd/system/kubelet.service", kText}, {kSnap, kText}});
  ASSERT_TRUE(unit);
  EXPECT_EQ(*unit, "kubelet.service");
}

TEST(UnitChoice, OnlyUnitOfADistributionIsTakenWhereThereIsNoKubeletService) {
  const auto unit = chosen({{kSnap, kText}});
  ASSERT_TRUE(unit);
  EXPECT_EQ(*unit, "snap.kubelet-eks.daemon.service");
}

TEST(UnitChoice, NodeWithoutAnySuchUnitIsAskedAboutKubeletService) {
  const auto unit = chosen({{"/etc/systemd/system/containerd.service", kText}});
  ASSERT_TRUE(unit);
  EXPECT_EQ(*unit, "kubelet.service");
}

TEST(UnitChoice, OfTwoUnitsTheEnabledOneIsMeant) {
  const auto unit = chosen(
      {{kServer, kText},
       {kAgent, kText},
       {"/etc/systemd/system/multi-user.target.wants/rke2-agent.service", "a link is here"}});
  ASSERT_TRUE(unit);
  EXPECT_EQ(*unit, "rke2-agent.service");
}

TEST(UnitChoice, TwoUnitsOfWhichNoneOrBothAreEnabledAreAQuestionForAPerson) {
  const auto unit = chosen({{kServer, kText}, {kAgent, kText}});
  ASSERT_FALSE(unit);
  EXPECT_EQ(unit.error().kind, ErrorKind::kRefused);
  EXPECT_NE(unit.error().message.find("rke2-server.service, rke2-agent.service"), std::string::npos)
      << unit.error().message;
  EXPECT_NE(unit.error().hint.find("--unit"), std::string::npos);
}

TEST(UnitChoice, MaskedCandidateIsNoUnit) {
  // An empty file masks a unit (systemd.unit(5)).
  const auto unit = chosen({{kSnap, ""}, {"/etc/systemd/system/k3s.service", kText}});
  ASSERT_TRUE(unit);
  EXPECT_EQ(*unit, "k3s.service");
}

}  // namespace
}  // namespace kubelet_sysctl
