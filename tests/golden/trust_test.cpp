// SPDX-License-Identifier: Apache-2.0
// Trees and records that another user can write: a run as root takes nothing from them.
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden/golden_node.hpp"

namespace kubelet_sysctl::golden {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr unsigned kMallory = 65534;
constexpr const char* kId = "20260101T000000Z-1";
constexpr const char* kState = "/var/lib/kubelet-sysctl";
constexpr const char* kPlanted = "/srv/x";

std::string folder() { return std::string(kState) + "/transactions/" + kId; }

/// A record that would put a set-ID program with capabilities at kPlanted.
json planted_record() {
  const json file = {{"path", kPlanted},
                     {"realPath", kPlanted},
                     {"existed", true},
                     {"uid", 0},
                     {"gid", 0},
                     {"mode", 04755},
                     {"route", "config"},
                     {"daemonReload", false},
                     {"removed", true},
                     {"inPlace", false},
                     {"attributes",
                      {{{"name", "security.capability"},
                        {"valueHex", "0100000200000000000000000000000000000000"}}}},
                     {"splices", json::array()}};
  return {{"apiVersion", "kubelet-sysctl/journal-v1"},
          {"id", kId},
          {"state", "stranded"},
          {"reached", json::array()},
          {"verb", "add"},
          {"unit", "kubelet.service"},
          {"at", 1},
          {"uid", 0},
          {"loginUid", nullptr},
          {"sudoUser", ""},
          {"reason", ""},
          {"toolVersion", "0.1.0"},
          {"systemdVersion", 0},
          {"bootId", ""},
          {"undoes", ""},
          {"restart", true},
          {"rollback", true},
          {"wasDown", false},
          {"trial", nullptr},
          {"cause", ""},
          {"before", json::array()},
          {"after", {"a.b"}},
          {"files", json::array({file})}};
}

class Trust : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    node_.tree().write(folder() + "/original-0", "#!/bin/sh\n");
    node_.tree().write(folder() + "/journal.json", planted_record().dump());
    node_.tree().write("/srv/keep", "");
    before_ = node_.things();
  }

  void give(const std::string& path) const {
    ASSERT_EQ(::lchown(node_.tree().at(path).c_str(), kMallory, kMallory), 0) << path;
  }
  [[nodiscard]] Said add() const {
    return node_.run({"add", "kernel.sem", "--root", "ROOT", "--kubelet-version", "1.30"});
  }
  /// Exit 3 with the reason, and no byte changed.
  void expect_refused(const Said& said, const std::string& reason) const {
    EXPECT_EQ(said.exit, 3) << said.err;
    EXPECT_THAT(said.err, HasSubstr(reason));
    EXPECT_EQ(node_.things(), before_);
    EXPECT_FALSE(node_.tree().exists(kPlanted));
  }

  GoldenNode node_{"kubeadm-deb"};
  std::map<std::string, Thing> before_;
};

TEST_F(Trust, ARecordThatAnotherUserPlantedIsRefusedWithTheReason) {
  for (const std::string& path :
       {folder() + "/original-0", folder() + "/journal.json", folder(),
        std::string(kState) + "/transactions", std::string(kState), std::string("/")}) {
    give(path);
    expect_refused(node_.run({"recover", "--root", "ROOT"}), "it belongs to uid 65534");
    // The bytes are read only by what puts them back.
    if (path != folder() + "/original-0") expect_refused(add(), "it belongs to uid 65534");
    ASSERT_EQ(::lchown(node_.tree().at(path).c_str(), 0, 0), 0);
  }
}

TEST_F(Trust, ARecordThatOthersCanWriteIsRefused) {
  ASSERT_EQ(::chmod(node_.tree().at(kState).c_str(), 0777), 0);
  expect_refused(add(), "every user may write it");
}

TEST_F(Trust, ATreeIsNotRecoveredUnasked) {
  expect_refused(add(), "kubelet-sysctl recover --root ROOT");
}

TEST_F(Trust, WhatIsRecoveredGetsNoSetIdBitAndNoCapability) {
  const Said said = node_.run({"recover", "--root", "ROOT"});
  EXPECT_EQ(said.exit, 0) << said.err;
  ASSERT_TRUE(node_.tree().exists(kPlanted));
  struct stat facts = {};
  ASSERT_EQ(::stat(node_.tree().at(kPlanted).c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777U, 0755U);
}

TEST_F(Trust, NothingIsMadeInATreeOfAnotherUser) {
  node_.tree().remove(kState);
  before_ = node_.things();
  give("/var/lib");
  expect_refused(add(), "/var/lib");
  EXPECT_FALSE(node_.tree().exists(kState));
  const Said dry = node_.run({"add", "kernel.sem", "--dry-run", "--root", "ROOT"});
  EXPECT_EQ(dry.exit, 3) << "a dry run says what the run would do";
}

TEST_F(Trust, ShowSaysThatTheRecordsAreNotToBeTrusted) {
  give(folder() + "/journal.json");
  const Said said = node_.run({"show", "--root", "ROOT"});
  EXPECT_EQ(said.exit, 0);
  EXPECT_THAT(said.err, HasSubstr("it belongs to uid 65534"));
}

TEST(TrustInAList, OneThatOthersCanWriteIsNoWish) {
  const GoldenNode node("kops");
  node.tree().write("/etc/kubelet-sysctl.conf", "net.core.somaxconn\n");
  ASSERT_EQ(::chmod(node.tree().at("/etc/kubelet-sysctl.conf").c_str(), 0666), 0);
  const auto before = node.things();
  const Said said = node.run({"sync", "--root", "ROOT", "--kubelet-version", "1.30"});
  EXPECT_EQ(said.exit, 3) << said.err;
  EXPECT_THAT(said.err, HasSubstr("/etc/kubelet-sysctl.conf"));
  EXPECT_EQ(node.things(), before);
}

}  // namespace
}  // namespace kubelet_sysctl::golden
