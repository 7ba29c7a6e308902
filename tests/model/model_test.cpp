// SPDX-License-Identifier: Apache-2.0
// Which list wins, what the running process proves, where the health endpoint is.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

using built::add_file;
using built::kConfigPath;
using built::kEnvPath;
using built::kUnitPath;
using built::node_with_unit;
using Texts = std::vector<std::string>;
using Evidence = model::RunningList::Evidence;

constexpr const char* kHead =
    "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
constexpr const char* kDirectory = "/etc/kubernetes/kubelet.conf.d";
constexpr const char* kListInFile = "allowedUnsafeSysctls: [net.core.somaxconn]\n";

/// When everything on the disk was last changed, and a time after it; milliseconds.
constexpr std::int64_t kWritten = 1'700'000'000'000;
constexpr std::int64_t kLater = kWritten + 60'000;

/// A kubelet with --config and these further arguments, and a configuration file.
nodes::NodeSnapshot node_with(const std::string& arguments, const std::string& config) {
  nodes::NodeSnapshot snapshot =
      node_with_unit("[Service]\nExecStart=/usr/bin/kubelet --config=" + std::string(kConfigPath) +
                     " " + arguments + "\n");
  add_file(snapshot, kConfigPath, kHead + config);
  return snapshot;
}

void add_config_drop_in(nodes::NodeSnapshot& snapshot, const std::string& name,
                        const std::string& text) {
  const std::string path = std::string(kDirectory) + "/" + name;
  const std::int32_t source = add_file(snapshot, path, kHead + text);
  snapshot.config_dirs[kDirectory].push_back({path, source});
}

/// The directory of the drop-ins, empty so far.
void add_config_directory(nodes::NodeSnapshot& snapshot) {
  snapshot.config_dirs[kDirectory] = {};
  SourceFile directory;
  directory.path = directory.real_path = kDirectory;
  directory.kind = FileKind::kDirectory;
  snapshot.files.push_back(directory);
}

/// The arguments of a node_with() that has a directory of drop-ins.
std::string with_directory(const std::string& more = {}) {
  return "--config-dir=" + std::string(kDirectory) + " " + more;
}

void start(nodes::NodeSnapshot& snapshot, Texts argv, std::int64_t started_at_ms = kLater) {
  for (SourceFile& file : snapshot.files) file.meta.ctime_ns = kWritten * 1'000'000;
  snapshot.live = true;
  snapshot.process = Process{
      .pid = 4242, .start_ticks = 7, .started_at_ms = started_at_ms, .argv = std::move(argv)};
}

SourceFile& file_at(nodes::NodeSnapshot& snapshot, const std::string& path) {
  return *std::find_if(snapshot.files.begin(), snapshot.files.end(),
                       [&](const SourceFile& file) { return file.path == path; });
}

model::NodeModel model_of(const nodes::NodeSnapshot& snapshot) {
  auto model = checks::resolve_and_check(snapshot);
  EXPECT_TRUE(model) << (model ? "" : model.error().message);
  return model ? std::move(*model) : model::NodeModel{};
}

Texts configured(const nodes::NodeSnapshot& snapshot) {
  return model::configured_texts(model_of(snapshot));
}

// --- Layers -----------------------------------------------------------------------------------------

TEST(Model, TheConfigFileGivesTheListWithThePlaceOfEachEntry) {
  const model::NodeModel model = model_of(node_with("", kListInFile));
  ASSERT_EQ(configured_texts(model), (Texts{"net.core.somaxconn"}));
  EXPECT_EQ(origin_of(model, configured_entries(model)[0]).path, kConfigPath);
  EXPECT_EQ(configured_entries(model)[0].line, 3u);
  EXPECT_EQ(origin_of(model, configured_entries(model)[0]).kind, OriginKind::kConfig);
}

TEST(Model, ADropInReplacesTheListOfTheConfigFileAndTheLastDecidesAlone) {
  nodes::NodeSnapshot snapshot = node_with(with_directory(), kListInFile);
  add_config_directory(snapshot);
  add_config_drop_in(snapshot, "10-a.conf", "allowedUnsafeSysctls: [kernel.sem]\n");
  add_config_drop_in(snapshot, "20-b.conf", "allowedUnsafeSysctls: [net.ipv4.tcp_mem]\n");
  add_config_drop_in(snapshot, "30-c.conf", "maxPods: 5\n");
  const model::NodeModel model = model_of(snapshot);
  EXPECT_EQ(configured_texts(model), (Texts{"net.ipv4.tcp_mem"}));
  ASSERT_EQ(model.layers.size(), 3u);
  EXPECT_EQ(model::winner_of(model), &model.layers[2]);
  EXPECT_EQ(model.layers[1].kind, model::LayerKind::kConfigDir);
  EXPECT_FALSE(model.layers[1].wins);
}

TEST(Model, TheFlagReplacesEveryFile) {
  nodes::NodeSnapshot snapshot =
      node_with(with_directory("--allowed-unsafe-sysctls=kernel.sem"), kListInFile);
  add_config_directory(snapshot);
  add_config_drop_in(snapshot, "10-a.conf", "allowedUnsafeSysctls: [net.ipv4.tcp_mem]\n");
  const model::NodeModel model = model_of(snapshot);
  EXPECT_EQ(configured_texts(model), (Texts{"kernel.sem"}));
  ASSERT_NE(model::winner_of(model), nullptr);
  EXPECT_EQ(model::winner_of(model)->kind, model::LayerKind::kFlag);
  EXPECT_EQ(model::winner_of(model)->at.path, kUnitPath);
}

TEST(Model, AnEmptyFlagWipesTheListOfTheFiles) {
  const model::NodeModel model = model_of(node_with("--allowed-unsafe-sysctls=", kListInFile));
  EXPECT_TRUE(configured_entries(model).empty());
  ASSERT_NE(model::winner_of(model), nullptr);
  EXPECT_EQ(model::winner_of(model)->kind, model::LayerKind::kFlag);
}

TEST(Model, SeveralFlagsAreOneLayerAndEachEntryKnowsItsOwnPlace) {
  nodes::NodeSnapshot snapshot = node_with_unit(
      "[Service]\nEnvironmentFile=/etc/default/kubelet\n"
      "ExecStart=/usr/bin/kubelet --allowed-unsafe-sysctls=kernel.sem $ARGS\n");
  add_file(snapshot, kEnvPath,
           "ARGS=\"--v=2 --allowed-unsafe-sysctls=net.core.somaxconn,net.a\"\n");
  const model::NodeModel model = model_of(snapshot);
  ASSERT_EQ(configured_texts(model), (Texts{"kernel.sem", "net.core.somaxconn", "net.a"}));
  EXPECT_EQ(model.layers.size(), 1u);
  EXPECT_EQ(origin_of(model, configured_entries(model)[0]).path, kUnitPath);
  EXPECT_EQ(configured_entries(model)[0].line, 3u);
  EXPECT_EQ(origin_of(model, configured_entries(model)[2]).path, kEnvPath);
  EXPECT_EQ(origin_of(model, configured_entries(model)[2]).variable, "ARGS");
  const Span at = configured_entries(model)[2].span;
  EXPECT_EQ(file_at(snapshot, kEnvPath).bytes.substr(at.begin, at.size()), "net.a");
}

TEST(Model, AConfigFileWithoutTheKeyIsALayerThatSetsNothing) {
  const model::NodeModel model = model_of(node_with("", "maxPods: 5\n"));
  ASSERT_EQ(model.layers.size(), 1u);
  EXPECT_FALSE(model.layers[0].sets);
  EXPECT_EQ(model::winner_of(model), nullptr);
}

TEST(Model, AnEmptyConfigFlagMeansNoFile) {
  const model::NodeModel model = model_of(node_with("--config=", kListInFile));
  EXPECT_EQ(model.config_path, "");
  EXPECT_TRUE(model.layers.empty());
}

TEST(Model, ARelativePathIsReadFromTheWorkingDirectoryOfTheProcess) {
  nodes::NodeSnapshot snapshot =
      node_with_unit("[Service]\nExecStart=/usr/bin/kubelet --config=a.yaml\n");
  add_file(snapshot, "/srv/a.yaml", std::string(kHead) + kListInFile);
  snapshot.process_cwd = "/srv";
  EXPECT_EQ(configured(snapshot), (Texts{"net.core.somaxconn"}));
  snapshot.process_cwd = "";
  EXPECT_EQ(model_of(snapshot).config_path, "/a.yaml");
}

TEST(Model, AListThatTheKubeletWouldNotReadIsAnErrorAtItsPlace) {
  const auto model =
      checks::resolve_and_check(node_with("", "allowedUnsafeSysctls: net.core.somaxconn\n"));
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::kMalformed);
  EXPECT_EQ(model.error().path, kConfigPath);
  EXPECT_EQ(model.error().line, 3u);
}

TEST(Model, AKubeletWhoseFlagsAreFatalStillHasAModelThatSaysSo) {
  const model::NodeModel model =
      model_of(node_with("--allowed-unsafe-sysctls=kernel.sem, net.core.somaxconn", ""));
  EXPECT_EQ(model.flags.fatal, "unknown command: net.core.somaxconn");
  EXPECT_EQ(model.argv.at(model.flags.fatal_word), "net.core.somaxconn");
  EXPECT_EQ(configured_texts(model), (Texts{"kernel.sem", ""}));
}

// --- The running list -------------------------------------------------------------------------------

/// The running list of a node whose process has these words; nothing when it is unknown.
struct Seen {
  Evidence evidence = Evidence::kNone;
  std::optional<Texts> entries;
  bool drift = false;
  bool operator==(const Seen&) const = default;
};

Seen seen(const nodes::NodeSnapshot& snapshot) {
  const model::NodeModel model = model_of(snapshot);
  if (!model.running) return {};
  return {model.running->evidence, model.running->entries, model.drift};
}

const Texts kPlainArgv = {"/usr/bin/kubelet", std::string("--config=") + kConfigPath};

TEST(Model, AFlagOfTheProcessProvesItsListWhateverTheFilesSay) {
  nodes::NodeSnapshot snapshot = node_with("", kListInFile);
  start(snapshot, {"/usr/bin/kubelet", "--allowed-unsafe-sysctls=kernel.sem"});
  EXPECT_EQ(seen(snapshot), (Seen{Evidence::kArgv, Texts{"kernel.sem"}, true}));
}

TEST(Model, AFileOlderThanTheProcessProvesItsList) {
  nodes::NodeSnapshot snapshot = node_with("", kListInFile);
  start(snapshot, kPlainArgv);
  EXPECT_EQ(seen(snapshot), (Seen{Evidence::kConfigFile, Texts{"net.core.somaxconn"}, false}));
}

TEST(Model, AFileNewerThanTheProcessProvesNothing) {
  nodes::NodeSnapshot snapshot = node_with("", kListInFile);
  start(snapshot, kPlainArgv);
  file_at(snapshot, kConfigPath).meta.ctime_ns = (kLater + 1) * 1'000'000;
  EXPECT_EQ(seen(snapshot), Seen{});
}

TEST(Model, AnOldModificationTimeDoesNotHideANewerChangeTime) {
  nodes::NodeSnapshot snapshot = node_with("", kListInFile);
  start(snapshot, kPlainArgv);
  file_at(snapshot, kConfigPath).meta.mtime_ns = kWritten * 1'000'000;  // as 'cp -p' leaves it
  file_at(snapshot, kConfigPath).meta.ctime_ns = (kLater + 1) * 1'000'000;
  EXPECT_EQ(seen(snapshot), Seen{});
  file_at(snapshot, kConfigPath).meta.mtime_ns = (kLater + 1) * 1'000'000;  // as 'touch -d' does
  file_at(snapshot, kConfigPath).meta.ctime_ns = kWritten * 1'000'000;
  EXPECT_EQ(seen(snapshot).evidence, Evidence::kConfigFile);
}

TEST(Model, AProcessWithAnotherConfigFileOrAnUnknownStartProvesNothing) {
  nodes::NodeSnapshot snapshot = node_with("", kListInFile);
  start(snapshot, {"/usr/bin/kubelet", "--config=/etc/other.yaml"});
  EXPECT_EQ(seen(snapshot), Seen{});
  start(snapshot, kPlainArgv, 0);
  EXPECT_EQ(seen(snapshot), Seen{});
}

TEST(Model, ADropInTakenAwaySinceTheStartProvesNothing) {
  nodes::NodeSnapshot snapshot = node_with(with_directory(), kListInFile);
  add_config_directory(snapshot);
  const Texts argv = {"/usr/bin/kubelet", std::string("--config=") + kConfigPath,
                      std::string("--config-dir=") + kDirectory};
  start(snapshot, argv);
  EXPECT_EQ(seen(snapshot).evidence, Evidence::kConfigFile);
  file_at(snapshot, kDirectory).meta.ctime_ns = (kLater + 1) * 1'000'000;
  EXPECT_EQ(seen(snapshot), Seen{});
}

TEST(Model, ADropInNewerThanTheProcessProvesNothing) {
  nodes::NodeSnapshot snapshot = node_with(with_directory(), kListInFile);
  add_config_directory(snapshot);
  add_config_drop_in(snapshot, "10-a.conf", "allowedUnsafeSysctls: [kernel.sem]\n");
  start(snapshot, {"/usr/bin/kubelet", std::string("--config=") + kConfigPath,
                   std::string("--config-dir=") + kDirectory});
  EXPECT_EQ(seen(snapshot), (Seen{Evidence::kConfigFile, Texts{"kernel.sem"}, false}));
  file_at(snapshot, std::string(kDirectory) + "/10-a.conf").meta.ctime_ns =
      (kLater + 1) * 1'000'000;
  EXPECT_EQ(seen(snapshot), Seen{});
}

TEST(Model, AFlagAddedToTheFilesSinceTheStartIsDrift) {
  nodes::NodeSnapshot snapshot = node_with("--allowed-unsafe-sysctls=kernel.sem", kListInFile);
  start(snapshot, kPlainArgv);
  EXPECT_EQ(seen(snapshot), (Seen{Evidence::kConfigFile, Texts{"net.core.somaxconn"}, true}));
}

TEST(Model, DriftComparesSetsAndNotOrderOrRepetition) {
  nodes::NodeSnapshot snapshot = node_with("--allowed-unsafe-sysctls=net.a,net.b", "");
  start(snapshot, {"kubelet", "--allowed-unsafe-sysctls=net.b,net.a,net.b"});
  EXPECT_FALSE(model_of(snapshot).drift);
  start(snapshot, {"kubelet", "--allowed-unsafe-sysctls=net.b"});
  EXPECT_TRUE(model_of(snapshot).drift);
}

TEST(Model, WithoutAProcessThereIsNoRunningListAndNoDrift) {
  const model::NodeModel model = model_of(node_with("", kListInFile));
  EXPECT_FALSE(model.running);
  EXPECT_FALSE(model.drift);
}

TEST(Model, AWrappedKubeletTakesItsFlagsFromTheLiveProcess) {
  nodes::NodeSnapshot snapshot =
      node_with_unit("[Service]\nExecStart=/bin/sh -c \"exec /usr/bin/kubelet $ARGS\"\n");
  add_file(snapshot, kConfigPath, std::string(kHead) + kListInFile);
  EXPECT_TRUE(model_of(snapshot).wrapped);
  EXPECT_TRUE(model_of(snapshot).layers.empty());
  start(snapshot, {"/usr/bin/kubelet", std::string("--config=") + kConfigPath,
                   "--allowed-unsafe-sysctls=kernel.sem"});
  const model::NodeModel model = model_of(snapshot);
  EXPECT_TRUE(model.wrapped);
  EXPECT_EQ(model.config_path, kConfigPath);
  ASSERT_EQ(configured_texts(model), (Texts{"kernel.sem"}));
  EXPECT_EQ(origin_of(model, configured_entries(model)[0]).kind, OriginKind::kProcess);
  EXPECT_EQ(origin_of(model, configured_entries(model)[0]).path, "");
  EXPECT_EQ(seen(snapshot).evidence, Evidence::kArgv);
}

// --- The health endpoint ----------------------------------------------------------------------------

std::string health_of(const nodes::NodeSnapshot& snapshot) {
  const model::NodeModel model = model_of(snapshot);
  return model.health_address + " " + std::to_string(model.health_port);
}

TEST(Model, HealthIsOnLoopbackUnlessTheFileOrAFlagSaysOtherwise) {
  EXPECT_EQ(health_of(node_with("", "")), "127.0.0.1 10248");
  const std::string file = "healthzPort: 10300\nhealthzBindAddress: 10.0.0.7\n";
  EXPECT_EQ(health_of(node_with("", file)), "10.0.0.7 10300");
  EXPECT_EQ(health_of(node_with("--healthz-port=10400 --healthz-bind-address=10.0.0.8", file)),
            "10.0.0.8 10400");
}

TEST(Model, PortZeroTurnsHealthOff) {
  EXPECT_EQ(health_of(node_with("--healthz-port=0", "healthzPort: 10300\n")), " 0");
  EXPECT_EQ(health_of(node_with("", "healthzPort: 0\n")), " 0");
}

TEST(Model, AWildcardAddressIsAskedOnLoopback) {
  EXPECT_EQ(health_of(node_with("--healthz-bind-address=0.0.0.0", "")), "127.0.0.1 10248");
  EXPECT_EQ(health_of(node_with("--healthz-bind-address=::", "")), "::1 10248");
}

}  // namespace
}  // namespace kubelet_sysctl
