// SPDX-License-Identifier: Apache-2.0
// Each check finds its fault, at its place, and stays silent without it.

#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kHead =
    "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

struct Node {
  nodes::NodeSnapshot snapshot;
  model::NodeModel model;
};

std::int32_t add_file(Node& node, const std::string& path, const std::string& bytes) {
  SourceFile file;
  file.path = file.real_path = path;
  file.kind = FileKind::kRegular;
  file.bytes = bytes;
  node.snapshot.files.push_back(file);
  return static_cast<std::int32_t>(node.snapshot.files.size() - 1);
}

Node with_config(const std::string& bytes) {
  Node node;
  node.model.config_path = "/etc/config.yaml";
  add_file(node, node.model.config_path, bytes);
  return node;
}

model::Layer layer(model::LayerKind kind, const std::string& path, std::size_t line,
                   const std::vector<std::string>& entries) {
  model::Layer made;
  made.kind = kind;
  made.at.path = path;
  made.at.line = line;
  for (const std::string& text : entries) add_entry(made, text, made.at);
  return made;
}

/// A node whose list is that of the last layer.
Node with_layers(std::vector<model::Layer> layers) {
  Node node;
  node.model.layers = std::move(layers);
  node.model.layers.back().wins = true;
  return node;
}

Node with_list(const std::vector<std::string>& entries) {
  return with_layers({layer(model::LayerKind::kFlag, "/etc/default/kubelet", 1, entries)});
}

std::vector<Finding> found_by(const Node& node, std::string_view id) {
  std::vector<Finding> of_id;
  for (Finding& finding :
       checks::run_checks(node.snapshot, node.model, checks::Audience::kDoctor)) {
    if (finding.id == id) of_id.push_back(std::move(finding));
  }
  return of_id;
}

bool mentions(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(Checks, IdsAreUniqueAndASoundNodeHasNoFindings) {
  std::set<std::string_view> ids;
  for (const checks::Check& check : checks::all_checks())
    EXPECT_TRUE(ids.insert(check.id).second) << check.id;
  Node node = with_list({"net.core.somaxconn", "kernel.msg*"});
  node.model.config_path = "/etc/config.yaml";
  add_file(node, "/etc/config.yaml", kHead + std::string("allowedUnsafeSysctls:\n- net.*\n"));
  EXPECT_TRUE(checks::run_checks(node.snapshot, node.model).empty());
}

TEST(Checks, MisspeltKeyIsFoundAtItsLineWithItsEntriesInTheMend) {
  const Node node =
      with_config(kHead + std::string("allowed-unsafe-sysctls:\n- net.core.somaxconn\n"
                                      "- kernel.msg*\n"));
  const auto found = found_by(node, "misspelt-key");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].path, "/etc/config.yaml");
  EXPECT_EQ(found[0].line, 3u);
  EXPECT_TRUE(
      mentions(found[0].message, "ignores the key 'allowed-unsafe-sysctls' with 2 entries"));
  EXPECT_TRUE(mentions(found[0].hint, "kubelet-sysctl add net.core.somaxconn 'kernel.msg*'"));
}

TEST(Checks, AMiscasedKeyOfADropInIsReadAndIsToldWithWhatStandsAboveIt) {
  Node node;
  node.model.config_dir = "/etc/conf.d";
  const std::string path = "/etc/conf.d/10.conf";
  const auto source =
      add_file(node, path, kHead + std::string("allowedunsafesysctls:\n- net.core.somaxconn\n"));
  node.snapshot.config_dirs["/etc/conf.d"] = {{path, source}};
  node.model.layers = {layer(model::LayerKind::kConfigDir, path, 3, {"net.core.somaxconn"})};
  const std::size_t begin = std::string(kHead).size();
  node.model.layers[0].at.span = {begin, begin + std::string("allowedunsafesysctls").size()};
  node.model.layers[0].wins = true;
  auto found = found_by(node, "misspelt-key");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(mentions(found[0].message, "takes its 1 entry for the list, above every"));
  node.model.layers = {layer(model::LayerKind::kConfig, "/etc/config.yaml", 3, {"net.m"})};
  node.model.layers[0].wins = true;
  found = found_by(node, "misspelt-key");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(mentions(found[0].message, "the list at /etc/config.yaml:3 is above its 1 entry"));
  node.snapshot.kubelet_version = sysctl::KubeletVersion{.major = 1, .minor = 28, .patch = 0};
  found = found_by(node, "misspelt-key");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(mentions(found[0].message, "ignores the key"));
}

TEST(Checks, AReleaseNewerThanTheKnownOnesIsNoted) {
  Node node = with_list({"net.core.somaxconn"});
  node.snapshot.kubelet_version = sysctl::newest_known_kubelet();
  node.snapshot.kubelet_version->patch = 9;
  node.snapshot.systemd_version = 262;
  node.snapshot.systemd_version_known = true;
  EXPECT_TRUE(found_by(node, "newer-release").empty());
  node.snapshot.kubelet_version = sysctl::KubeletVersion{.major = 1, .minor = 99, .patch = 2};
  node.snapshot.systemd_version = 263;
  const auto found = found_by(node, "newer-release");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(mentions(found[0].message, "kubelet 1.99.2 is newer than 1.37"));
  EXPECT_TRUE(mentions(found[1].message, "systemd 263 is newer than 262"));
  EXPECT_EQ(found[0].severity, Severity::kNote);
  node.snapshot.systemd_version_known = false;
  EXPECT_EQ(found_by(node, "newer-release").size(), 1u);
}

TEST(Checks, ASecondDocumentIsNotRead) {
  const std::string one = kHead + std::string("allowedUnsafeSysctls: [net.core.somaxconn]\n");
  EXPECT_TRUE(found_by(with_config("---\n" + one), "second-document").empty());
  EXPECT_EQ(found_by(with_config(one + "---\n" + one), "second-document").size(), 1u);
}

TEST(Checks, ARepeatedKeyIsFoundAtTheListThatCounts) {
  const Node node = with_config(kHead + std::string("allowedUnsafeSysctls: [net.core.somaxconn]\n"
                                                    "allowedUnsafeSysctls: [kernel.sem]\n"));
  const auto found = found_by(node, "repeated-key");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].line, 4u);
}

TEST(Checks, AShadowedListNamesBothPlacesAndWhatIsMissing) {
  const Node node =
      with_layers({layer(model::LayerKind::kConfig, "/var/lib/kubelet/config.yaml", 7,
                         {"kernel.sem", "net.ipv4.*"}),
                   layer(model::LayerKind::kFlag, "/etc/sysconfig/kubelet", 2, {"kernel.sem"})});
  const auto found = found_by(node, "shadowed-list");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].severity, Severity::kWarning);
  EXPECT_EQ(found[0].path, "/var/lib/kubelet/config.yaml");
  EXPECT_EQ(found[0].line, 7u);
  EXPECT_TRUE(mentions(found[0].message, "the flag at /etc/sysconfig/kubelet:2"));
  EXPECT_TRUE(mentions(found[0].hint, "run: kubelet-sysctl add 'net.ipv4.*'")) << found[0].hint;
  EXPECT_FALSE(mentions(found[0].hint, "kernel.sem"));
}

TEST(Checks, AShadowedListThatLosesNothingIsANote) {
  const Node node = with_layers(
      {layer(model::LayerKind::kConfig, "/etc/config.yaml", 7, {"kernel.sem"}),
       layer(model::LayerKind::kFlag, "/etc/sysconfig/kubelet", 2, {"kernel.sem", "net.*"})});
  const auto found = found_by(node, "shadowed-list");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].severity, Severity::kNote);
}

TEST(Checks, AnEmptyFlagIsFoundOnceAndNotAsAShadowToo) {
  const Node node =
      with_layers({layer(model::LayerKind::kConfig, "/etc/config.yaml", 7, {"kernel.sem"}),
                   layer(model::LayerKind::kFlag, "/etc/sysconfig/kubelet", 2, {})});
  const auto found = found_by(node, "empty-flag");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].path, "/etc/sysconfig/kubelet");
  EXPECT_TRUE(mentions(found[0].message, "1 entry of the list at /etc/config.yaml:7"));
  EXPECT_TRUE(found_by(node, "shadowed-list").empty());
}

// Source: the kubelet's namespaced groups; kernel.shm_* is in the table of 1.28, not that of 1.29.
TEST(Checks, AnEntryThatEndsANewerKubeletSaysWhich) {
  const auto every = found_by(with_list({"vm.max_map_count"}), "entry-refused");
  ASSERT_EQ(every.size(), 1u);
  EXPECT_TRUE(mentions(every[0].message, "every kubelet")) << every[0].message;
  EXPECT_TRUE(mentions(every[0].hint, "kubelet-sysctl remove vm.max_map_count"));
  const auto newer = found_by(with_list({"kernel.shm_*"}), "entry-refused");
  ASSERT_EQ(newer.size(), 1u);
  EXPECT_EQ(newer[0].severity, Severity::kWarning);
  EXPECT_TRUE(mentions(newer[0].message, "1.29 and later")) << newer[0].message;
}

// Source: slashes are legal from 1.23 on.
TEST(Checks, AnEntryThatOnlyOldKubeletsRefuseIsANote) {
  const auto found = found_by(with_list({"net/core/somaxconn"}), "entry-refused");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].severity, Severity::kNote);
}

TEST(Checks, BlanksQuotesAndEmptyItemsAreBadValuesAndReportedOnce) {
  const Node node = with_list({"net.core.somaxconn", " kernel.sem", "", "'net.*", "kernel.msg*"});
  EXPECT_EQ(found_by(node, "bad-value").size(), 3u);
  EXPECT_TRUE(found_by(node, "entry-refused").empty());
}

TEST(Checks, LinesThatTheKubeletDropsAreABadValue) {
  Node node = with_list({"net.core.somaxconn"});
  kubelet::ListFlag flag;
  flag.lost_lines = true;
  node.model.flags.lists.push_back(flag);
  EXPECT_EQ(found_by(node, "bad-value").size(), 1u);
}

TEST(Checks, DuplicatesAndCoveredEntriesAreNotes) {
  const Node node = with_list({"net.ipv4.*", "net.ipv4.tcp_syncookies", "kernel.sem", "kernel.sem",
                               "net.ipv4.tcp_*", "net.core.somaxconn"});
  const auto twice = found_by(node, "duplicate-entry");
  ASSERT_EQ(twice.size(), 1u);
  EXPECT_EQ(twice[0].severity, Severity::kNote);
  const auto covered = found_by(node, "covered-entry");
  ASSERT_EQ(covered.size(), 2u);
  EXPECT_EQ(covered[0].message, "'net.ipv4.tcp_syncookies' is covered by 'net.ipv4.*'");
  EXPECT_EQ(covered[1].message, "'net.ipv4.tcp_*' is covered by 'net.ipv4.*'");
}

TEST(Checks, AFatalCommandLineIsAnErrorAtItsWord) {
  Node node;
  node.model.command.origins.resize(2);
  node.model.command.origins[1].path = "/etc/default/kubelet";
  node.model.command.origins[1].line = 5;
  node.model.flags.fatal = "unknown flag: --bogus";
  node.model.flags.fatal_word = 1;
  const auto found = found_by(node, "flag-fatal");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].severity, Severity::kError);
  EXPECT_EQ(found[0].path, "/etc/default/kubelet");
  EXPECT_EQ(found[0].line, 5u);
  EXPECT_TRUE(mentions(found[0].message, "unknown flag: --bogus"));
}

TEST(Checks, AMissingProgramIsFoundAtTheCommand) {
  Node node;
  node.model.command.program = "/usr/bin/kubelet";
  node.model.command.exec_source =
      add_file(node, "/a.service", "[Service]\nExecStart=/usr/bin/kubelet\n");
  node.model.command.exec_setting.line_at = {10, 36};
  node.snapshot.programs["/usr/bin/kubelet"] = true;
  EXPECT_TRUE(found_by(node, "program-missing").empty());
  node.snapshot.programs["/usr/bin/kubelet"] = false;
  const auto found = found_by(node, "program-missing");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].path, "/a.service");
  EXPECT_EQ(found[0].line, 2u);
}

Node loaded_by_a_manager() {
  Node node;
  node.snapshot.live = true;
  node.snapshot.unit.load = systemd::UnitLoad::kLoaded;
  node.snapshot.unit.fragment_path = "/usr/lib/systemd/system/kubelet.service";
  node.snapshot.unit.fragment = add_file(node, node.snapshot.unit.fragment_path, "");
  node.snapshot.unit.drop_ins = {
      add_file(node, "/etc/systemd/system/kubelet.service.d/a.conf", "")};
  ports::UnitState state;
  state.fragment_path = "/lib/systemd/system/kubelet.service";  // where /lib is a link to /usr/lib
  state.drop_in_paths = {"/etc/systemd/system/kubelet.service.d/a.conf"};
  node.snapshot.state = state;
  return node;
}

TEST(Checks, OneUnitUnderTwoNamesNeedsNoReload) {
  EXPECT_TRUE(found_by(loaded_by_a_manager(), "not-reloaded").empty());
}

TEST(Checks, OtherUnitFilesThanTheManagersNeedAReload) {
  Node says_so = loaded_by_a_manager();
  says_so.snapshot.state->needs_reload = true;
  EXPECT_EQ(found_by(says_so, "not-reloaded").size(), 1u);
  Node unread = loaded_by_a_manager();
  unread.snapshot.state->drop_in_paths.clear();
  EXPECT_EQ(found_by(unread, "not-reloaded").size(), 1u);
  Node gone = loaded_by_a_manager();
  gone.snapshot.unit.drop_ins.clear();
  EXPECT_EQ(found_by(gone, "not-reloaded").size(), 1u);
  Node moved = loaded_by_a_manager();
  moved.snapshot.state->fragment_path = "/etc/systemd/system/kubelet.service";
  EXPECT_EQ(found_by(moved, "not-reloaded").size(), 1u);
}

// Measured: 'enable --no-reload' of any unit makes 257 and 262 say so of all of them, 252 and 254 of none.
TEST(Checks, AManagerThatWantsAReloadOfEveryUnitIsAskedWhatItHasLoaded) {
  Node node = loaded_by_a_manager();
  node.snapshot.state->needs_reload = true;
  for (const int version : {257, 262}) {
    node.snapshot.systemd_version = version;
    node.model.loaded_alike = false;
    EXPECT_EQ(found_by(node, "not-reloaded").size(), 1u);
    node.model.loaded_alike = true;
    EXPECT_TRUE(found_by(node, "not-reloaded").empty());
  }
  node.snapshot.systemd_version = 254;
  EXPECT_EQ(found_by(node, "not-reloaded").size(), 1u);
}

TEST(Checks, DriftNamesWhatTheProcessLacksAndStillAllows) {
  Node node = with_list({"kernel.sem", "net.core.somaxconn"});
  node.snapshot.unit.name = "kubelet.service";
  model::RunningList running;
  running.process.pid = 42;
  running.entries = {{"kernel.sem", "kernel.msg*"}};
  node.model.running = running;
  EXPECT_TRUE(found_by(node, "drift").empty()) << "the model says that there is none";
  node.model.drift = true;
  const auto found = found_by(node, "drift");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(
      found[0].message,
      "the running kubelet (pid 42) lacks 'net.core.somaxconn' and still allows 'kernel.msg*'");
}

TEST(Checks, AListInARewrittenFileSaysByWhomAndTheLastingWay) {
  Node node =
      with_layers({layer(model::LayerKind::kConfig, "/var/lib/kubelet/config.yaml", 7, {"net.*"})});
  const nodes::NodeKind kind = {.id = "test",
                                .title = "test",
                                .matches = nullptr,
                                .variable = {},
                                .new_list_route = nodes::Route::kNone,
                                .rewritten_by = "kubeadm upgrade",
                                .rewritten = "/etc/other /var/lib/kubelet/config.yaml",
                                .vendor_route = "edit the ConfigMap"};
  node.model.kind = &kind;
  const auto found = found_by(node, "will-be-rewritten");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].line, 7u);
  EXPECT_TRUE(mentions(found[0].message, "rewritten by kubeadm upgrade"));
  EXPECT_TRUE(mentions(found[0].hint, "edit the ConfigMap"));
  node.model.layers[0].at.path = "/var/lib/kubelet/config";
  EXPECT_TRUE(found_by(node, "will-be-rewritten").empty());
}

TEST(Checks, DroppedAssignmentsAreCounted) {
  Node node;
  node.model.command.dropped_assignments = 2;
  const auto found = found_by(node, "env-dropped");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(mentions(found[0].message, "2 words"));
}

}  // namespace
}  // namespace kubelet_sysctl
