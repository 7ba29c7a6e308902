// SPDX-License-Identifier: Apache-2.0
// `defaultPodSysctls` of several files together: a merge patch adds to a map key by key (RFC 7396).
#include "kubelet_sysctl/model/pod_defaults.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl::model {
namespace {

using built::kConfigPath;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using enum sysctl::DefaultsState;

constexpr const char* kDirectory = "/etc/kubelet.d";
const std::string kHead = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
const std::string kOn = "featureGates: {DefaultPodSysctls: true}\n";

/// A node of that release with a main file, drop-ins in this order and further arguments.
nodes::NodeSnapshot node(const char* version, const std::string& main,
                         const std::vector<std::string>& drop_ins = {},
                         const std::string& arguments = {}) {
  nodes::NodeSnapshot made = built::node_with_unit(
      "[Service]\nExecStart=/usr/bin/kubelet --config=" + std::string(kConfigPath) +
      (drop_ins.empty() ? "" : " --config-dir=" + std::string(kDirectory)) + " " + arguments +
      "\n");
  made.kubelet_version = sysctl::parse_kubelet_version(version);
  built::add_file(made, kConfigPath, kHead + main);
  if (drop_ins.empty()) return made;
  SourceFile directory;
  directory.path = directory.real_path = kDirectory;
  directory.kind = FileKind::kDirectory;
  made.files.push_back(directory);
  for (const std::string& text : drop_ins) {
    const std::string path =
        std::string(kDirectory) + "/" + std::to_string(made.files.size()) + ".conf";
    const std::int32_t source = built::add_file(made, path, kHead + text);
    made.config_dirs[kDirectory].push_back({path, source});
  }
  return made;
}

PodDefaults defaults(const nodes::NodeSnapshot& snapshot) {
  const auto model = resolve(snapshot);
  EXPECT_TRUE(model) << (model ? "" : model.error().message);
  return model ? model->pod_defaults : PodDefaults{};
}

std::vector<std::string> pairs(const PodDefaults& all) {
  std::vector<std::string> made;
  for (const PodDefault& one : all.sysctls) made.push_back(one.name + "=" + one.value);
  return made;
}

TEST(PodDefaultsOfNode, HaveTheFileAndLineOfEachName) {
  const PodDefaults all =
      defaults(node("1.37.0", kOn + "defaultPodSysctls:\n  net.core.somaxconn: \"1024\"\n"
                                    "  kernel.sem: \"250 32000 32 128\"\n"));
  EXPECT_THAT(pairs(all), ElementsAre("kernel.sem=250 32000 32 128", "net.core.somaxconn=1024"));
  EXPECT_EQ(all.sysctls[0].at.path, kConfigPath);
  EXPECT_EQ(all.sysctls[0].at.line, 6u);
  EXPECT_EQ(all.sysctls[1].at.line, 5u);
  EXPECT_EQ(all.state, kInForce);
}

TEST(PodDefaultsOfNode, ADropInReplacesSingleValuesAndANullTakesThemAway) {
  const std::string main =
      kOn + "defaultPodSysctls: {kernel.msgmax: \"1\", kernel.msgmnb: \"2\", kernel.sem: \"3\"}\n";
  const PodDefaults all =
      defaults(node("1.37.0", main,
                    {"defaultPodSysctls: {kernel.msgmax: \"5\", net.core.somaxconn: \"6\"}\n",
                     "defaultPodSysctls: {kernel.msgmnb: null}\n"}));
  EXPECT_THAT(pairs(all), ElementsAre("kernel.msgmax=5", "kernel.sem=3", "net.core.somaxconn=6"));
  EXPECT_EQ(all.sysctls[0].at.path, "/etc/kubelet.d/3.conf");
  EXPECT_THAT(pairs(defaults(node("1.37.0", main, {"defaultPodSysctls: {}\n"}))),
              ElementsAre("kernel.msgmax=1", "kernel.msgmnb=2", "kernel.sem=3"));
  EXPECT_THAT(pairs(defaults(node("1.37.0", main, {"defaultPodSysctls: null\n"}))), IsEmpty());
}

TEST(PodDefaultsOfNode, TheFlagWinsOverTheGatesOfTheFilesGateByGate) {
  const std::string main = kOn + "defaultPodSysctls: {kernel.sem: \"1\"}\n";
  EXPECT_EQ(defaults(node("1.37.0", main, {}, "--feature-gates=NodeSwap=true")).state, kInForce);
  EXPECT_EQ(
      defaults(node("1.37.0", main, {}, "--feature-gates=A=true,DefaultPodSysctls=false")).state,
      kGateOff);
  EXPECT_EQ(defaults(node("1.37.0", main, {"featureGates: {DefaultPodSysctls: false}\n"})).state,
            kGateOff);
  EXPECT_EQ(defaults(node("1.37.0", "", {}, "--feature-gates=AllAlpha=true")).state, kInForce);
}

std::vector<std::string> faults(const char* version, const std::string& rest) {
  std::vector<std::string> made;
  for (const Error& one : pod_default_faults(defaults(node(version, rest)))) {
    made.push_back(std::to_string(one.line) + ": " + one.message);
  }
  return made;
}

TEST(PodDefaultsOfNode, AKubeletEndsOverABadForeignOrDoubledName) {
  const std::string bad =
      "defaultPodSysctls:\n  vm.max_map_count: \"1\"\n  net.core.*: \"1\"\n"
      "  net.core.somaxconn: \"1\"\n  net/core/somaxconn: \"2\"\n";
  EXPECT_THAT(faults("1.37.0", kOn + bad),
              ElementsAre(HasSubstr("6: the kubelet does not start with 'net.core.*'"),
                          HasSubstr("8: the kubelet does not start with 'net/core/somaxconn' in "
                                    "defaultPodSysctls: it is the same sysctl as "
                                    "'net.core.somaxconn'"),
                          HasSubstr("5: the kubelet does not start with 'vm.max_map_count'")));
  EXPECT_THAT(faults("1.36.3", kOn + bad), IsEmpty());
  EXPECT_THAT(faults("1.37.0", bad), IsEmpty());
  EXPECT_THAT(faults("1.38.0", bad), testing::SizeIs(3));
  EXPECT_THAT(faults("1.38.0", bad)[2], HasSubstr("cannot be determined"));
}

TEST(PodDefaultsOfNode, TheKernelIsAskedOfNetworkAndIpcNamesThatMayBeSet) {
  const std::string rest =
      "allowedUnsafeSysctls: [kernel.sem]\ndefaultPodSysctls: {net.core.rmem_max: \"1\", "
      "user.max_net_namespaces: \"1\", vm.swappiness: \"1\"}\n";
  EXPECT_THAT(kernel_questions(*resolve(node("1.37.0", kOn + rest))),
              ElementsAre("kernel.sem", "net.core.rmem_max"));
  EXPECT_THAT(kernel_questions(*resolve(node("1.37.0", rest))), ElementsAre("kernel.sem"));
}

}  // namespace
}  // namespace kubelet_sysctl::model
