// SPDX-License-Identifier: Apache-2.0
// find_unit() on trees on disk: the rules for fragments, names and drop-ins that no vector shows
// alone. Expected values: systemd.unit(5) and src/basic/unit-file.c, src/shared/dropin.c of
// systemd.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"
#include "support/tree.hpp"

namespace kubelet_sysctl::vectors {
namespace {

constexpr const char* kUnit = "[Service]\nExecStart=/usr/bin/kubelet\n";

struct Found {
  systemd::UnitOnDisk unit;
  std::vector<std::string> drop_ins;
};

Result<Found> find(const Tree& tree, int version, const std::string& name = "kubelet.service") {
  machine::Disk disk(tree.root());
  std::vector<SourceFile> read;
  auto unit = systemd::find_unit(disk, name, version, read);
  if (!unit) return unit.error();
  Found found{.unit = *unit, .drop_ins = {}};
  for (const std::int32_t source : unit->drop_ins) {
    found.drop_ins.push_back(read.at(static_cast<std::size_t>(source)).path);
  }
  return found;
}

TEST(Lookup, AliasKeepsOnlyTheBaseNameOfItsTarget) {
  const Tree tree;
  tree.file("/usr/lib/systemd/system/k8s-node.service", kUnit);
  tree.file("/etc/systemd/system/k8s-node.service", kUnit);
  tree.link("/etc/systemd/system/kubelet.service", "/usr/lib/systemd/system/k8s-node.service");
  const auto found = find(tree, 252);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->unit.load, systemd::UnitLoad::kLoaded);
  EXPECT_EQ(found->unit.fragment_path, "/etc/systemd/system/k8s-node.service");
  EXPECT_EQ(found->unit.id, "k8s-node.service");
  EXPECT_EQ(found->unit.names, (std::vector<std::string>{"k8s-node.service", "kubelet.service"}));
}

TEST(Lookup, ReleasesThatOpenTheLinkItselfAreNotGuessed) {
  const Tree tree;
  tree.file("/usr/lib/systemd/system/k8s-node.service", kUnit);
  tree.file("/etc/systemd/system/k8s-node.service", kUnit);
  tree.link("/etc/systemd/system/kubelet.service", "/usr/lib/systemd/system/k8s-node.service");
  const auto found = find(tree, 237);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kUnsupported);
}

TEST(Lookup, LinkOfTheSameNameToALowerDirectoryIsHarmless) {
  const Tree tree;
  tree.file("/usr/lib/systemd/system/kubelet.service", kUnit);
  tree.link("/etc/systemd/system/kubelet.service", "/usr/lib/systemd/system/kubelet.service");
  const auto found = find(tree, 255);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->unit.fragment_path, "/usr/lib/systemd/system/kubelet.service");
}

TEST(Lookup, DanglingLinkHidesTheUnitBelow) {
  for (const char* target : {"/nowhere/kubelet.unit", "/usr/lib/systemd/system/gone.service"}) {
    const Tree tree;
    tree.file("/usr/lib/systemd/system/kubelet.service", kUnit);
    tree.link("/etc/systemd/system/kubelet.service", target);
    const auto found = find(tree, 252);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->unit.load, systemd::UnitLoad::kNotFound) << target;
    EXPECT_EQ(found->unit.fragment_path, "");
  }
}

TEST(Lookup, PlainNameIsNoAliasOfATemplate) {
  const Tree tree;
  tree.file("/usr/lib/systemd/system/kubelet.service", kUnit);
  tree.file("/usr/lib/systemd/system/kubelet@.service", kUnit);
  tree.link("/etc/systemd/system/kubelet.service", "/usr/lib/systemd/system/kubelet@.service");
  const auto found = find(tree, 255);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->unit.fragment_path, "/usr/lib/systemd/system/kubelet.service");
}

TEST(Lookup, DirectoryOfTheNameIsSkipped) {
  const Tree tree;
  tree.file("/usr/lib/systemd/system/kubelet.service", kUnit);
  tree.directory("/etc/systemd/system/kubelet.service");
  const auto found = find(tree, 255);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->unit.fragment_path, "/usr/lib/systemd/system/kubelet.service");
}

TEST(Lookup, PipeIsNeverOpened) {
  const Tree unit;
  unit.pipe("/etc/systemd/system/kubelet.service");
  const auto as_unit = find(unit, 252);
  ASSERT_FALSE(as_unit);
  EXPECT_EQ(as_unit.error().path, "/etc/systemd/system/kubelet.service");

  const Tree drop_in;
  drop_in.file("/etc/systemd/system/kubelet.service", kUnit);
  drop_in.pipe("/etc/systemd/system/kubelet.service.d/10.conf");
  const auto as_drop_in = find(drop_in, 252);
  ASSERT_FALSE(as_drop_in);
  EXPECT_EQ(as_drop_in.error().path, "/etc/systemd/system/kubelet.service.d/10.conf");
}

TEST(Lookup, MergedUsrIsNamedAsEachReleaseNamesIt) {
  const Tree tree;
  tree.file("/usr/lib/systemd/system/kubelet.service", kUnit);
  tree.file("/usr/lib/systemd/system/kubelet.service.d/10.conf", "[Service]\n");
  const std::vector<std::string> drop_ins = {"/usr/lib/systemd/system/kubelet.service.d/10.conf"};
  const auto older = find(tree, 252);
  ASSERT_TRUE(older);
  EXPECT_EQ(older->unit.fragment_path, "/lib/systemd/system/kubelet.service");
  EXPECT_EQ(older->drop_ins, drop_ins);
  const auto newer = find(tree, 255);
  ASSERT_TRUE(newer);
  EXPECT_EQ(newer->unit.fragment_path, "/usr/lib/systemd/system/kubelet.service");
  EXPECT_EQ(newer->drop_ins, drop_ins);
}

TEST(Lookup, MaskIsSeenInATreeWithoutDevices) {
  const Tree tree;
  tree.file("/usr/lib/systemd/system/kubelet.service", kUnit);
  tree.link("/run/mask", "/dev/null");
  tree.link("/etc/systemd/system/kubelet.service", "/run/mask");
  const auto before = find(tree, 247);
  ASSERT_TRUE(before);
  EXPECT_EQ(before->unit.load, systemd::UnitLoad::kMasked);
  EXPECT_EQ(before->unit.fragment_path, "/dev/null");
  const auto since = find(tree, 249);
  ASSERT_TRUE(since);
  EXPECT_EQ(since->unit.load, systemd::UnitLoad::kMasked);
  EXPECT_EQ(since->unit.fragment_path, "/etc/systemd/system/kubelet.service");
}

TEST(Lookup, AliasesAreFollowedEightTimes) {
  const Tree tree;
  tree.file("/etc/systemd/system/a7.service", kUnit);
  for (int i = 0; i < 7; ++i) {
    tree.link("/etc/systemd/system/a" + std::to_string(i) + ".service",
              "a" + std::to_string(i + 1) + ".service");
  }
  const auto seven = find(tree, 252, "a0.service");
  ASSERT_TRUE(seven);
  EXPECT_EQ(seven->unit.load, systemd::UnitLoad::kLoaded);
  tree.link("/etc/systemd/system/b.service", "a0.service");
  const auto eight = find(tree, 252, "b.service");
  ASSERT_TRUE(eight);
  EXPECT_EQ(eight->unit.load, systemd::UnitLoad::kBroken);
}

TEST(Lookup, InstanceHasTheAliasesOfItsTemplate) {
  const Tree tree;
  tree.file("/usr/lib/systemd/system/kubelet@.service", kUnit);
  tree.link("/etc/systemd/system/kube@.service", "/usr/lib/systemd/system/kubelet@.service");
  tree.file("/etc/systemd/system/kube@n1.service.d/10.conf", "[Service]\n");
  const auto found = find(tree, 252, "kubelet@n1.service");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->unit.names, (std::vector<std::string>{"kubelet@n1.service", "kube@n1.service"}));
  EXPECT_EQ(found->drop_ins,
            (std::vector<std::string>{"/etc/systemd/system/kube@n1.service.d/10.conf"}));
}

TEST(Lookup, SameDropInOfTwoAliasesIsRefused) {
  const Tree tree;
  tree.file("/usr/lib/systemd/system/kubelet.service", kUnit);
  for (const std::string name : {"a", "b"}) {
    tree.link("/etc/systemd/system/" + name + ".service",
              "/usr/lib/systemd/system/kubelet.service");
    tree.file("/etc/systemd/system/" + name + ".service.d/10.conf", "[Service]\n");
  }
  const auto found = find(tree, 252);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace kubelet_sysctl::vectors
